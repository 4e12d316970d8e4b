"""Exclusive use of what the course uses: port 5000 of this machine and the namespace default.

`make e2e-docs` and `make e2e-kubernetes` may run at the same time: the second one waits for the
first. What the tests of e2e/kubernetes make in namespaces of their own is ignored.
"""

import fcntl
import json
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
OF_OTHER_TESTS = "tasklists-"  # as e2e.kubernetes.cluster.new_namespace begins their names


@contextmanager
def room() -> Iterator[None]:
    """Hold the port and the namespace. What is left in them at the end is an error, and is removed.

    Ends all tests if either is in use already: what is there is not the tests' to remove.
    """
    with LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _require_empty()
        before = _everything()
        try:
            yield
            eventually(lambda: _everything() <= before, "all is removed", seconds=SECONDS)
        finally:
            if left := _everything() - before:
                _remove(left)
                eventually(lambda: _everything() <= before, "what was left is removed")


def _require_empty() -> None:
    if held := _in_default():
        remedy = f"if nobody needs what is there: {'; '.join(sorted(held))}"
        pytest.exit(f"The course needs the namespace default empty; {remedy}", 1)
    try:
        socket.create_server(("127.0.0.1", 5000)).close()
    except OSError:
        pytest.exit("The course needs port 5000 of this machine, on which a program listens", 1)


def _everything() -> set[str]:
    """All that a reader of the course could make, as the commands that remove it."""
    found = {f"docker rm -f -v {name}" for name in _words("docker ps -aq --no-trunc")}
    found |= {f"docker volume rm {name}" for name in _words("docker volume ls -q")}
    found |= {f"docker network rm {name}" for name in _words("docker network ls -q --no-trunc")}
    return found | _in_default() | _of_the_cluster()


def _in_default() -> set[str]:
    """What the namespace default has, less what every cluster has there."""
    names = _words(f"kubectl get -n default {NAMESPACED} -o name")
    return {f"kubectl delete -n default {name}" for name in set(names) - IN_EVERY_CLUSTER}


def _of_the_cluster() -> set[str]:
    found = set()
    for each in json.loads(_run("kubectl get namespaces,persistentvolumes -o json"))["items"]:
        name = each["metadata"]["name"]
        namespace = each["spec"].get("claimRef", {}).get("namespace", name)
        if not namespace.startswith(OF_OTHER_TESTS):
            found.add(f"kubectl delete {each['kind']}/{name}")
    return found


def _remove(made: set[str]) -> None:
    """Run these commands; containers go first, since they hold networks and volumes."""
    for command in sorted(made, key=lambda each: (not each.startswith("docker rm"), each)):
        # A claim goes only when its pod is gone, so nothing is waited for before all is deleted.
        options = " --ignore-not-found --wait=false" if command.startswith("kubectl") else ""
        subprocess.run(f"{command}{options}", shell=True, capture_output=True, check=False)


def _words(command: str) -> list[str]:
    return _run(command).split()


def _run(command: str) -> str:
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
