"""The databases of a run: PostgreSQL that pip installed, and SQLite files."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg2

from bench.stacks import Stack
from tests.postgresql import PostgreSQL
from tests.process import sqlite_url

POSTGRESQL = "PostgreSQL"
SQLITE = "SQLite"

TASKS_PER_LIST = 100
LIST_COLUMNS = "id, name, created_at, updated_at, version"
TASK_COLUMNS = 'id, list_id, title, completed_at, due, "order", created_at, updated_at, version'
DUE = "2027-02-28"


class Databases:
    """Makes empty databases of one kind; ``server`` is PostgreSQL's URL."""

    def __init__(self, kind: str, folder: Path, server: str) -> None:
        self.kind = kind
        self.folder = folder
        self.server = server

    def make(self, name: str) -> str:
        """The URL of a new database."""
        if self.kind == SQLITE:
            return sqlite_url(self.folder / f"{name}.sqlite3")
        with closing(psycopg2.connect(self.server)) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {name}")
        return urlsplit(self.server)._replace(path=f"/{name}").geturl()


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Databases]:
    """Databases that go with the block; SQLite's are in ``folder``."""
    if kind == SQLITE:
        folder.mkdir()
        yield Databases(kind, folder, "")
    else:
        with PostgreSQL() as server:
            yield Databases(kind, folder, server.url)


def fill(url: str, stack: Stack, lists: int, *, with_tasks: bool = False) -> None:
    """Make the tables hold lists 1 to ``lists`` at version 1, and nothing else.

    With tasks, each list has TASKS_PER_LIST of them, by id in the order of the lists. Every
    third is completed, every second is due.
    """
    tasks = lists * TASKS_PER_LIST if with_tasks else 0
    if url.startswith("sqlite"):
        _fill_sqlite(unquote(url.removeprefix("sqlite:///")), stack, lists, tasks)
    else:
        _fill_postgresql(url, stack, lists, tasks)


def _tables(
    stack: Stack, lists: int, tasks: int, now: str, due: str
) -> list[tuple[str, str, int, str]]:
    """Of each table its name, its columns, how many rows it gets and what to select for row n."""
    tables = [(stack.lists, LIST_COLUMNS, lists, f"n, 'list ' || n, {now}, {now}, 1")]
    if stack.tasks:
        parent = f"(n - 1) / {TASKS_PER_LIST} + 1"
        completed_at = f"CASE WHEN n % 3 = 0 THEN {now} END"
        due = f"CASE WHEN n % 2 = 0 THEN {due} END"
        order = f"(n - 1) % {TASKS_PER_LIST} + 1"
        task = f"n, {parent}, 'task ' || n, {completed_at}, {due}, {order}, {now}, {now}, 1"
        tables.append((stack.tasks, TASK_COLUMNS, tasks, task))
    return tables


def _fill_postgresql(url: str, stack: Stack, lists: int, tasks: int) -> None:
    tables = _tables(stack, lists, tasks, "clock_timestamp()", f"DATE '{DUE}'")
    names = ", ".join(name for name, *_ in tables)
    with closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        # In one transaction: the load before may have left a create on its way.
        with connection:
            cursor.execute(f"TRUNCATE {names} RESTART IDENTITY")
            for name, columns, rows, values in tables:
                series = f"generate_series(1, {rows}) AS n"
                cursor.execute(f"INSERT INTO {name} ({columns}) SELECT {values} FROM {series}")
                sequence = f"pg_get_serial_sequence('{name}', 'id')"
                cursor.execute(f"SELECT setval({sequence}, {rows + 1}, false)")
        connection.autocommit = True
        cursor.execute(f"VACUUM ANALYZE {names}")


def _fill_sqlite(path: str, stack: Stack, lists: int, tasks: int) -> None:
    now = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '123'"
    tables = _tables(stack, lists, tasks, now, f"'{DUE}'")
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        for name, *_ in reversed(tables):
            connection.execute(f"DELETE FROM {name}")
        for name, columns, rows, values in tables:
            connection.execute(
                "WITH RECURSIVE numbers(n) AS"
                f" (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})"
                f" INSERT INTO {name} ({columns}) SELECT {values} FROM numbers WHERE n <= {rows}"
            )
