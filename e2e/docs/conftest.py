"""A copy of the checkout for each walk, and an Engine and a cluster that are as they were after it."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.docs import leftovers
from e2e.kubernetes.cluster import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 120  # in which what is being deleted has to be gone


@pytest.fixture(scope="session")
def room() -> None:
    """End the tests where somebody else has what the pages need: it is not theirs to remove."""
    for command in ["docker info", "kubectl get nodes", "helm version", "curl --version"]:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.exit(f"the pages need `{command}` to work:\n{done.stderr}", 1)
    if held := leftovers.in_default():
        pytest.exit(f"the pages need the namespace default empty; it has {sorted(held)}", 1)
    try:
        socket.create_server(("127.0.0.1", 5000)).close()
    except OSError:
        pytest.exit("the pages need port 5000 of this machine, on which a program listens", 1)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what git knows, with the environment that `make` has made."""
    folder = tmp_path / "tasklists"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.fixture
def nothing_left(room: None) -> Iterator[None]:
    """Fail where the pages leave something behind, and remove it."""
    before = leftovers.everything()
    yield
    try:
        eventually(lambda: leftovers.everything() <= before, "all is removed", seconds=SECONDS)
    finally:
        leftovers.remove(leftovers.everything() - before)
