"""Indexes are built while the service is in use, and whatever interrupts that is repaired."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from tests.load import eventually
from tests.process import manage, start

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")

INSERT = """INSERT INTO tasklists_tasklist (name, created_at, updated_at, version)
    VALUES ('shopping', now(), now(), 1)"""
INDEXES = ["lists_by_name", "lists_by_part_of_name"]


@pytest.fixture
def sql(database_url: str) -> Iterator[Callable[[str], Any]]:
    """Executes a statement on its own, and returns its rows if it has any."""
    with closing(psycopg2.connect(database_url)) as session, session.cursor() as cursor:
        session.autocommit = True

        def execute(statement: str) -> Any:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None

        yield execute


@pytest.fixture
def writer(database_url: str) -> Iterator[Any]:
    """A transaction that has written, on a database whose indexes are not built yet."""
    assert manage("migrate", "tasklists", "0004", DATABASE_URL=database_url).returncode == 0
    with closing(psycopg2.connect(database_url)) as session:
        session.cursor().execute(INSERT)
        yield session


def is_waiting(sql: Callable[[str], Any]) -> bool:
    """Whether an index waits for a transaction, for longer than migrations wait for a table."""
    waiting = """SELECT count(*) FROM pg_stat_activity
        WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'
        AND datname = current_database() AND now() - query_start > interval '2.5 s'"""
    return bool(sql(waiting)[0][0])


def indexes(sql: Callable[[str], Any]) -> list[tuple[str, bool, int]]:
    """The name of each index of the migration, whether it is valid, and its identity."""
    return sql(  # type: ignore[no-any-return]
        """SELECT relname, indisvalid, oid::int FROM pg_index JOIN pg_class ON oid = indexrelid
        WHERE relname LIKE 'lists_by_%' ORDER BY relname"""
    )


def are_valid(sql: Callable[[str], Any]) -> bool:
    return [each[:2] for each in indexes(sql)] == [(name, True) for name in INDEXES]


def test_others_write_while_an_index_is_built(
    database_url: str, sql: Callable[[str], Any], writer: Any
) -> None:
    process = start("migrate", DATABASE_URL=database_url)
    eventually(lambda: is_waiting(sql), "the index to wait for the writer")
    sql("SET statement_timeout = '5s'")
    sql(INSERT)
    writer.commit()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert are_valid(sql)


def kill_a_migration(database_url: str, sql: Callable[[str], Any]) -> None:
    """Start a migration, and kill its process while the index waits for the writer."""
    process = start("migrate", DATABASE_URL=database_url)
    eventually(lambda: is_waiting(sql), "the index to wait for the writer")
    process.kill()
    process.communicate()


def test_what_a_killed_migration_left_is_built_anew(
    database_url: str, sql: Callable[[str], Any], writer: Any
) -> None:
    kill_a_migration(database_url, sql)
    sql(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE query LIKE 'CREATE INDEX%' AND datname = current_database()"
    )
    writer.commit()
    assert [each[:2] for each in indexes(sql)] == [("lists_by_name", False)]
    again = manage("migrate", DATABASE_URL=database_url)
    assert again.returncode == 0, again.stderr
    assert are_valid(sql)


def test_what_a_killed_migration_has_completed_is_kept(
    database_url: str, sql: Callable[[str], Any], writer: Any
) -> None:
    """The server goes on building; it notices only afterwards that its client is gone."""
    kill_a_migration(database_url, sql)
    building = indexes(sql)
    writer.commit()
    again = manage("migrate", DATABASE_URL=database_url)
    assert again.returncode == 0, again.stderr
    assert are_valid(sql)
    assert indexes(sql)[0][2] == building[0][2]


def test_a_pod_of_an_older_version_may_start_meanwhile(
    database_url: str, sql: Callable[[str], Any], writer: Any
) -> None:
    """It waits for the lock of migrations in a transaction, for which the index waits."""
    process = start("migrate", DATABASE_URL=database_url)
    eventually(lambda: is_waiting(sql), "the index to wait for the writer")

    def migrate_as_before() -> None:
        with closing(psycopg2.connect(database_url)) as older:
            older.autocommit = True
            older.cursor().execute("SELECT pg_advisory_lock(%s)", [settings.MIGRATION_LOCK])

    older = threading.Thread(target=migrate_as_before)
    older.start()
    # After a second PostgreSQL has looked whether its wait is a deadlock. So it is the index that
    # is cancelled; the other way round, the older Pod ends, and Kubernetes starts it again.
    waits = """SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'
        AND datname = current_database() AND now() - query_start > interval '1.5 s'"""
    eventually(lambda: sql(waits)[0][0], "the older version to wait for the lock")
    writer.commit()
    output, _ = process.communicate(timeout=60)
    older.join()
    assert process.returncode == 0, output
    assert "deadlock detected" in output
    assert are_valid(sql)
