"""Exclusive use of what the course uses: port 5000, the namespace default, and all nodes.

`make e2e-docs` and `make e2e-kubernetes` may run at the same time: the second one waits for the
first. What the tests of e2e/kubernetes make in namespaces of their own is ignored.
"""

import fcntl
import json
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.kubernetes.cluster import eventually

LOCK = Path(tempfile.gettempdir()) / "tasklists-e2e-room.lock"
SECONDS = 120  # in which what is being deleted has to be gone
NAMESPACED = (
    "all,persistentvolumeclaims,secrets,networkpolicies,poddisruptionbudgets,ingresses,"
    "horizontalpodautoscalers,cronjobs,jobs,resourcequotas,configmaps,serviceaccounts"
)
IN_EVERY_CLUSTER = {
    "service/kubernetes",
    "configmap/kube-root-ca.crt",
    "serviceaccount/default",
}
# What the pages make elsewhere. Everything else belongs to others and is left alone.
NAMESPACES = {"tasks"}
CONTAINERS = {"app", "backup", "db", "second", "third"}
NETWORKS = {"net", "tasklists_default"}
VOLUMES = {"db-data", "lists", "tasklists_data"}
COMPOSE = "label=com.docker.compose.project=tasklists"  # the folder's name in e2e/docs/conftest.py
OF_NO_NAME = re.compile(r"(\S+) app:\S+ [a-z]+_[a-z]+\d?")  # as Docker names containers by itself
ANONYMOUS_VOLUME = re.compile("[0-9a-f]{64}")
OF_OTHER_TESTS = "tasklists-"  # as e2e.kubernetes.cluster.new_namespace begins their names


@contextmanager
def room(*, of_pages: bool = True) -> Iterator[None]:
    """Hold the port and the namespace. What is left in them at the end is an error, and is removed.

    Ends all tests if either is in use already: what is there is not the tests' to remove. The
    pages also need the names that they give to containers, volumes and namespaces.
    """
    with LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _require_empty(_in_default() | (_in_docker() | _namespaces() if of_pages else set()))
        before = _everything()
        try:
            yield
            eventually(lambda: _everything() <= before, "all is removed", seconds=SECONDS)
        finally:
            if left := _everything() - before:
                _remove(left)
                eventually(lambda: _everything() <= before, "what was left is removed")
            # The load balancer closes the port of a Service some time after the Service is gone.
            eventually(_port_is_free, "port 5000 is free", seconds=SECONDS)


def _require_empty(held: set[str]) -> None:
    """``held`` are the commands that remove what somebody, or a run that was killed, has left."""
    if held:
        commands = "\n".join(sorted(held, key=_containers_first))
        pytest.exit(f"In the way of the course is what these commands would remove:\n{commands}", 1)
    if not _port_is_free():
        pytest.exit("The course needs port 5000 of this machine, on which a program listens", 1)


def _port_is_free() -> bool:
    try:
        socket.create_server(("127.0.0.1", 5000)).close()
    except OSError:
        return False
    return True


def _everything() -> set[str]:
    """All that a reader of the course could make, as the commands that remove it."""
    unused = _words("docker volume ls -q --filter dangling=true")
    anonymous = {f"docker volume rm {name}" for name in unused if ANONYMOUS_VOLUME.fullmatch(name)}
    return _in_docker() | anonymous | _in_default() | _namespaces() | _volumes_of_the_cluster()


def _in_docker() -> set[str]:
    """What has the names that the pages give, and containers of the image that have no name."""
    containers = CONTAINERS.intersection(_words("docker ps -a --format '{{.Names}}'"))
    containers |= set(_words(f"docker ps -aq --filter {COMPOSE}"))
    listed = _run("docker ps -a --format '{{.ID}} {{.Image}} {{.Names}}'")
    containers |= {found[1] for found in map(OF_NO_NAME.fullmatch, listed.splitlines()) if found}
    found = {f"docker rm -f -v {name}" for name in containers}
    volumes = VOLUMES.intersection(_words("docker volume ls -q"))
    networks = NETWORKS.intersection(_words("docker network ls --format '{{.Name}}'"))
    found |= {f"docker volume rm {name}" for name in volumes}
    return found | {f"docker network rm {name}" for name in networks}


def _in_default() -> set[str]:
    """What the namespace default has, less what every cluster has there."""
    names = _words(f"kubectl get -n default {NAMESPACED} -o name")
    return {f"kubectl delete -n default {name}" for name in set(names) - IN_EVERY_CLUSTER}


def _namespaces() -> set[str]:
    names = {each.partition("/")[2] for each in _words("kubectl get namespaces -o name")}
    return {f"kubectl delete namespace/{name}" for name in names & NAMESPACES}


def _volumes_of_the_cluster() -> set[str]:
    """Those that a claim of the pages has, and those that no claim has yet."""
    found = set()
    for each in json.loads(_run("kubectl get persistentvolumes -o json"))["items"]:
        name = each["metadata"]["name"]
        namespace = each["spec"].get("claimRef", {}).get("namespace")
        unclaimed = namespace is None and not name.startswith(OF_OTHER_TESTS)
        if unclaimed or namespace in {"default", *NAMESPACES}:
            found.add(f"kubectl delete persistentvolume/{name}")
    return found


def _remove(made: set[str]) -> None:
    """Run these commands."""
    for command in sorted(made, key=_containers_first):
        # A claim goes only when its pod is gone, so nothing is waited for before all is deleted.
        options = " --ignore-not-found --wait=false" if command.startswith("kubectl") else ""
        subprocess.run(f"{command}{options}", shell=True, capture_output=True, check=False)


def _containers_first(command: str) -> tuple[bool, str]:
    """They hold networks and volumes."""
    return not command.startswith("docker rm"), command


def _words(command: str) -> list[str]:
    return _run(command).split()


def _run(command: str) -> str:
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
