"""The room of the pages: what is theirs, and what is somebody else's."""

import json
import re
from pathlib import Path

import pytest

from e2e import room
from e2e.docs.conftest import ROOT
from e2e.docs.test_pages import walks

VOLUME = "f" * 64
# By command, what it prints.
WORLD = {
    "docker ps -a --format '{{.Names}}'": "app\npostgres\n",
    f"docker ps -aq --filter {room.COMPOSE}": "0123456789ab\n",
    "docker ps -a --format '{{.ID}} {{.Image}} {{.Names}}'": (
        "aaaa app:latest app\nbbbb postgres:17 quirky_newton\ncccc app:latest quirky_newton\n"
    ),
    "docker volume ls -q": f"lists\nmine\n{VOLUME}\n",
    "docker volume ls -q --filter dangling=true": f"mine\n{VOLUME}\n",
    "docker network ls --format '{{.Name}}'": "bridge\nmine\nnet\n",
    f"kubectl get -n default {room.NAMESPACED} -o name": "service/kubernetes\npod/app-pod\n",
    "kubectl get namespaces -o name": "namespace/default\nnamespace/mine\nnamespace/tasks\n",
    "kubectl get persistentvolumes -o json": json.dumps(
        {
            "items": [
                {
                    "metadata": {"name": name},
                    "spec": {"claimRef": {"namespace": name}} if name else {},
                }
                for name in ("default", "mine", "tasks")
            ]
        }
    ),
}
OF_PAGES = {
    "docker rm -f -v 0123456789ab",
    "docker rm -f -v app",
    "docker rm -f -v cccc",
    "docker volume rm lists",
    "docker network rm net",
    "kubectl delete -n default pod/app-pod",
    "kubectl delete namespace/tasks",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(room, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(room, "_run", lambda command: WORLD[command])


@pytest.mark.usefixtures("world")
def test_what_others_have_is_left_alone() -> None:
    assert room._everything() == OF_PAGES | {
        f"docker volume rm {VOLUME}",
        "kubectl delete persistentvolume/default",
        "kubectl delete persistentvolume/tasks",
    }


@pytest.mark.usefixtures("world")
def test_what_a_run_that_was_killed_has_left_is_named() -> None:
    with pytest.raises(pytest.exit.Exception) as ended, room.room():
        pass
    assert set(ended.value.msg.splitlines()[1:]) == OF_PAGES


def test_the_names_that_the_pages_give_are_known() -> None:
    text = "".join((ROOT / page).read_text() for walk in walks() for page in walk)
    blocks = "".join(re.findall(r"(?ms)^```(?:sh|console)(?! untested)[^\n]*\n(.*?)^```", text))
    assert set(re.findall(r"docker run .*--name[ =]([\w-]+)", blocks)) <= room.CONTAINERS
    assert set(re.findall(r"docker network create ([\w-]+)", blocks)) <= room.NETWORKS
    assert set(re.findall(r"docker run .*-v ([\w-]+):", blocks)) <= room.VOLUMES
    assert set(re.findall(r"kubectl create namespace ([\w-]+)", blocks)) <= room.NAMESPACES
