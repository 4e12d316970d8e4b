"""The Docker Engine that answers here; what a test makes in it goes when the test ends."""

import secrets
import socket
from collections.abc import Callable, Iterator

import pytest

from e2e.docker.container import Container
from e2e.docker.terminal import BUILD_SECONDS, Terminal, eventually

# The names that the course gives, and may therefore be in use by a reader.
COURSE = {"container": ["app", "db"], "network": ["net"], "volume": ["db-data"]}


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


@pytest.fixture(scope="session")
def nothing_of_the_course() -> None:
    """Refuse to run where something has a name of the course: it is not the tests' to remove."""
    terminal = Terminal()
    for kind, names in COURSE.items():
        for name in names:
            if terminal.run(f"docker {kind} inspect {name}").returncode == 0:
                pytest.exit(
                    f"there is a {kind} named {name} that these tests did not make; they need "
                    f"the name: if nobody needs it, `docker {kind} rm {name}`, and try again",
                    returncode=1,
                )


@pytest.fixture
def course(nothing_of_the_course: None, own_name: str) -> Iterator[Terminal]:
    """A terminal for the course's own commands, which use port 5000 of this machine."""
    eventually(port_5000_is_free)
    terminal = Terminal(COMPOSE_PROJECT_NAME=own_name)
    yield terminal
    terminal.clean()


def port_5000_is_free() -> bool:
    try:
        socket.create_server(("127.0.0.1", 5000)).close()
    except OSError as error:
        raise AssertionError("another program of this machine listens on port 5000") from error
    return True
