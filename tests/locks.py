"""Whether the lock files fit what they lock: ``python -m tests.locks``, part of ``make lint``."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.service import ROOT

# As in the Makefile; versions that are locked stay, so that nothing but the .in files counts.
COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
COMPILE += ["--generate-hashes", "--custom-compile-command", "make lock"]


def main() -> int:
    stale = []
    for name in ["requirements", "requirements-dev"]:
        locked = (ROOT / f"{name}.txt").read_text()
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder) / f"{name}.txt"
            again.write_text(locked)
            subprocess.run(
                [*COMPILE, f"{name}.in", "--output-file", str(again)],
                cwd=ROOT,
                executable=Path(sys.executable).with_name("uv"),
                check=True,
            )
            if again.read_text() != locked:
                stale.append(f"{name}.txt")
    if stale:
        print(f"stale: {', '.join(stale)}; run `make lock`", file=sys.stderr)
    return len(stale)


if __name__ == "__main__":
    sys.exit(main())
