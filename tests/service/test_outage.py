"""A database that is away is answered with 503; when it is back, so is the service."""

import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django.db import connection

from tests.load import Load, eventually, names
from tests.postgresql import PostgreSQL
from tests.process import Service, manage, sqlite_url
from tests.wire import HANG

Serve = Callable[..., Service]

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")


def get(service: Service, path: str) -> requests.Response:
    return requests.get(service.url + path, timeout=HANG)


def assert_unavailable(answer: requests.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 503
    assert int(answer.headers["Retry-After"]) >= 1


def assert_only_unavailable(load: Load) -> None:
    """All that is not a success says that the database is away."""
    for answer in load.answers:
        if answer.status_code not in (200, 201):
            assert_unavailable(answer)


def assert_no_defect(service: Service) -> None:
    assert not [line for line in service.records() if "exception" in line]


@pytest.fixture
def database() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@on_postgresql
@pytest.mark.parametrize("end", [PostgreSQL.stop, PostgreSQL.kill], ids=["stopped", "killed"])
def test_a_database_that_ends_and_starts_again_loses_nothing(
    serve: Serve, database: PostgreSQL, end: Callable[[PostgreSQL], None]
) -> None:
    service = serve(DATABASE_URL=database.url)
    workers = service.workers()
    with Load(service) as load:
        for _ in range(2):
            load.wait_for(201, 10)
            assert get(service, "/health/ready").status_code == 200
            end(database)
            load.wait_for(503, 10)
            assert get(service, "/health/live").status_code == 200
            assert_unavailable(get(service, "/health/ready"))
            database.start()
            load.wait_for(201, 10)
            assert get(service, "/health/ready").status_code == 200
    assert_only_unavailable(load)
    found = names(service)
    assert all(found[name] == 1 for name in load.acknowledged)
    assert max(found.values()) == 1
    assert service.workers() == workers
    assert_no_defect(service)


@on_postgresql
def test_after_an_error_a_connection_is_looked_at_as_before(
    serve: Serve, execute: Callable[[str], None]
) -> None:
    service = serve(WEB_CONCURRENCY="1", THREADS="1")
    execute("ALTER TABLE tasklists_tasklist RENAME TO elsewhere")
    assert_unavailable(get(service, "/lists"))
    execute("ALTER TABLE elsewhere RENAME TO tasklists_tasklist")
    execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert get(service, "/lists").status_code == 200


@on_postgresql
def test_a_frozen_database_holds_nobody_for_long(serve: Serve, database: PostgreSQL) -> None:
    service = serve(
        DATABASE_URL=database.url, DATABASE_STATEMENT_TIMEOUT="1", DATABASE_CONNECT_TIMEOUT="1"
    )
    with Load(service) as load:
        load.wait_for(201, 10)
        database.freeze()
        try:
            load.wait_for(503, 10)
            assert get(service, "/health/live").status_code == 200
            ready = get(service, "/health/ready")
        finally:
            database.thaw()
        assert_unavailable(ready)
        load.wait_for(201, 10)
    assert_only_unavailable(load)
    found = names(service)
    assert all(found[name] == 1 for name in load.acknowledged)
    assert max(found.values()) == 1
    assert get(service, "/health/ready").status_code == 200
    assert_no_defect(service)


@on_postgresql
def test_no_question_of_readiness_waits_for_a_frozen_database(
    serve: Serve, database: PostgreSQL
) -> None:
    service = serve(DATABASE_URL=database.url, WEB_CONCURRENCY="1", DATABASE_CONNECT_TIMEOUT="30")
    database.freeze()
    try:
        with ThreadPoolExecutor(3) as clients:
            answers = list(clients.map(lambda _: get(service, "/health/ready"), range(3)))
    finally:
        database.thaw()
    for answer in answers:
        assert_unavailable(answer)
        assert answer.json()["detail"] == "The database did not answer within 2 s."
    eventually(lambda: get(service, "/health/ready").ok, "the service to be ready again")


@on_sqlite
def test_a_full_disk_is_answered_with_503(serve: Serve) -> None:
    service = serve()
    workers = service.workers()
    for worker in workers:
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    with Load(service, clients=1) as load:
        load.wait_for(503, 5)
        for worker in workers:
            resource.prlimit(
                worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
        load.wait_for(201, 5)
    assert_only_unavailable(load)
    assert all(names(service)[name] == 1 for name in load.acknowledged)
    assert_no_defect(service)


@on_sqlite
def test_a_file_that_cannot_be_written_is_answered_with_503(tmp_path: Path) -> None:
    file = tmp_path / "service.sqlite3"
    url = sqlite_url(file)
    assert manage("migrate", DATABASE_URL=url).returncode == 0
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as header:
        # Byte 18 is the format's version for writers; a greater one than SQLite's own makes
        # a file read-only to every user, root included: https://www.sqlite.org/fileformat.html
        header.seek(18)
        header.write(b"\x03")
    variables = {"DATABASE_URL": url, "MIGRATE": "never"}
    with Service(variables, awaited="/health/live") as service:
        assert_unavailable(requests.post(f"{service.url}/lists", json={"name": "a"}, timeout=HANG))
        assert get(service, "/lists").status_code in (200, 503)
        ready = get(service, "/health/ready")
        assert_unavailable(ready)
        assert "does not accept writes" in ready.json()["detail"]
        assert get(service, "/health/live").status_code == 200
        assert_no_defect(service)


@on_sqlite
def test_a_folder_that_is_removed_is_answered_with_503(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    # Each request opens the file, as the first one after a volume is lost does.
    service = serve(DATABASE_URL=sqlite_url(folder / "db.sqlite3"), DATABASE_CONN_MAX_AGE="0")
    shutil.rmtree(folder)
    assert_unavailable(get(service, "/lists"))
    assert_unavailable(requests.post(f"{service.url}/lists", json={"name": "a"}, timeout=HANG))
    assert_unavailable(get(service, "/health/ready"))
    assert get(service, "/health/live").status_code == 200
    folder.mkdir()
    assert manage("migrate", DATABASE_URL=service.variables["DATABASE_URL"]).returncode == 0
    eventually(lambda: get(service, "/lists").ok, "the service to find its new database")
    assert_no_defect(service)


@on_sqlite
def test_a_file_that_is_no_database_is_answered_with_503(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "service.sqlite3"
    url = sqlite_url(file)
    service = serve(DATABASE_URL=url, DATABASE_CONN_MAX_AGE="0")
    whole = file.read_bytes()
    # Another file, and a copy that was cut off.
    for damage in (b"something else" * 1000, whole[: len(whole) // 2]):
        file.write_bytes(damage)
        assert_unavailable(get(service, "/lists"))
        assert_unavailable(requests.post(f"{service.url}/lists", json={"name": "a"}, timeout=HANG))
        assert_unavailable(get(service, "/health/ready"))
    assert get(service, "/health/live").status_code == 200
    file.write_bytes(whole)
    eventually(lambda: get(service, "/lists").ok, "the service to find its database again")
    assert_no_defect(service)
