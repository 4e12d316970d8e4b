"""``/health/live`` and ``/health/ready``."""

from collections.abc import Callable

import pytest
import requests
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from service.database import refused_writes
from service.health import DatabaseProbe
from tests.process import Service, free_port
from tests.wire import HANG

LIVE_AND_READY = pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/live/"])


@LIVE_AND_READY
@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.django_db(transaction=True)
def test_healthy(client: Client, path: str, method: str) -> None:
    response = getattr(client, method)(path)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"


@LIVE_AND_READY
@pytest.mark.django_db(transaction=True)
def test_health_checks_ignore_allowed_hosts(
    client: Client, settings: LazySettings, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, headers={"Host": "10.0.0.1:5000"}).status_code == 200


@LIVE_AND_READY
def test_health_checks_refuse_post(client: Client, path: str) -> None:
    response = client.post(path)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.django_db(transaction=True)
def test_not_ready_with_an_unapplied_migration(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("tasklists", "0001_initial")
    try:
        response = client.get("/health/ready")
        assert response.status_code == 503
        assert response["Content-Type"] == "application/problem+json"
        assert "manage.py migrate" in response.json()["detail"]
        assert client.get("/health/live").status_code == 200
    finally:
        recorder.record_applied("tasklists", "0001_initial")
    assert client.get("/health/ready").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_ready_with_a_migration_of_a_later_version(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("tasklists", "9999_later")
    try:
        assert client.get("/health/ready").status_code == 200
    finally:
        recorder.record_unapplied("tasklists", "9999_later")


def test_served_by_says_who_answered(client: Client, serve: Callable[..., Service]) -> None:
    assert not client.get("/nothing").has_header("Served-By")
    service = serve(SERVED_BY="app-7d4b9-x2x4z")
    response = requests.get(f"{service.url}/nothing", timeout=HANG)
    assert response.headers["Served-By"] == "app-7d4b9-x2x4z"


@pytest.mark.once(on="sqlite")
def test_the_reason_is_for_the_log_and_is_there_once() -> None:
    """Strangers may ask; the database's words name its host, the role and the database."""
    variables = {
        "DATABASE_URL": f"postgresql://the_role@127.0.0.1:{free_port()}/the_name",
        "MIGRATE": "never",
        "WEB_CONCURRENCY": "1",
    }
    with Service(variables, awaited="/health/live") as service:
        for _ in range(5):
            ready = requests.get(f"{service.url}/health/ready", timeout=HANG)
            assert ready.status_code == 503
            assert ready.json()["detail"] == "The database is unavailable."
        [record] = [each for each in service.records() if each["message"] == "not ready"]
        assert record["error"].startswith("127.0.0.1, port ")
        assert "Connection refused" in record["error"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")
@pytest.mark.django_db(transaction=True)
def test_not_ready_without_the_right_to_write(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """As after migrating with another role and without a GRANT."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE reader")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        cursor.execute("GRANT INSERT, UPDATE, DELETE ON tasklists_task TO reader")
        cursor.execute("ALTER ROLE CURRENT_USER SET role TO reader")
    try:
        connection.close()
        response = client.get("/health/ready")
        assert response.status_code == 503
        assert "may not write to all tables" in response.json()["detail"]
        assert "tasklists_tasklist" in caplog.text
        assert "tasklists_task," not in caplog.text
        refused = client.post("/lists", {"name": "a"}, content_type="application/json")
        assert refused.status_code == 503
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SET role TO none")
            cursor.execute("ALTER ROLE CURRENT_USER RESET role")
            cursor.execute("DROP OWNED BY reader")
            cursor.execute("DROP ROLE reader")
        connection.close()
    assert client.get("/health/ready").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_change_is_logged_and_its_end_too(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    probe = DatabaseProbe()
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("tasklists", "0001_initial")
    try:
        assert probe.state().fault is not None
        assert probe.state().fault is not None
    finally:
        recorder.record_applied("tasklists", "0001_initial")
    assert probe.state().fault is None
    assert probe.state().fault is None
    log = caplog.text
    assert (log.count("not ready"), log.count("ready again")) == (1, 1)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_another_writer_does_not_make_sqlite_unready(
    transactional_db: None, client: Client
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        try:
            assert client.get("/health/ready").status_code == 200
        finally:
            cursor.execute("ROLLBACK")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_what_says_nothing_about_writes_is_raised(db: None) -> None:
    with pytest.raises(OperationalError, match="within a transaction"):
        refused_writes(connection)
