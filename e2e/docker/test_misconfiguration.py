"""A container that cannot work says why in one line of `docker logs`, and ends or waits."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.docker.container import Container
from e2e.docker.terminal import Terminal, eventually

Serve = Callable[..., Container]

# Its absence is a line of its own.
KEY = f"-e SECRET_KEY={secrets.token_urlsafe(48)}"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("-e DATABASE_URL=tasklists", "it is not a URL"),
        (
            "-e DATABASE_URL=mysql://root:foobar@db/tasklists",
            "its database is neither sqlite nor postgresql",
        ),
        ("-e DATABASE_URL=postgresql://postgres:foobar@db", "it names no database"),
        ("-e DATABASE_URL=postgresql://postgres:foobar@db:port/tasklists", "port is not a number"),
    ],
)
def test_a_wrong_database_url(serve: Serve, options: str, reason: str) -> None:
    container = serve(options)
    assert container.ended() == 1
    (line,) = container.log().splitlines()
    assert "DATABASE_URL" in line
    assert reason in line
    assert "postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME" in line
    assert "foobar" not in line


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("-e PORT=http", "PORT='http' is not accepted; it takes a whole number from 1 to 65535"),
        ("-e WEB_CONCURRENCY=0", "WEB_CONCURRENCY='0' is not accepted"),
        ("-e DATABASE_URL_FILE=/run/none", "DATABASE_URL_FILE='/run/none' is not accepted"),
    ],
)
def test_a_wrong_value(serve: Serve, options: str, line: str) -> None:
    container = serve(options)
    assert container.ended() == 1
    (said,) = container.log().splitlines()
    assert line in said


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--user 12345:12345", "user 12345"),
        ("-e DATABASE_URL=sqlite:////app/tasklists.sqlite3", "user 10001"),
        (
            "-e DATABASE_URL=sqlite:////var/cache/ldconfig/data/lists.sqlite3",
            "/var/cache/ldconfig/data does not exist",
        ),
        ("-e DATABASE_URL=sqlite:////none/tasklists.sqlite3", "the folder /none does not exist"),
    ],
)
def test_a_folder_for_data_that_cannot_be_written(serve: Serve, options: str, reason: str) -> None:
    container = serve(f"{KEY} {options}")
    assert container.ended() == 1
    (event,) = container.events()
    assert event["level"] == "error"
    assert "DATABASE_URL names" in event["message"]
    assert reason in event["message"] + event["hint"]


def test_a_folder_of_this_machine_that_belongs_to_another(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    container = serve(f"{KEY} --user 12345 -v {folder}:/data")
    assert container.ended() == 1
    (event,) = container.events()
    assert event["level"] == "error"
    assert "/data is not writable" in event["message"]
    assert "user 12345" in event["hint"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://postgres:foobar@nowhere/tasklists", "nowhere"),
        ("postgresql://postgres:foobar@127.0.0.1/tasklists", "Connection refused"),
    ],
)
def test_a_database_that_never_comes(serve: Serve, url: str, reason: str) -> None:
    container = serve(f"{KEY} -e DATABASE_WAIT=4 -e DATABASE_URL={url}")
    assert container.ended() == 1
    *waiting, last = container.events()
    assert waiting
    for event in waiting:
        assert event["level"] == "warning"
        assert event["message"] == "waiting for the database"
        assert reason in event["error"]
    assert last["level"] == "critical"
    assert "the database is unavailable" in last["message"]
    assert reason in last["message"]


@pytest.mark.usefixtures("database")
def test_a_wrong_password(serve: Serve, network: str) -> None:
    container = serve(
        f"--network {network} {KEY} -e DATABASE_URL=postgresql://postgres:wrong@db/tasklists"
    )
    refused = r"password authentication failed for user \"postgres\""
    eventually(lambda: refused in container.log())
    assert container.running()
    assert "wrong" not in container.log()


def test_a_port_that_another_process_has(terminal: Terminal, serve: Serve) -> None:
    """As in a pod, whose containers share an address; across containers the engine says it."""
    first = serve().ready()
    second = terminal(f"docker run -d --network container:{first.id} {KEY} app:latest")
    assert terminal(f"docker wait {second}") == "1"
    log = terminal(f"docker logs {second}")
    assert len(log.splitlines()) == 1
    assert "cannot listen on PORT 5000: Address already in use" in log
