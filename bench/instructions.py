"""Count the instructions that the service's worker executes for a request.

``python -m bench.instructions`` needs valgrind. Its figures hardly differ from one run to
the next, where times differ by a tenth: it shows what a small change does. It does not
show what the kernel, PostgreSQL and switches between threads cost.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from bench.databases import POSTGRESQL, databases, fill
from bench.server import Server, missing
from bench.stacks import PYTHON, ROOT, SERVICE, Stack, service
from tests.process import free_port

PATHS = ["/health/live", "/nothing", "/lists/1", "/lists"]
TASK_PATHS = ["/tasks/1", "/lists/1/tasks"]
WARM_UP, REQUESTS = 200, 300


def under_valgrind(stack: Stack, folder: Path) -> Stack:
    """The service without ``manage.py serve``, which executes gunicorn as another program."""
    # The configuration moved when server/ became a package of its own.
    paths = ("server/gunicorn.conf.py", "project/gunicorn.conf.py")
    configuration = next(path for path in paths if (stack.folder / path).exists())
    command = (
        *("valgrind", "--tool=callgrind", "--instr-atstart=no"),
        # Without --trace-children, vgdb cannot reach the worker, which gunicorn forks.
        *("--trace-children=yes", f"--callgrind-out-file={folder}/%p"),
        *(PYTHON, "-m", "gunicorn", "--config", configuration),
    )
    # Sets and dictionaries in the same order each time, and few threads for one connection. With
    # one, the main thread would poll while that is busy, for as long as valgrind takes.
    variables = {"PYTHONHASHSEED": "0", "THREADS": "2"}
    return stack._replace(command=command, environment=stack.environment | variables)


def count(server: Server, folder: Path, path: str) -> int:
    """Instructions of one GET of ``path``, the mean of many on one connection."""
    worker = server.processes()[-1]
    with requests.Session() as session:

        def get(times: int) -> None:
            for _ in range(times):
                session.get(server.url + path, timeout=60)

        get(WARM_UP)
        _control(worker, "instrumentation", "on")
        get(REQUESTS)
        _control(worker, "instrumentation", "off")
    _control(worker, "dump")  # to the next file, after which callgrind counts from zero
    newest = max(folder.glob(f"{worker}.*"), key=lambda dump: int(dump.suffix[1:]))
    found = re.search(r"^totals: ([0-9]+)", newest.read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(f"{newest} has no totals")
    return int(found[1]) // REQUESTS


def _control(process: int, *command: str) -> None:
    """Have callgrind execute one of its monitor commands in that process."""
    subprocess.run(["vgdb", f"--pid={process}", *command], stderr=subprocess.DEVNULL, check=True)


def main() -> int | str:
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help=f"by default {', '.join(PATHS + TASK_PATHS)}"
    )
    parser.add_argument("--metrics", action="store_true", help="count with METRICS_PORT set")
    parser.add_argument("--folder", type=Path, default=ROOT, help="another checkout to count in")
    arguments = parser.parse_args()
    if lacking := missing({"valgrind": "valgrind"}):
        return f"bench: {lacking[0]}"
    stack = service(SERVICE, arguments.folder.resolve())
    if arguments.metrics:
        variables = stack.environment | {"METRICS_PORT": str(free_port())}
        stack = stack._replace(environment=variables)
    paths = arguments.paths or PATHS + (TASK_PATHS if stack.tasks else [])
    with (
        tempfile.TemporaryDirectory(prefix="tasklists-bench-") as name,
        databases(POSTGRESQL, Path(name)) as available,
    ):
        url = available.make("instructions")
        dumps = Path(name) / "dumps"
        dumps.mkdir()
        core = max(os.sched_getaffinity(0))
        with Server(under_valgrind(stack, dumps), url, core) as server:
            fill(url, stack, 100, with_tasks=True)
            for path in paths:
                print(f"{count(server, dumps, path):>10,}  GET {path}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
