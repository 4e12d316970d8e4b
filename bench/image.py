"""Measure the image: size, start, memory and stop, beside what each should be at most.

`make bench-image` builds app:latest and runs this. What it starts in the
Docker Engine is removed at the end. Only a machine with nothing else to do
gives times that mean something.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median

import requests

from e2e.docker.container import Container
from e2e.docker.terminal import Terminal, eventually

REQUESTS = 10_000
CLIENTS = 8
TIMES = 5

# The shared pages of forked processes count once: Pss is a process's own pages and its share
# of the others. The process that asks is not the service's.
RESIDENT = """
import os, pathlib, re
kib = 0
for process in pathlib.Path('/proc').glob('[0-9]*/smaps_rollup'):
    if process.parent.name != str(os.getpid()):
        kib += int(re.search(r'^Pss: +([0-9]+)', process.read_text(), re.MULTILINE)[1])
print(kib * 1024 / 1e6)
"""


@contextmanager
def postgresql(terminal: Terminal) -> Iterator[str]:
    """The options with which a container uses a PostgreSQL that is up."""
    network = terminal(f"docker network create tasklists-bench-{secrets.token_hex(4)}")
    database = terminal(
        f"docker run -d --network {network} --network-alias db"
        " -e POSTGRES_PASSWORD=foobar -e POSTGRES_DB=tasklists postgres:17"
    )
    ready = "pg_isready --host=127.0.0.1 --username=postgres --dbname=tasklists"
    eventually(lambda: terminal(f"docker exec {database} {ready}"))
    yield f"--network {network} -e DATABASE_URL=postgresql://postgres:foobar@db/tasklists"


def size(terminal: Terminal, image: str) -> float:
    """In MB, as `docker images` counts them."""
    return int(terminal.inspect(image, "image")["Size"]) / 1e6


def start(terminal: Terminal, options: str) -> float:
    """Seconds from `docker run` to the first 200."""
    begin = time.monotonic()
    container = Container(terminal, options)
    container.published()
    eventually(lambda: container.get("/lists").status_code == 200)
    seconds = time.monotonic() - begin
    terminal(f"docker rm -f -v {container.id}")
    return seconds


def stop(terminal: Terminal) -> float:
    """Seconds from SIGTERM to the exit of an idle server."""
    container = Container(terminal).ready()
    begin = time.monotonic()
    terminal(f"docker kill --signal TERM {container.id}")
    status = container.ended()
    seconds = time.monotonic() - begin
    assert status == 0
    terminal(f"docker rm -v {container.id}")
    return seconds


def resident(container: Container) -> float:
    """MB of memory that the processes have."""
    return float(container.execute(f'python -c "{RESIDENT}"'))


def load(container: Container) -> None:
    """A tenth of the requests make a list; the others read the first page, of up to 100."""

    def client(number: int) -> None:
        with requests.Session() as session:
            for turn in range(REQUESTS // CLIENTS):
                if turn % 10:
                    answer = session.get(f"{container.url}/lists", timeout=30)
                else:
                    name = {"name": f"{number} {turn}"}
                    answer = session.post(f"{container.url}/lists", json=name, timeout=30)
                answer.raise_for_status()

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, range(CLIENTS)))


def charged(container: Container) -> float:
    """MB that the kernel counts for the container, less reclaimable files: `docker stats`."""
    shown = container.terminal(
        f"docker stats --no-stream --format '{{{{.MemUsage}}}}' {container.id}"
    )
    return float(shown.partition("MiB")[0]) * 2**20 / 1e6


def memory(terminal: Terminal) -> None:
    container = Container(terminal).ready()
    for when in ("idle", f"after {REQUESTS:,} requests"):
        if when != "idle":
            load(container)
        report(f"memory, 2 workers, {when}", charged(container), "MB", 110)
        report(f"  resident, shared pages once, {when}", resident(container), "MB", 110)


def report(measure: str, value: float, unit: str, aim: float) -> None:
    print(f"{measure:<51} {value:7.2f} {unit:<2}  at most {aim:g}", flush=True)


def repeated(measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(TIMES))


def main() -> None:
    terminal = Terminal()
    try:
        over = size(terminal, "app:latest") - size(terminal, "python:3.13-slim")
        report("size over python:3.13-slim", over, "MB", 75)
        report("start to the first 200, SQLite", repeated(lambda: start(terminal, "")), "s", 2.5)
        with postgresql(terminal) as options:
            value = repeated(lambda: start(terminal, options))
            report("start to the first 200, PostgreSQL", value, "s", 2.5)
        memory(terminal)
        report("SIGTERM to exit, idle", repeated(lambda: stop(terminal)), "s", 2)
    finally:
        terminal.clean()


if __name__ == "__main__":
    main()
