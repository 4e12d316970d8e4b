"""The suite on SQLite and again on PostgreSQL: ``python -m tests.databases [ARGUMENT...]``.

DATABASE_URL may name a PostgreSQL server on which databases may be made;
otherwise one that pip installed is started for the run. Coverage is of both
runs together, and of the processes that they start.
"""

import os
import subprocess
import sys

from tests.postgresql import PostgreSQL


def run(name: str, url: str, arguments: list[str]) -> bool:
    print(f"\n===== the suite on {name} =====", flush=True)
    pytest = [sys.executable, "-m", "pytest", "--cov", "--cov-append", "--cov-report=", *arguments]
    return not subprocess.run(
        pytest, env=os.environ | {"DATABASE_URL": url}, check=False
    ).returncode


def main(arguments: list[str]) -> int:
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "erase"], check=True)
    passed = run("SQLite", "", arguments)
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        passed &= run("PostgreSQL", url, arguments)
    else:
        with PostgreSQL() as server:
            passed &= run("PostgreSQL", server.url, arguments)
    if not passed:
        return 1
    # A part of the suite covers a part of the code.
    limit = "0" if arguments else "100"
    return subprocess.run([*coverage, "report", f"--fail-under={limit}"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
