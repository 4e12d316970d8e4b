"""Versions before this one, from which upgrades start: commits of this repository."""

import subprocess
from pathlib import Path

from e2e.kubernetes.cluster import CommandError, run

ROOT = Path(__file__).resolve().parents[2]
COMMIT = Path(__file__).with_name("previous-commit.txt").read_text().strip()
IMAGE = "app:0.1.0"  # `make image-0.1.0` builds it

# The last commit whose chart has a ConfigMap with the environment.
CONFIG_MAP_COMMIT = "3e1c41e34df1e22546afa252b4fb0fe0b3a78200"


def is_in_history(commit: str = COMMIT) -> bool:
    """Whether this clone has the commit; a shallow one may not."""
    try:
        run("git", "-C", str(ROOT), "cat-file", "-e", f"{commit}^{{commit}}")
    except (CommandError, FileNotFoundError):
        return False
    return True


def unpack_chart(folder: Path, commit: str = COMMIT) -> Path:
    """Write the commit's chart to the folder; return the chart's path."""
    archive = ("git", "-C", str(ROOT), "archive", commit, "chart")
    packed = subprocess.run(archive, stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(("tar", "--extract", "--directory", str(folder)), input=packed, check=True)
    return folder / "chart"
