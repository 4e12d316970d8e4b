"""Whether the lock files fit what they lock: ``python -m tests.locks COMMAND...``.

``make lint`` gives the command with which ``make lock`` compiles them; versions
that are locked stay, so that nothing but the .in files counts.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.process import ROOT


def main(command: list[str]) -> int:
    stale = []
    for name in ["requirements", "requirements-dev", "e2e/kubernetes/patroni"]:
        locked = (ROOT / f"{name}.txt").read_text()
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder) / "again.txt"
            again.write_text(locked)
            done = subprocess.run(
                [*command, f"{name}.in", "--output-file", str(again)], cwd=ROOT, check=False
            )
            if done.returncode:  # uv has said why
                sys.exit(f"{name}.in cannot be resolved, which needs the network")
            if again.read_text() != locked:
                stale.append(f"{name}.txt")
    if stale:
        print(f"stale: {', '.join(stale)}; run `make lock`", file=sys.stderr)
    return len(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
