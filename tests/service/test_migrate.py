"""``manage.py migrate``: any number at once, on a database that may come late."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from tests.load import eventually
from tests.postgresql import PostgreSQL
from tests.process import free_port, manage, sqlite_url, start
from tests.wire import HANG

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as postgresql:
        yield postgresql


def test_several_at_once_apply_each_migration_once(database_url: str) -> None:
    migrations = [start("migrate", DATABASE_URL=database_url) for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0] for process in migrations]
    assert [process.returncode for process in migrations] == [0] * 4, outputs
    assert sum("Applying tasklists.0001_initial... OK" in output for output in outputs) == 1
    assert sum("No migrations to apply." in output for output in outputs) == 3


def test_a_migration_that_fails_is_named_and_leaves_the_way_free(
    database_url: str, execute: Callable[[str], None]
) -> None:
    execute("CREATE TABLE tasklists_tasklist (other integer)")
    failed = manage("migrate", DATABASE_URL=database_url)
    assert failed.returncode == 1
    [line] = failed.stderr.splitlines()
    assert line.startswith("CommandError: migration tasklists.0001_initial failed: ")
    assert "already exists" in line
    execute("DROP TABLE tasklists_tasklist")
    again = manage("migrate", DATABASE_URL=database_url)
    assert again.returncode == 0, again.stderr


def until(process: subprocess.Popen[str], text: str) -> None:
    """Read what the process prints until this text comes."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return
    raise AssertionError(f"{text!r} is not in {lines}")


WAITING = "waiting for another process that migrates the database"


@on_postgresql
def test_it_waits_for_another_without_a_transaction(database_url: str) -> None:
    """An index that another process builds would wait for the transaction, until one is ended."""
    with closing(psycopg2.connect(database_url)) as other, other.cursor() as cursor:
        other.autocommit = True
        cursor.execute("SELECT pg_advisory_lock(%s)", [settings.MIGRATION_LOCK])
        process = start("migrate", DATABASE_URL=database_url, DATABASE_STATEMENT_TIMEOUT="1")
        until(process, WAITING)
        cursor.execute("CREATE TABLE big AS SELECT generate_series(1, 1000) AS n")
        cursor.execute("CREATE INDEX CONCURRENTLY ON big (n)")
        assert process.poll() is None
        cursor.execute("SELECT pg_advisory_unlock(%s)", [settings.MIGRATION_LOCK])
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output


@on_postgresql
@pytest.mark.parametrize("ends", [True, False])
def test_requests_go_on_while_it_waits_for_a_table(database_url: str, ends: bool) -> None:
    """A transaction that reads for long, as a backup does, holds up the migration alone."""
    assert manage("migrate", "tasklists", "0001", DATABASE_URL=database_url).returncode == 0
    with (
        closing(psycopg2.connect(database_url)) as long,
        closing(psycopg2.connect(database_url)) as request,
    ):
        long.cursor().execute("SELECT * FROM tasklists_tasklist")
        process = start("migrate", DATABASE_URL=database_url, DATABASE_WAIT="600" if ends else "0")
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        refused = "waiting for a transaction" if ends else "lock timeout"
        assert any(refused in line for line in lines)
        cursor = request.cursor()
        cursor.execute("SET statement_timeout = '20s'")
        cursor.execute("SELECT count(*) FROM tasklists_tasklist")
        long.rollback()
        request.rollback()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == (0 if ends else 1), output


@on_postgresql
def test_it_waits_for_a_database_that_comes_late(server: PostgreSQL) -> None:
    server.stop()
    process = start("migrate", DATABASE_URL=server.url)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert "waiting for the database" in first
    server.start()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output


@on_postgresql
@pytest.mark.parametrize("path", ["/tasklists", "/none"])
def test_migrate_gives_up_after_database_wait(database_url: str, path: str) -> None:
    urls = {
        "/tasklists": f"postgresql://user:secret@127.0.0.1:{free_port()}/tasklists",
        "/none": database_url.replace("/service_", "/none_"),
    }
    result = manage("migrate", DATABASE_URL=urls[path], DATABASE_WAIT="0")
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("CommandError: the database is unavailable: ")
    assert "secret" not in line


def test_a_file_that_is_no_database_ends_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("This is not a database.\n" * 100)
    failed = manage("migrate", DATABASE_URL=sqlite_url(tmp_path / "notes.txt"))
    assert failed.returncode == 1
    [line] = failed.stderr.splitlines()
    where = tmp_path / "notes.txt"
    assert line == f"CommandError: the database {where} is unavailable: file is not a database"


@on_postgresql
def test_past_a_pooler_it_uses_the_direct_connection(database_url: str) -> None:
    pooler = f"postgresql://127.0.0.1:{free_port()}/pooled"  # nobody listens there
    result = manage("migrate", DATABASE_URL=pooler, MIGRATION_DATABASE_URL=database_url)
    assert result.returncode == 0, result.stderr
    with closing(psycopg2.connect(database_url)) as direct, direct.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tasklists_tasklist")
        assert cursor.fetchone() == (0,)


@on_postgresql
def test_a_connection_that_is_lost_ends_it_in_one_line(server: PostgreSQL) -> None:
    with closing(psycopg2.connect(server.url)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [settings.MIGRATION_LOCK])
        process = start("migrate", DATABASE_URL=server.url)
        until(process, WAITING)
        end = threading.Thread(target=server.kill)
        end.start()
        output, _ = process.communicate(timeout=60)
        end.join()
    assert process.returncode == 1
    assert "CommandError: the connection to the database was lost" in output.splitlines()[-1]
    assert "Traceback" not in output


@on_postgresql
def test_a_server_that_ends_within_a_migration_ends_it_in_one_line(server: PostgreSQL) -> None:
    assert manage("migrate", DATABASE_URL=server.url).returncode == 0
    with closing(psycopg2.connect(server.url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE tasklists_tasklist")
        process = start("migrate", "tasklists", "zero", DATABASE_URL=server.url)
        eventually(lambda: is_waiting(server), "a migration to wait for the table")
        server.kill()
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "CommandError: the connection to the database was lost: " in output.splitlines()[-1]
    assert "Traceback" not in output


@on_postgresql
def test_it_can_be_stopped_while_it_waits_for_another(server: PostgreSQL) -> None:
    with closing(psycopg2.connect(server.url)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [settings.MIGRATION_LOCK])
        with start("migrate", DATABASE_URL=server.url) as process:
            until(process, WAITING)
            process.send_signal(signal.SIGTERM)
            assert process.wait(HANG) == 128 + signal.SIGTERM


def is_waiting(server: PostgreSQL) -> bool:
    """Whether a session waits for a lock of another."""
    with closing(psycopg2.connect(server.url)) as watcher, watcher.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return cursor.fetchone() != (0,)
