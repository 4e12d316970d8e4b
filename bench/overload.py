"""Measure how the service answers while something is wrong: ``python -m bench.overload``.

The service runs as ``manage.py serve`` starts it, with 2 workers of 4 threads. Probes ask
for its health and for one list, each on a new connection, while other clients make trouble.
"""

import argparse
import asyncio
import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import orjson
import psutil
import psycopg2
import requests

from bench.clients import (
    ANSWER_SECONDS,
    Answer,
    Apart,
    drip,
    exchange,
    hold,
    probe,
    sustain,
    together,
)
from bench.databases import POSTGRESQL, SQLITE, databases, fill
from bench.server import START_SECONDS, Server, cores, missing
from bench.stacks import ROOT, SERVICE, Stack, beside, service
from tests.process import environment
from tests.wire import post, request

LISTS = 100
LIVE, READY, READ, PAGE = "/health/live", "/health/ready", "/lists/1", "/lists?limit=100"
PROBES = [LIVE, READY, READ]

LOCK_SECONDS = 8  # less than the 10 s after which PostgreSQL ends a statement that waits
LOAD_SECONDS = 10
QUICK = 0.05  # seconds; a service that reads one list in less is well again
RECOVERY_SECONDS = 60

HALF = b"GET /lists HTTP/1.1\r\nHost: local"
# A head of 30 KB whose fields are shorter than the 8190 bytes that gunicorn allows.
FIELDS = [f"X-Field-{number}: {'x' * 7450}" for number in range(4)]
LONG_HEAD = request("GET", READ, "Connection: close", *FIELDS)
DRIP_RATE = 1700  # bytes per second: all of them just before the 20 s of CLIENT_TIMEOUT


class Clients(NamedTuple):
    """The processes of the clients; probes do not wait for those that make trouble."""

    probing: Apart
    loading: Apart


class Outcome(NamedTuple):
    """``answers`` by what was asked. ``recovery`` is in seconds, from the end of the trouble."""

    answers: dict[str, list[Answer]]
    recovery: float = 0.0
    notes: list[str] = []
    faults: list[str] = []


class Observation(NamedTuple):
    scenario: str
    server: Server
    outcome: Outcome
    processor_seconds: float


Scenario = Callable[[Clients, Server, str], Outcome]


def idle(clients: Clients, server: Server, url: str) -> Outcome:
    clients.probing.call(probe, server.port, PROBES, 0.05, 100)
    return Outcome(clients.probing.result())


def blocked_writers(count: int, clients: Clients, server: Server, url: str) -> Outcome:
    """Writers wait for a lock while reads and health checks arrive all at once."""
    names = [f"writer {number} of {count}" for number in range(count)]
    bodies = [orjson.dumps({"name": name}) for name in names]
    writes = [post(body, "Connection: close") for body in bodies]
    with locked(url, server.stack):
        end = time.monotonic() + LOCK_SECONDS
        clients.loading.call(together, server.port, writes)
        clients.loading.begun()
        clients.loading.tell()
        time.sleep(0.5)  # until all that the service takes are blocked
        clients.probing.call(probe, server.port, PROBES, 0, 20)
        time.sleep(max(end - time.monotonic(), 0))
    recovery = recover(server.port)
    answers: list[Answer] = clients.loading.result()
    seen = clients.probing.result()

    page = requests.get(f"{server.url}/lists?limit=1000", timeout=ANSWER_SECONDS).json()
    stored = Counter(each["name"] for each in page)
    acknowledged = [name for name, each in zip(names, answers, strict=True) if each.status == 201]
    once = sum(stored[name] == 1 for name in acknowledged)
    unasked = sum(stored[name] for name in set(names) - set(acknowledged))
    well = sum(each.status in (201, 503) and not each.fault for each in answers)
    counts = (
        f"{well} of {count} writers got one answer of 201 or 503; {once} of the "
        f"{len(acknowledged)} lists that were acknowledged exist, and {unasked} of the others"
    )
    right = well == count and once == len(acknowledged) and not unasked
    return Outcome(seen | {"POST /lists": answers}, recovery, [counts], [] if right else [counts])


@contextmanager
def locked(url: str, stack: Stack) -> Iterator[None]:
    """Nobody else can write to the lists during the block."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
    else:
        with closing(psycopg2.connect(url)) as connection:
            connection.cursor().execute(f"LOCK TABLE {stack.lists} IN EXCLUSIVE MODE")
            yield


def held_connections(
    count: int, data: bytes, clients: Clients, server: Server, url: str
) -> Outcome:
    """Connections on which nothing happens after ``data``."""
    clients.loading.call(hold, server.port, count, data)
    clients.loading.begun()
    clients.probing.call(probe, server.port, PROBES, 0.05, 100)
    seen = clients.probing.result()
    clients.loading.tell()
    connected, closed = clients.loading.result()
    notes = [
        f"when the probes had ended, the service had closed {closed.total()} of {connected} "
        f"connections, {closed[0]} of them without an answer"
    ]
    if connected < count:
        notes.append(f"{count - connected} clients could not connect")
    return Outcome(seen, recover(server.port), notes)


def crowd(count: int, rounds: int, clients: Clients, server: Server, url: str) -> Outcome:
    """Clients that ask at the same moment; the longest recovery of all rounds counts."""
    asked = f"GET {PAGE}"
    seen: dict[str, list[Answer]] = {path: [] for path in [*PROBES, asked]}
    recovery = 0.0
    for _ in range(rounds):
        reads = [request("GET", PAGE, "Connection: close")] * count
        clients.loading.call(together, server.port, reads)
        clients.loading.begun()
        clients.probing.call(probe, server.port, PROBES, 0.05)
        clients.loading.tell()
        seen[asked] += clients.loading.result()
        clients.probing.tell()
        recovery = max(recovery, recover(server.port))
        for path, answers in clients.probing.result().items():
            seen[path] += answers
    return Outcome(seen, recovery)


def sustained(connections: int, clients: Clients, server: Server, url: str) -> Outcome:
    """Connections whose clients ask again as soon as they have an answer."""
    clients.loading.call(sustain, server.port, request("GET", PAGE), connections, LOAD_SECONDS)
    return during_load(f"GET {PAGE}", 0.1, clients, server)


def dripping(connections: int, clients: Clients, server: Server, url: str) -> Outcome:
    """Requests that come byte by byte. Few probes, since they take processor time as well."""
    clients.loading.call(drip, server.port, connections, LONG_HEAD, DRIP_RATE)
    return during_load("the long requests", 0.25, clients, server)


def during_load(asked: str, interval: float, clients: Clients, server: Server) -> Outcome:
    """Probe until the load ends by itself."""
    clients.loading.begun()
    clients.probing.call(probe, server.port, PROBES, interval)
    answers: list[Answer] = clients.loading.result()
    clients.probing.tell()
    recovery = recover(server.port)
    return Outcome(clients.probing.result() | {asked: answers}, recovery)


SCENARIOS: dict[str, Scenario] = {
    "idle": idle,
    "4 blocked writers": partial(blocked_writers, 4),
    "8 blocked writers": partial(blocked_writers, 8),
    "12 blocked writers": partial(blocked_writers, 12),
    "64 half requests": partial(held_connections, 64, HALF),
    "256 half requests": partial(held_connections, 256, HALF),
    "2,200 idle connections": partial(held_connections, 2200, b""),
    "1,500 clients at once": partial(crowd, 1500, 3),
    "200 clients for 10 s": partial(sustained, 200),
    "8 requests byte by byte": partial(dripping, 8),
}


def recover(port: int) -> float:
    """Seconds until one list is read quickly; infinite if that takes too long."""
    start = time.monotonic()
    while (began := time.monotonic()) < start + RECOVERY_SECONDS:
        answer = asyncio.run(exchange(port, request("GET", READ, "Connection: close")))
        if answer.status == 200 and answer.seconds < QUICK:
            return began - start
        time.sleep(0.01)
    return math.inf


def processor_seconds(server: Server) -> dict[int, float]:
    """What each worker has used so far, by its process."""
    workers = psutil.Process(server.process.pid).children()
    times = {worker.pid: worker.cpu_times() for worker in workers}
    return {worker: used.user + used.system for worker, used in times.items()}


def wait_for_workers(server: Server) -> None:
    """All of them: the first answers before the others are forked."""
    count = int(server.stack.environment["WEB_CONCURRENCY"])
    end = time.monotonic() + START_SECONDS
    while len(processor_seconds(server)) != count:
        if time.monotonic() > end:
            raise RuntimeError(f"{server.stack.name} does not have {count} workers")
        time.sleep(0.05)


def observe(name: str, clients: Clients, server: Server, url: str) -> Observation:
    before = processor_seconds(server)
    outcome = SCENARIOS[name](clients, server, url)
    after = processor_seconds(server)
    if before.keys() != after.keys():
        outcome = outcome._replace(faults=[*outcome.faults, "a worker was replaced"])
    used = sum(seconds - before.get(worker, 0) for worker, seconds in after.items())
    wait_for_workers(server)
    return Observation(name, server, outcome, used)


def measure(
    kind: str, names: list[str], compared: list[Stack], clients: Clients, core: int
) -> list[Observation]:
    """Each scenario on one database, with each stack in turn."""
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="tasklists-bench-") as folder,
        databases(kind, Path(folder) / kind) as available,
        ExitStack() as running,
    ):
        servers = {}
        for number, stack in enumerate(compared):
            url = available.make(f"stack_{number}")
            server = running.enter_context(Server(stack, url, core))
            wait_for_workers(server)
            fill(url, stack, LISTS)
            servers[server] = url
        for name in names:
            for server, url in servers.items():
                print(f"{kind}, {name}: {server.stack.name}", flush=True)
                found.append(observe(name, clients, server, url))
    return found


def markdown(kind: str, observations: list[Observation]) -> str:
    """A table of the answers and one of what else there is to say of each scenario."""
    several = len({each.server for each in observations}) > 1
    answers = [
        f"## {kind}\n",
        "| scenario | request | sent | median, ms | p99, ms | max, ms "
        "| 503 | slowest 503, ms | no answer |",
        f"| --- | --- {'| ---: ' * 7}|",
    ]
    facts = [
        "| scenario | processor time of the workers, s | recovery, s | notes |",
        "| --- | ---: | ---: | --- |",
    ]
    for each in observations:
        name = f"{each.scenario}, {each.server.stack.name}" if several else each.scenario
        notes = list(each.outcome.notes)
        for asked, received in each.outcome.answers.items():
            label = f"GET {asked}" if asked in PROBES else asked
            answers.append(f"| {name} | {label} | {' | '.join(figures(received))} |")
            if others := unusual(received):
                notes.append(f"{label}: {others}")
        recovery = each.outcome.recovery
        facts.append(
            f"| {name} | {each.processor_seconds:.2f} "
            f"| {'none' if recovery == math.inf else f'{recovery:.2f}'} | {'; '.join(notes)} |"
        )
    return "\n".join([*answers, "", *facts, ""])


def figures(answers: list[Answer]) -> list[str]:
    """How many there are, times of those that succeeded, and how many did not."""
    succeeded = sorted(each.seconds for each in answers if 200 <= each.status < 300)
    refused = [each.seconds for each in answers if each.status == 503]
    times = ["", "", ""]
    if succeeded:
        longest = percentile(succeeded, 99), succeeded[-1]
        times = [milliseconds(t) for t in (median(succeeded), *longest)]
    slowest = milliseconds(max(refused)) if refused else ""
    unanswered = sum(each.status == 0 for each in answers)
    return [f"{len(answers):,}", *times, f"{len(refused):,}", slowest, f"{unanswered:,}"]


def percentile(ascending: list[float], percent: int) -> float:
    return ascending[math.ceil(len(ascending) * percent / 100) - 1]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f}" if seconds < 0.1 else f"{seconds * 1e3:,.0f}"


def unusual(answers: list[Answer]) -> str:
    """Statuses that have no column, and what was wrong with an answer or kept it away."""
    counts = Counter(each.fault for each in answers if each.fault)
    counts.update(
        str(each.status)
        for each in answers
        if each.status not in (0, 503) and not 200 <= each.status < 300
    )
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def as_it_runs(stack: Stack) -> Stack:
    """With its own numbers of workers and threads, on this interpreter's packages."""
    variables = {"WEB_CONCURRENCY": "2", "THREADS": "4", "PORT": "{port}"}
    return stack._replace(
        command=(sys.executable, *stack.command[1:]),
        prepare=(sys.executable, *stack.prepare[1:]),
        environment=variables,
    )


def main() -> int | str:
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__)
    parser.add_argument(
        "--beside", metavar="FOLDER", type=Path, help="also this service as it is in FOLDER"
    )
    parser.add_argument(
        "--only", metavar="SCENARIO", nargs="+", choices=SCENARIOS, help="only these scenarios"
    )
    parser.add_argument("--database", choices=[SQLITE, POSTGRESQL], help="only this database")
    arguments = parser.parse_args()
    try:
        server_core, load_core = cores()
    except LookupError as error:
        return f"bench: {error}"
    if lacking := missing({"taskset": "util-linux"}):
        return f"bench: {lacking[0]}"
    # What is started from here inherits this; the servers are then put on their own core.
    os.sched_setaffinity(0, {load_core})

    compared = [as_it_runs(service(SERVICE, ROOT))]
    if arguments.beside:
        compared.append(as_it_runs(beside(arguments.beside.resolve())))
        # `make` has collected those of this checkout; the service does not start without them.
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"],
            cwd=arguments.beside,
            env=environment({}),
            check=True,
        )
    names = arguments.only or list(SCENARIOS)
    kinds = [arguments.database] if arguments.database else [SQLITE, POSTGRESQL]
    faults = []
    with Apart() as probing, Apart() as loading:
        for kind in kinds:
            found = measure(kind, names, compared, Clients(probing, loading), server_core)
            print(f"\n{markdown(kind, found)}", flush=True)
            faults += [
                f"bench: {each.scenario} on {kind}, {each.server.stack.name}: {fault}"
                for each in found
                for fault in each.outcome.faults
            ]
    return "\n".join(faults) or 0


if __name__ == "__main__":
    sys.exit(main())
