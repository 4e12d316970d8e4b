"""Step 4 of the course: both containers at once, with Compose."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.docker.course import GET, POST, names
from e2e.docker.terminal import BUILD_SECONDS, SECONDS, Terminal, eventually


@pytest.fixture(params=["docker-compose", "docker compose"])
def compose(request: pytest.FixtureRequest, course: Terminal) -> Iterator[str]:
    """Either spelling; the project's name, and with it the volume's, is the test's own."""
    spelling: str = request.param
    yield spelling
    course.run(f"{spelling} down -v", seconds=BUILD_SECONDS)


def test_data_survives_down_and_not_down_with_volumes(course: Terminal, compose: str) -> None:
    course(f"{compose} up -d")
    eventually(lambda: course(GET) == "[]")
    course(POST)

    course(f"{compose} down")
    course(f"{compose} up -d")
    eventually(lambda: names(course) == ["test"])

    course(f"{compose} down -v")
    course(f"{compose} up -d")
    eventually(lambda: course(GET) == "[]")


def test_what_is_listed_and_logged(course: Terminal, compose: str) -> None:
    course(f"{compose} up -d")
    eventually(lambda: course(GET) == "[]")
    listed = course(f"{compose} ps")
    for service in ("app", "db"):
        assert f" {service} " in listed
    assert "127.0.0.1:5000->5000/tcp" in listed
    assert listed.count("(healthy)") >= 1
    log = course(f"{compose} logs")
    assert "the database is up to date" in log
    assert "database system is ready to accept connections" in log


def test_up_in_the_foreground_until_interrupted(
    course: Terminal, compose: str, tmp_path: Path
) -> None:
    screen = tmp_path / "screen"
    with course.start(f"{compose} up", screen) as up:
        try:
            eventually(lambda: course(GET) == "[]")
            eventually(lambda: '"/lists"' in screen.read_text())
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(SECONDS)
    assert "database system is ready to accept connections" in screen.read_text()
    assert course(f"{compose} ps -q") == ""


def test_down_leaves_nothing(course: Terminal, compose: str) -> None:
    course(f"{compose} up -d")
    eventually(lambda: course(GET) == "[]")
    project = course.environment["COMPOSE_PROJECT_NAME"]
    made = f"--filter label=com.docker.compose.project={project}"
    assert course(f"docker ps -aq {made}") != ""
    assert course(f"docker volume ls -q {made}") == f"{project}_data"
    mounts = [
        mount["Name"]
        for container in course(f"docker ps -aq {made}").split()
        for mount in course.inspect(container)["Mounts"]
        if mount["Type"] == "volume"
    ]
    assert mounts == [f"{project}_data"]  # no volume without a name, which down would leave
    course(f"{compose} down -v")
    assert course(f"docker ps -aq {made}") == ""
    assert course(f"docker network ls -q {made}") == ""
    assert course(f"docker volume ls -q {made}") == ""
