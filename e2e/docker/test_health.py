"""The health check of the image, as the engine makes it."""

from collections.abc import Callable

import pytest

from e2e.docker.container import Container
from e2e.docker.terminal import Terminal, eventually

Serve = Callable[..., Container]

OFTEN = "--health-interval 1s --health-retries 1"
POSTGRESQL = "-e DATABASE_URL=postgresql://postgres:foobar@db/tasklists"


def health(container: Container) -> str:
    status: str = container.state()["Health"]["Status"]
    return status


@pytest.mark.parametrize("environment", ["", "-e PORT=8080", "-e PORT=", "-e http_proxy=http://db"])
def test_a_container_becomes_healthy(serve: Serve, environment: str) -> None:
    container = serve(f"{OFTEN} {environment}")
    eventually(lambda: health(container) == "healthy")


def test_it_follows_the_database(
    terminal: Terminal, serve: Serve, network: str, database: str
) -> None:
    # The grace of the start would hide failures; it is over when a check has succeeded.
    container = serve(f"{OFTEN} --network {network} {POSTGRESQL}").ready()
    eventually(lambda: health(container) == "healthy")

    terminal(f"docker stop {database}")
    eventually(lambda: health(container) == "unhealthy")
    said = container.state()["Health"]["Log"][-1]
    assert said["ExitCode"] == 1
    assert "The database is unavailable" in said["Output"]
    answer = container.get("/lists")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]

    terminal(f"docker start {database}")
    eventually(lambda: health(container) == "healthy")
    assert container.get("/lists").json() == []
    assert container.state()["Running"]


def test_a_server_that_is_not_there_is_not_healthy(terminal: Terminal, serve: Serve) -> None:
    container = serve(f"{OFTEN} --health-start-period 1s", "sleep 600")
    eventually(lambda: health(container) == "unhealthy")
