"""The databases of a run: PostgreSQL that pip installed, and SQLite files."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

from tests.postgresql import PostgreSQL

POSTGRESQL = "PostgreSQL"
SQLITE = "SQLite"

COLUMNS = "id, name, created_at, updated_at, version"


class Databases:
    """Makes empty databases of one kind; ``server`` is PostgreSQL's URL."""

    def __init__(self, kind: str, folder: Path, server: str) -> None:
        self.kind = kind
        self.folder = folder
        self.server = server

    def make(self, name: str) -> str:
        """The URL of a new database."""
        if self.kind == SQLITE:
            return f"sqlite:///{self.folder / name}.sqlite3"
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


def fill(url: str, table: str, rows: int) -> None:
    """Make ``table`` hold lists 1 to ``rows`` at version 1, and no others."""
    if url.startswith("sqlite"):
        _fill_sqlite(url.removeprefix("sqlite:///"), table, rows)
    else:
        _fill_postgresql(url, table, rows)


def _fill_postgresql(url: str, table: str, rows: int) -> None:
    with closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        # In one transaction: the load before may have left a create on its way.
        with connection:
            cursor.execute(f"TRUNCATE {table} RESTART IDENTITY")
            cursor.execute(
                f"INSERT INTO {table} ({COLUMNS})"
                " SELECT n, 'list ' || n, clock_timestamp(), clock_timestamp(), 1"
                f" FROM generate_series(1, {rows}) AS n"
            )
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {rows})")
        connection.autocommit = True
        cursor.execute(f"VACUUM ANALYZE {table}")


def _fill_sqlite(path: str, table: str, rows: int) -> None:
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute(f"DELETE FROM {table}")
        now = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '123'"
        connection.execute(
            f"WITH RECURSIVE numbers(n) AS"
            f" (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})"
            f" INSERT INTO {table} ({COLUMNS}) SELECT n, 'list ' || n, {now}, {now}, 1 FROM numbers"
        )
