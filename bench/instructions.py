"""Count the instructions that the service's process executes for a request.

``python -m bench.instructions`` needs valgrind. The figure is the same from one
run to the next within a thousandth, where times differ by a tenth: it shows what
a small change does. It does not show what the kernel, PostgreSQL and the turns
that threads take cost.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.databases import POSTGRESQL, databases, fill
from bench.server import missing
from bench.stacks import PYTHON, ROOT, SERVICE, service
from tests.process import environment

PATHS = ["/health/live", "/nothing", "/lists/1", "/lists"]
WARM_UP, REQUESTS = 200, 300

# Run in the service's folder and environment, which has nothing of the benchmark's.
ONE_CONNECTION = """
import os, socket, subprocess, sys
from gunicorn.app.base import Application
from gunicorn.workers.gthread import TConn
from server.wsgi import application
from server.access_log import AccessLogger
from server.connection import Connection
from server.worker import Worker

class Service(Application):
    def load_config(self):
        self.load_config_from_file("server/gunicorn.conf.py")

def collect(switch):
    subprocess.run(["callgrind_control", "-i", switch, str(os.getpid())], check=True)

path, warm_up, requests = sys.argv[1], *map(int, sys.argv[2:])
config = Service().cfg
worker = Worker(1, 1, [], None, 30, config, AccessLogger(config))
worker.wsgi = application
theirs, ours = socket.socketpair()
conn = TConn(config, Connection(ours), ("127.0.0.1", 1), ("127.0.0.1", config.address[0][1]))
conn.data_ready = True
for number in range(warm_up + requests):
    if number == warm_up:
        collect("on")
    theirs.sendall(f"GET {path} HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n".encode())
    assert worker.handle(conn)
    assert theirs.recv(65536).startswith(b"HTTP/1.1 ")
collect("off")
"""


def count(folder: Path, variables: dict[str, str], path: str) -> int:
    """Instructions of one GET of ``path``, a mean of many on one connection."""
    valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    service_alone = (PYTHON, "-c", ONE_CONNECTION, path, str(WARM_UP), str(REQUESTS))
    done = subprocess.run(
        [*valgrind, "--instr-atstart=no", *service_alone],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Collected : ([0-9]+)", done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"GET {path} in {folder}:\n{done.stderr}")
    return int(found[1]) // REQUESTS


def main() -> int | str:
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("paths", metavar="PATH", nargs="*", help=f"by default {', '.join(PATHS)}")
    parser.add_argument("--folder", type=Path, default=ROOT, help="another checkout to count in")
    arguments = parser.parse_args()
    if lacking := missing({"valgrind": "valgrind"}):
        return f"bench: {lacking[0]}"
    stack = service(SERVICE, arguments.folder.resolve())
    with (
        tempfile.TemporaryDirectory(prefix="tasklists-bench-") as folder,
        databases(POSTGRESQL, Path(folder)) as available,
    ):
        url = available.make("instructions")
        variables = environment({}) | {"DATABASE_URL": url}
        subprocess.run(stack.prepare, cwd=stack.folder, env=variables, check=True)
        fill(url, stack, 100)
        for path in arguments.paths or PATHS:
            print(f"{count(stack.folder, variables, path):>10,}  GET {path}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
