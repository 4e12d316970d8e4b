"""Step 2 of the course: one container with SQLite, whose data goes with it."""

import json
from pathlib import Path

import pytest

from e2e.docker.course import GET, POST, names
from e2e.docker.terminal import CommandError, Terminal, eventually

RUN = "docker run --rm -d -p 5000:5000 --name app app:latest"


def test_data_is_gone_with_the_container(course: Terminal) -> None:
    course(RUN)
    eventually(lambda: course(GET) == "[]")
    assert '"name":"test"' in course(POST)
    assert names(course) == ["test"]

    assert course("docker rm -f app") == "app"
    course(RUN)
    eventually(lambda: course(GET) == "[]")


def test_it_is_listed_while_it_runs(course: Terminal) -> None:
    container = course(RUN)
    line = next(line for line in course("docker ps").splitlines() if container[:12] in line)
    assert "app:latest" in line
    assert "0.0.0.0:5000->5000/tcp" in line


def test_it_becomes_healthy(course: Terminal) -> None:
    course(RUN)
    eventually(lambda: "(healthy)" in course("docker ps --filter name=^app$"))


def test_the_log_can_be_followed(course: Terminal, tmp_path: Path) -> None:
    course(RUN)
    screen = tmp_path / "screen"
    with course.start("docker logs -f app", screen) as follow:
        try:
            eventually(lambda: course(GET) == "[]")
            eventually(lambda: '"/lists"' in screen.read_text())
        finally:
            follow.terminate()
    request = next(line for line in screen.read_text().splitlines() if '"/lists"' in line)
    assert json.loads(request)["status"] == 200


def test_a_shell_inside(course: Terminal) -> None:
    course(RUN)
    shown = course.type("docker exec -it app sh", "id\npwd\nexit\n")
    assert "uid=10001 gid=0(root)" in shown
    assert "/app" in shown


def test_stop_removes_the_container_and_its_volume(course: Terminal) -> None:
    course(RUN)
    eventually(lambda: course(GET) == "[]")
    (volume,) = course.volumes
    assert course("docker stop app") == "app"
    eventually(lambda: course.run("docker container inspect app").returncode != 0)
    eventually(lambda: volume not in course("docker volume ls -q").split())


def test_a_port_in_use_is_named(course: Terminal) -> None:
    course(RUN)
    with pytest.raises(CommandError, match="port is already allocated"):
        course("docker run --rm -d -p 5000:5000 app:latest")
