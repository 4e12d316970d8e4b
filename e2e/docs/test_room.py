"""The room of the pages: what is theirs, and what is somebody else's."""

import re
import secrets
import subprocess
from collections.abc import Callable, Iterator

import pytest

from e2e import room
from e2e.docs.conftest import ROOT
from e2e.docs.test_pages import walks

Create = Callable[[str], None]


@pytest.fixture
def create(tools: None) -> Iterator[Create]:
    """Make a container of that name, which does not run."""
    names: list[str] = []

    def make(name: str) -> None:
        names.append(name)
        docker("create", "--name", name, "app:latest")

    yield make
    command = ["docker", "rm", "--force", "--volumes", *names]  # the room may have removed them
    subprocess.run(command, capture_output=True, check=False)


def docker(*arguments: str) -> str:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_others_make_meanwhile_is_left_alone(create: Create) -> None:
    others = f"mine-{secrets.token_hex(4)}"
    with room.room():
        create(others)
    assert others in docker("ps", "--all").split()


def test_what_is_left_is_an_error_and_removed(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SECONDS", 1)
    with pytest.raises(AssertionError, match="all is removed"), room.room():
        create("third")
    assert "third" not in docker("ps", "--all").split()


def test_what_a_run_that_was_killed_has_left_is_named(create: Create) -> None:
    create("second")
    with pytest.raises(pytest.exit.Exception) as ended, room.room():
        pass
    assert "docker rm -f -v second" in str(ended.value.msg).splitlines()


def test_the_names_that_the_pages_give_are_known() -> None:
    text = "".join((ROOT / page).read_text() for walk in walks() for page in walk)
    blocks = "".join(re.findall(r"(?ms)^```(?:sh|console)(?! untested)[^\n]*\n(.*?)^```", text))
    assert set(re.findall(r"docker run .*--name[ =]([\w-]+)", blocks)) <= room.CONTAINERS
    assert set(re.findall(r"docker network create ([\w-]+)", blocks)) <= room.NETWORKS
    assert set(re.findall(r"docker run .*-v ([\w-]+):", blocks)) <= room.VOLUMES
    assert set(re.findall(r"kubectl create namespace ([\w-]+)", blocks)) <= room.NAMESPACES
