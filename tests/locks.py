"""Whether the lock files fit what they lock: ``python -m tests.locks COMMAND...``.

``make lint`` gives the command with which ``make lock`` compiles them; versions
that are locked stay, so that nothing but the .in files counts.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.process import ROOT

NAMES = ["requirements", "requirements-dev", "e2e/kubernetes/patroni"]


def main(command: list[str]) -> int:
    """Lock again in a copy, since the head of a lock file has the file's name."""
    stale = []
    uv, *options = command
    with tempfile.TemporaryDirectory() as copy:
        for name in NAMES:
            Path(copy, name).parent.mkdir(parents=True, exist_ok=True)
            for file in (f"{name}.in", f"{name}.txt"):
                shutil.copy(ROOT / file, Path(copy, file))
        for name in NAMES:
            files = [f"--output-file={name}.txt", f"{name}.in"]
            done = subprocess.run([ROOT / uv, *options, *files], cwd=copy, check=False)
            if done.returncode:  # uv has said why
                sys.exit(f"{name}.in cannot be resolved, which needs the network")
            if Path(copy, f"{name}.txt").read_text() != (ROOT / f"{name}.txt").read_text():
                stale.append(f"{name}.txt")
    if stale:
        print(f"stale: {', '.join(stale)}; run `make lock`", file=sys.stderr)
    return len(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
