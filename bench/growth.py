"""How the time of a request grows with the tables: ``make bench-growth``.

Each size has a database and a server of its own, and the sizes take turns, so that a disturbance
of the machine affects all of them alike.
"""

import argparse
import os
import random
import re
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import orjson
import psycopg2

from bench.clients import ANSWER_SECONDS, HOST
from bench.databases import POSTGRESQL, TASKS_PER_LIST, Databases, databases, fill
from bench.load import load
from bench.server import Server, cores, missing
from bench.stacks import PLAIN_DRF, ROOT, SERVICE, Stack, beside, service, stacks
from tests.wire import request

PAGE = 100

SIZES = [1_000, 100_000, 10_000_000]
ROUNDS = 30
REQUESTS = 20  # of each operation for each size, one after the other, in a round
RARE = 10  # lists that have a rare word in their name, at every size
OPEN = 100  # tasks of the long list that are not completed; they are its last ones

# The columns, and the values of row number n, so that a deleted row can be inserted again. List
# ``rows`` + 1 is the long list, which has the second half of the tasks.
LISTS = (
    "id, name, created_at, updated_at, version",
    f"""n, CASE WHEN n % ({{rows}} / {RARE}) = 7 THEN 'xylophone ' WHEN n % 100 = 0
    THEN 'groceries ' ELSE 'list ' END || n, now(), now(), 1""",
)
TASKS = (
    'id, list_id, title, completed_at, "order", created_at, updated_at, version',
    f"""n, CASE WHEN n <= {{rows}} THEN (n - 1) / {TASKS_PER_LIST} ELSE {{rows}} END + 1,
    'task ' || n,
    CASE WHEN CASE WHEN n <= {{rows}} THEN n % 3 = 0 ELSE n <= 2 * {{rows}} - {OPEN} END
    THEN now() END, n, now(), now(), 1""",
)


def pages(stack: str, rows: int) -> dict[str, str]:
    """The paths of the first and the last page of a hundred lists."""
    last = f"?after={rows - PAGE}" if stack == SERVICE else f"?page={rows // PAGE}"
    return {"first": "/lists", "last": f"/lists{last}"}


def measure(
    available: Databases, sizes: list[int], rounds: int, core: int
) -> dict[tuple[str, int, str], float]:
    """Milliseconds by stack, size and page: the median over the rounds of one client's median."""
    samples: dict[tuple[str, int, str], list[float]] = {}
    compared = [stack for stack in stacks() if stack.name in (SERVICE, PLAIN_DRF)]
    with ExitStack() as running:
        servers = []
        for number, stack in enumerate(compared):
            for size in sizes:
                url = available.make(f"growth_{number}_{size}")
                server = running.enter_context(Server(stack, url, core))
                fill(url, stack, size)
                servers.append((server, size))
        for _ in range(rounds):
            for server, size in servers:
                for page, path in pages(server.stack.name, size).items():
                    sample = load(server.url, "path", path, 1, 1)
                    if sample.failures:
                        raise RuntimeError(f"{server.stack.name} fails at {path} of {size} lists")
                    key = (server.stack.name, size, page)
                    samples.setdefault(key, []).append(sample.median)
    return {key: median(values) for key, values in samples.items()}


class Request(NamedTuple):
    method: str
    target: str
    members: dict[str, Any] = {}


class Client:
    """Sends requests on one connection, and does little that takes time itself."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def seconds(self, asked: Request) -> float:
        """The time from the first byte of the request to the last byte of its answer."""
        body = orjson.dumps(asked.members) if asked.members else None
        data = request(asked.method, asked.target, "Content-Type: application/json", body=body)
        start = perf_counter()
        self.socket.sendall(data)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.socket.recv(1 << 20)
        head, _, received = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
        remaining = int(length[1]) - len(received) if length else 0
        while remaining > 0:
            remaining -= len(self.socket.recv(1 << 20))
        seconds = perf_counter() - start
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{asked} is answered with {head!r}")
        return seconds


class Tables:
    """The lists and tasks in a database; chooses which of them a request is about."""

    def __init__(self, stack: Stack, url: str, rows: int) -> None:
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True
        self.rows = rows
        self.long_list = rows + 1
        self.lists, self.tasks = stack.lists, stack.tasks
        self.tables = {stack.lists: (rows + 1, *LISTS), stack.tasks: (2 * rows, *TASKS)}
        self.deleted: dict[str, set[int]] = {stack.lists: set(), stack.tasks: set()}
        self.reversed: Request | None = None
        self.random = random.Random(rows)  # the same requests in each run

    def execute(self, sql: str) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def fill(self) -> None:
        self.execute("SET session_replication_role = replica")  # checks no foreign keys
        self.execute("SET synchronous_commit = off")
        self.execute("SET maintenance_work_mem = '1GB'")
        for table, (last, *_) in self.tables.items():
            with self.without_indexes(table):
                self.insert(table, f"generate_series(1, {last})")
            self.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})")
            self.execute(f"VACUUM ANALYZE {table}")
        self.execute("RESET ALL")
        self.execute("CHECKPOINT")

    def insert(self, table: str, numbers: str) -> None:
        _, columns, values = self.tables[table]
        values = values.format(rows=self.rows)
        self.execute(f"INSERT INTO {table} ({columns}) SELECT {values} FROM {numbers} AS n")

    @contextmanager
    def without_indexes(self, table: str) -> Iterator[None]:
        """Building an index is much faster than adding ten million rows to it."""
        indexes = self.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            f" WHERE indrelid = '{table}'::regclass AND NOT indisprimary"
        )
        for name, _ in indexes:
            self.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            self.execute(definition)

    def restore(self) -> None:
        """Insert what requests have deleted, and delete what they have created."""
        for table, (last, *_) in self.tables.items():
            self.execute(f"DELETE FROM {table} WHERE id > {last}")
            if deleted := self.deleted[table]:
                self.insert(table, f"unnest(ARRAY{sorted(deleted)})")
                deleted.clear()

    def any_list(self) -> int:
        return self.random.randint(1, self.rows)

    def list_with_tasks(self) -> int:
        return self.random.randint(1, self.rows // TASKS_PER_LIST)

    def list_without_tasks(self) -> int:
        return self.random.randint(self.rows // TASKS_PER_LIST + 1, self.rows)

    def task(self) -> int:
        return self.random.randint(1, self.rows)

    def long_task(self) -> int:
        return self.rows + self.task()

    def get(self, target: str) -> Request:
        return Request("GET", target)

    def delete(self, table: str, path: str, choose: Callable[[], int]) -> Request:
        """Of a row that is not deleted yet."""
        while (row := choose()) in self.deleted[table]:
            pass
        self.deleted[table].add(row)
        return Request("DELETE", f"{path}/{row}")

    def complete(self, choose: Callable[[], int]) -> Request:
        """Completes a task or reopens it; every other request takes back the one before."""
        if self.reversed:
            asked, self.reversed = self.reversed, None
            return asked
        task = choose()
        is_short = task <= self.rows
        completed = task % 3 == 0 if is_short else task <= 2 * self.rows - OPEN
        target = f"/tasks/{task}"
        self.reversed = Request("PATCH", target, {"completed": completed})
        return Request("PATCH", target, {"completed": not completed})


OPERATIONS: dict[str, Callable[[Tables], Request]] = {
    "first page of lists": lambda t: t.get("/lists"),
    "last page of lists": lambda t: t.get(f"/lists?after={t.rows - PAGE}"),
    "lists, `name`: one": lambda t: t.get(f"/lists?name=list+{t.any_list()}"),
    "lists, `name__icontains`: none": lambda t: t.get("/lists?name__icontains=zqx"),
    f"lists, `name__icontains`: {RARE}": lambda t: t.get("/lists?name__icontains=XYLO"),
    "lists, `name__icontains`: 10 of 1 %": lambda t: t.get("/lists?name__icontains=GROC&limit=10"),
    "read a list": lambda t: t.get(f"/lists/{t.any_list()}"),
    "create a list": lambda t: Request("POST", "/lists", {"name": f"new {t.random.random()}"}),
    "change a list": lambda t: Request("PATCH", f"/lists/{t.any_list()}", {"name": "changed"}),
    "delete a list": lambda t: t.delete(t.lists, "/lists", t.list_without_tasks),
    "page of 100 tasks": lambda t: t.get(f"/lists/{t.list_with_tasks()}/tasks"),
    "tasks, `completed=false`": lambda t: t.get(
        f"/lists/{t.list_with_tasks()}/tasks?completed=false"
    ),
    "read a task": lambda t: t.get(f"/tasks/{t.task()}"),
    "create a task": lambda t: Request(
        "POST", f"/lists/{t.list_with_tasks()}/tasks", {"title": "new", "due": "2027-02-28"}
    ),
    "change a task": lambda t: Request(
        "PATCH", f"/tasks/{t.task()}", {"title": f"changed {t.random.random()}"}
    ),
    "complete or reopen a task": lambda t: t.complete(t.task),
    "move a task": lambda t: Request("PATCH", f"/tasks/{t.task()}", {"list": t.list_with_tasks()}),
    "delete a task": lambda t: t.delete(t.tasks, "/tasks", t.task),
    "long list: first page": lambda t: t.get(f"/lists/{t.long_list}/tasks"),
    "long list: last page": lambda t: t.get(
        f"/lists/{t.long_list}/tasks?after={2 * t.rows - PAGE},{2 * t.rows - PAGE}"
    ),
    "long list: `completed=false`": lambda t: t.get(f"/lists/{t.long_list}/tasks?completed=false"),
    "long list: create a task": lambda t: Request(
        "POST", f"/lists/{t.long_list}/tasks", {"title": "new"}
    ),
    "long list: complete or reopen a task": lambda t: t.complete(t.long_task),
    "long list: delete a task": lambda t: t.delete(t.tasks, "/tasks", t.long_task),
}

Samples = dict[tuple[str, str, int], list[float]]  # medians by operation, stack and size


def observe(compared: list[Stack], sizes: list[int], rounds: int, core: int) -> Samples:
    """Milliseconds, one sample for each round."""
    samples: Samples = {}
    with (
        tempfile.TemporaryDirectory(prefix="tasklists-bench-") as folder,
        databases(POSTGRESQL, Path(folder)) as available,
        ExitStack() as running,
    ):
        places = []
        for number, stack in enumerate(compared):
            for size in sizes:
                url = available.make(f"growth_{number}_{size}")
                server = running.enter_context(Server(stack, url, core))
                print(f"{stack.name}: making {size:,} rows", file=sys.stderr, flush=True)
                tables = Tables(stack, url, size)
                running.callback(tables.connection.close)
                tables.fill()
                places.append((stack.name, size, tables, Client(server.port)))
        for turn in range(rounds):
            print(f"round {turn + 1} of {rounds}", file=sys.stderr, flush=True)
            for name, ask in OPERATIONS.items():
                for stack_name, size, tables, client in places:
                    seconds = [client.seconds(ask(tables)) for _ in range(REQUESTS)]
                    tables.restore()
                    key = (name, stack_name, size)
                    samples.setdefault(key, []).append(median(seconds) * 1e3)
            # So that none always follows the same other one.
            places = places[1:] + places[:1]
    return samples


def markdown(samples: Samples) -> str:
    """A row for each operation: its time at each size, and the ratio to that at the first size."""
    names = list(dict.fromkeys(stack for _, stack, _ in samples))
    sizes = list(dict.fromkeys(size for *_, size in samples))
    lines = [
        f"| | {' | '.join(f'{size:,} rows, ms' for size in sizes)} "
        f"| {' | '.join(f'{size:,} rows, ratio' for size in sizes[1:])} |",
        f"| --- {'| ---: ' * (2 * len(sizes) - 1)}|",
    ]
    for operation in OPERATIONS:
        for name in names:
            each = [samples[operation, name, size] for size in sizes]
            times = [f"{median(values):.2f}" for values in each]
            ratios = [
                f"{median(later / first for first, later in zip(each[0], values, strict=True)):.2f}"
                for values in each[1:]
            ]
            label = operation if len(names) == 1 else f"{operation}, {name}"
            lines.append(f"| {' | '.join([label, *times, *ratios])} |")
    return "\n".join(lines)


def main() -> int | str:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="multiples of 1,000")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--beside", metavar="FOLDER", type=Path, help="also this service as it is in FOLDER"
    )
    arguments = parser.parse_args()
    try:
        server_core, load_core = cores()
    except LookupError as error:
        return f"bench: {error}"
    if lacking := missing({"taskset": "util-linux"}):
        return f"bench: {lacking[0]}"
    # What is started from here inherits this; the servers are then put on their own core.
    os.sched_setaffinity(0, {load_core})
    compared = [service(SERVICE, ROOT)]
    if arguments.beside:
        compared.append(beside(arguments.beside.resolve()))
    print(markdown(observe(compared, arguments.sizes, arguments.rounds, server_core)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
