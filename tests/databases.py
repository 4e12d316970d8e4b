"""The suite on SQLite and PostgreSQL at once: ``python -m tests.databases [ARGUMENT...]``.

DATABASE_URL may name a PostgreSQL server on which databases may be made;
otherwise one that pip installed is started for the run. The run on PostgreSQL is
printed when both have ended. A test that is marked ``once`` is deselected in the
run on the other database. Coverage is of both runs together, and of the
processes that they start; --no-cov measures none.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from tests.postgresql import PostgreSQL


def start(
    database: str, url: str, other: str, arguments: list[str], folder: Path, output: IO[str] | None
) -> subprocess.Popen[bytes]:
    """Start the suite on a database; its coverage goes to a file of that name in ``folder``."""
    command = [sys.executable, "-m", "pytest", "-m", f"not once(on='{other}')"]
    command += ["-o", f"cache_dir=.pytest_cache/{database}", "--cov", "--cov-report=", *arguments]
    environment = {"DATABASE_URL": url, "COVERAGE_FILE": str(folder / database)}
    return subprocess.Popen(
        command, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
    )


def succeeded(statuses: set[int]) -> bool:
    # Of the tests that the arguments select, all may be marked ``once``.
    return statuses in (
        {pytest.ExitCode.OK},
        {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED},
    )


def main(arguments: list[str]) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = os.environ.get("DATABASE_URL", "")
        if not url.startswith("postgres"):
            url = stack.enter_context(PostgreSQL()).url
        output = stack.enter_context(tempfile.TemporaryFile("w+"))
        print("===== the suite on SQLite, while that on PostgreSQL runs too =====", flush=True)
        runs = [
            stack.enter_context(start("sqlite", "", "postgresql", arguments, folder, None)),
            stack.enter_context(start("postgresql", url, "sqlite", arguments, folder, output)),
        ]
        statuses = {run.wait() for run in runs}
        print("\n===== the suite on PostgreSQL =====", flush=True)
        output.seek(0)
        print(output.read(), flush=True)
        if "--no-cov" in arguments:
            return 0 if succeeded(statuses) else 1
        coverage = [sys.executable, "-m", "coverage"]
        files = [str(folder / database) for database in ("sqlite", "postgresql")]
        subprocess.run([*coverage, "combine", "--quiet", *files], check=True)
    if not succeeded(statuses):
        return 1
    # A part of the suite covers a part of the code.
    limit = "0" if arguments else "100"
    return subprocess.run([*coverage, "report", f"--fail-under={limit}"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
