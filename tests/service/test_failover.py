"""A database that refuses writes: what is answered meanwhile, and that it ends with the cause."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg2
import pytest
import requests
from django.db import Error, OperationalError, connection, connections

from tests.load import Load, eventually, names
from tests.postgresql import PostgreSQL, Standby
from tests.process import Service, start
from tests.service.test_outage import assert_no_defect, assert_unavailable, get
from tests.switch import Switch
from tests.wire import HANG

Serve = Callable[..., Service]

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")


@pytest.fixture(scope="module")
def primary() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


def write(service: Service, key: str | None = None) -> requests.Response:
    url, headers = f"{service.url}/lists", {"Idempotency-Key": key}
    return requests.post(url, json={"name": "a"}, headers=headers, timeout=HANG)


def assert_refused(service: Service) -> None:
    assert_unavailable(write(service))
    ready = get(service, "/health/ready")
    assert_unavailable(ready)
    assert "does not accept writes" in ready.json()["detail"]
    assert get(service, "/health/live").status_code == 200


def set_read_only(server: PostgreSQL, value: str) -> None:
    set_parameter(server, "default_transaction_read_only", value)


def set_parameter(server: PostgreSQL, name: str, value: str) -> None:
    with closing(psycopg2.connect(server.url)) as administrator:
        administrator.autocommit = True
        administrator.cursor().execute(f"ALTER SYSTEM SET {name} = {value}")
        administrator.cursor().execute("SELECT pg_reload_conf()")


@on_postgresql
def test_connections_to_a_standby_are_not_kept(serve: Serve, primary: PostgreSQL) -> None:
    with Standby(primary) as standby, Switch(primary) as switch:
        service = serve(DATABASE_URL=switch.url)
        with Load(service) as load:
            load.wait_for(201, 10)
            switch.lead_to(standby)
            switch.drop()
            load.wait_for(503, 20)  # reads go on, so that each thread has a connection to it
            load.wait_for(200, 20)
            assert_refused(service)
            # The standby goes on as well, and nobody closes the connections that lead to it.
            switch.lead_to(primary)
            assert [write(service).status_code for _ in range(50)] == [201] * 50
            assert get(service, "/health/ready").status_code == 200
        assert all(names(service)[name] == 1 for name in load.acknowledged)
        assert_no_defect(service)
        [away] = [
            r for r in service.records() if r["message"] == "not ready" and r["error"] is None
        ]
        assert "does not accept writes" in away["reason"]


@on_postgresql
def test_a_primary_that_is_read_only_for_a_while(serve: Serve, primary: PostgreSQL) -> None:
    service = serve(DATABASE_URL=primary.url)
    try:
        set_read_only(primary, "on")
        with Load(service) as load:
            load.wait_for(503, 20)
            assert_refused(service)
            set_read_only(primary, "off")
            back = time.monotonic()
            eventually(lambda: write(service).ok, "a write to succeed")
            assert time.monotonic() - back < 2
            assert [write(service).status_code for _ in range(50)] == [201] * 50
    finally:
        set_read_only(primary, "off")
    assert get(service, "/health/ready").status_code == 200
    assert_no_defect(service)


@on_postgresql
def test_migrate_waits_for_a_database_that_accepts_writes(primary: PostgreSQL) -> None:
    set_read_only(primary, "on")
    try:
        process = start("migrate", DATABASE_URL=primary.url)
        assert process.stdout is not None
        first = process.stdout.readline()
    finally:
        set_read_only(primary, "off")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "waiting for the database" in first
    assert "does not accept writes" in first


@on_postgresql
def test_a_repeated_write_is_acknowledged_only_when_a_standby_has_it(serve: Serve) -> None:
    """After a crash, the primary has a row whose commit was still waiting for the standby."""
    with PostgreSQL() as primary:
        service = serve(DATABASE_URL=primary.url, DATABASE_STATEMENT_TIMEOUT="1")
        set_parameter(primary, "synchronous_standby_names", "away")
        assert_unavailable(write(service, key="k"))
        primary.kill()
        primary.start()
        eventually(lambda: names(service)["a"] == 1, "the row to be visible")
        for _ in range(2):  # the first one also advances the sequence, and has to commit that
            assert_unavailable(write(service, key="k"))
        set_parameter(primary, "synchronous_standby_names", "''")
        assert write(service, key="k").status_code == 201
        assert names(service)["a"] == 1


@on_postgresql
@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("25006", False),  # read_only_sql_transaction
        ("57P01", False),  # admin_shutdown, from behind a pooler that keeps the connection
        ("08006", False),  # connection_failure
        ("57014", True),  # query_canceled
        ("40001", True),  # serialization_failure
        ("53100", True),  # disk_full, which is so for every connection
    ],
)
def test_errors_after_which_a_connection_is_closed(
    transactional_db: None, code: str, kept: bool
) -> None:
    server = connections.create_connection("default")
    with closing(server):
        with server.cursor() as cursor, pytest.raises(Error):
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$")
        server.close_if_unusable_or_obsolete()
        assert (server.connection is not None) == kept
        with server.cursor() as cursor:
            cursor.execute("SELECT 1")
        server.close_if_unusable_or_obsolete()
        assert server.connection is not None


@on_sqlite
def test_a_file_that_was_opened_read_only_is_opened_again(transactional_db: None) -> None:
    kept = connections.create_connection("default")
    kept.settings_dict = connection.settings_dict | {"CONN_MAX_AGE": 60}
    statement = "CREATE TABLE made (id integer)"
    with kept.cursor() as cursor:
        # As a file system that is read-only when the connection opens the file.
        cursor.execute("PRAGMA query_only = ON")
        with pytest.raises(OperationalError, match="readonly"):
            cursor.execute(statement)
    kept.close_if_unusable_or_obsolete()
    with kept.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("DROP TABLE made")
    kept.close()
