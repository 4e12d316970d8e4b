"""A copy of the checkout for each walk, and the programs that the pages use."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def tools() -> None:
    """End the tests where a program that the pages use does not work."""
    for command in ["docker info", "kubectl get nodes", "helm version", "curl --version"]:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.exit(f"the pages need `{command}` to work:\n{done.stderr}", 1)


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
