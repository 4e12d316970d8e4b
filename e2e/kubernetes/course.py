"""A terminal for the course's own commands: its names, the namespace default, port 5000."""

import os
import shlex
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from e2e.kubernetes.client import Client
from e2e.kubernetes.cluster import Namespace, eventually, run
from e2e.screen import type_keys

LISTS = Client("http://localhost:5000")
DEFAULT = Namespace("default")
KINDS = "all,persistentvolumeclaims,secrets,networkpolicies,poddisruptionbudgets,ingresses"
NAMES = {"app", "app-pod", "app-db-st", "app-db-svc", "db", "lb-svc"}


def course(command: str, keys: str = "") -> str:
    """Type a command, and then the keys where it asks for more; what the screen shows."""
    return type_keys(command, keys) if keys else run(*shlex.split(command))


@contextmanager
def another_terminal(command: str) -> Iterator[Callable[[], str]]:
    """A command that goes on, such as ``logs -f``; gives what the screen has shown so far."""
    with (
        tempfile.TemporaryFile("w+") as screen,
        subprocess.Popen(shlex.split(command), stdout=screen, stderr=screen) as process,
    ):

        def shown() -> str:
            return os.pread(screen.fileno(), 10**6, 0).decode()

        try:
            yield shown
        finally:
            process.terminate()


def there() -> set[str]:
    """What is in the namespace, less what every cluster has there."""
    return set(DEFAULT.kubectl("get", KINDS, "--output=name").split()) - {"service/kubernetes"}


def is_the_courses(name: str) -> bool:
    """Whether an object has a name of the course, or is a pod or the like of one that has."""
    name = name.partition("/")[2]
    return name in NAMES or any(name.startswith(f"{own}-") for own in NAMES)


def require_room() -> None:
    """End the tests where somebody else has what the course needs: it is not theirs to remove."""
    configured = run("kubectl", "config", "view", "--minify", "--output=jsonpath={..namespace}")
    if configured not in ("", "default"):
        pytest.exit(f"The course needs the namespace default; KUBECONFIG has {configured}", 1)
    if found := there():
        pytest.exit(f"The course needs the namespace default empty; it has {sorted(found)}", 1)
    try:
        socket.create_server(("127.0.0.1", 5000)).close()
    except OSError:
        pytest.exit("The course needs port 5000 of localhost, which somebody has", 1)


def remove_what_is_left() -> None:
    """In case that a test ended early."""
    if left := {name for name in there() if is_the_courses(name)}:
        DEFAULT.kubectl("delete", "--ignore-not-found", *left)
    eventually(lambda: not there(), "the namespace default is empty again")
