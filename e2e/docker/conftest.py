"""The Docker Engine that answers here; what a test makes in it goes when the test ends."""

import secrets
from collections.abc import Callable, Iterator

import pytest

from e2e.docker.container import Container
from e2e.docker.terminal import BUILD_SECONDS, Terminal


@pytest.fixture(scope="session", autouse=True)
def image() -> str:
    """app:latest, built from these sources."""
    Terminal()("docker build -t app:latest .", seconds=BUILD_SECONDS)
    return "app:latest"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.clean()


@pytest.fixture
def serve(terminal: Terminal) -> Callable[..., Container]:
    """Start a container with the options of ``docker run``."""

    def start(options: str = "", command: str = "") -> Container:
        return Container(terminal, options, command)

    return start


@pytest.fixture
def own_name() -> str:
    """A name that nothing else has."""
    return f"tasklists-e2e-{secrets.token_hex(4)}"


@pytest.fixture
def network(terminal: Terminal, own_name: str) -> str:
    terminal(f"docker network create {own_name}")
    return own_name


@pytest.fixture
def database(terminal: Terminal, network: str) -> str:
    """The id of a PostgreSQL that the network knows as db; it may still be starting."""
    return terminal(
        f"docker run -d --network {network} --network-alias db"
        " -e POSTGRES_PASSWORD=foobar -e POSTGRES_DB=tasklists postgres:17"
    )
