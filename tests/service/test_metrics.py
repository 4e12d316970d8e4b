"""What the metrics say about the database and the routes, and the trace ids of requests."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress

import psycopg2
import pytest
import requests
from django.db import DataError, OperationalError, ProgrammingError, connection
from django.urls import URLPattern, URLResolver, get_resolver
from prometheus_client import REGISTRY

from service.database_errors import ERROR_CLASSES, error_class
from service.routes import readable
from service.trace_context import trace_id
from tests.database_errors import caused_by_driver
from tests.load import eventually
from tests.postgresql import PostgreSQL
from tests.process import ROOT, Service
from tests.prometheus import Metrics, requests_of, series
from tests.wire import HANG

Serve = Callable[..., Service]

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")


def errors(metrics: Metrics) -> dict[str, float]:
    """How many errors were counted, by class, without classes that had none."""
    return {
        dict(labels)["class"]: value
        for (name, labels), value in metrics.read().items()
        if name == "tasklists_database_errors_total" and value
    }


@on_postgresql
def test_an_outage_of_the_database_is_seen_and_its_end_too(serve: Serve, metrics: Metrics) -> None:
    with PostgreSQL() as database:
        service = serve(DATABASE_URL=database.url, METRICS_PORT=str(metrics.port))
        assert metrics.value("tasklists_database_up") == 1
        assert errors(metrics) == {}
        database.kill()
        for _ in range(5):
            assert requests.get(f"{service.url}/lists", timeout=HANG).status_code == 503
        values = metrics.wait_for({requests_of("GET", "/lists", 503): 5})
        assert values[series("tasklists_database_up")] == 0
        assert series("tasklists_migrations_applied") not in values
        assert errors(metrics).keys() == {"connection"}
        database.start()
        assert metrics.value("tasklists_database_up") == 1
        assert requests.get(f"{service.url}/lists", timeout=HANG).status_code == 200


@on_postgresql
def test_a_frozen_database_is_down_and_does_not_hold_up_the_scrape(
    serve: Serve, metrics: Metrics
) -> None:
    with PostgreSQL() as database:
        serve(DATABASE_URL=database.url, METRICS_PORT=str(metrics.port))
        database.freeze()
        try:
            assert metrics.value("tasklists_database_up") == 0
        finally:
            database.thaw()
        eventually(lambda: metrics.value("tasklists_database_up") == 1, "the database")


@on_postgresql
def test_a_password_that_the_database_refuses_is_an_error_of_its_own_class(
    serve: Serve, metrics: Metrics
) -> None:
    with PostgreSQL() as database:
        service = serve(DATABASE_URL=database.url, METRICS_PORT=str(metrics.port))
        database.refuse_logins()
        assert requests.get(f"{service.url}/health/ready", timeout=HANG).status_code == 503
        assert errors(metrics).keys() == {"authentication"}


@on_postgresql
def test_too_many_connections_are_errors_of_the_class_resources(
    serve: Serve, metrics: Metrics
) -> None:
    with PostgreSQL() as database, ExitStack() as stack:
        service = serve(DATABASE_URL=database.url, METRICS_PORT=str(metrics.port))
        with suppress(psycopg2.OperationalError):
            while True:
                stack.enter_context(closing(psycopg2.connect(database.url)))
        assert requests.get(f"{service.url}/health/ready", timeout=HANG).status_code == 503
        assert errors(metrics).keys() == {"resources"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("08006", "connection"),
        ("22003", "value"),
        ("23505", "integrity"),
        ("25006", "read_only"),
        ("25P03", "connection"),
        ("28P01", "authentication"),
        ("40001", "conflict"),
        ("42501", "permission"),
        ("42601", "other"),  # syntax_error
        ("42P01", "not_migrated"),
        ("53100", "resources"),  # disk_full
        ("54001", "value"),
        ("55P03", "lock"),
        ("57014", "timeout"),
        ("57P01", "connection"),
        ("58030", "resources"),  # io_error
    ],
)
def test_the_classes_of_postgresqls_errors(code: str, expected: str) -> None:
    error = caused_by_driver(OperationalError, "x", sqlstate=code)
    assert error_class(error) == expected


@pytest.mark.parametrize(
    ("name", "message", "expected"),
    [
        ("SQLITE_BUSY_SNAPSHOT", "database is locked", "lock"),
        ("SQLITE_CANTOPEN", "unable to open database file", "connection"),
        ("SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed", "integrity"),
        ("SQLITE_CORRUPT", "database disk image is malformed", "other"),
        ("SQLITE_ERROR", "no such table: tasklists_tasklist", "not_migrated"),
        ("SQLITE_ERROR", "LIKE or GLOB pattern too complex", "value"),
        ("SQLITE_FULL", "database or disk is full", "resources"),
        ("SQLITE_READONLY", "attempt to write a readonly database", "read_only"),
    ],
)
def test_the_classes_of_sqlites_errors(name: str, message: str, expected: str) -> None:
    error = caused_by_driver(OperationalError, message, name=name)
    assert error_class(error) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('FATAL:  password authentication failed for user "a"', "authentication"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "authentication"),
        ('FATAL:  role "a" does not exist', "authentication"),
        ("SSL error: certificate verify failed", "certificate"),
        ("server does not support SSL, but SSL was required", "certificate"),
        ("FATAL:  sorry, too many clients already", "resources"),
        ('FATAL:  too many connections for role "a"', "resources"),
        # by PgBouncer
        ("FATAL:  no more connections allowed (max_client_conn)", "resources"),
        ("FATAL:  client connections exceeded (max_db_client_connections)", "resources"),
        ("the database did not answer within 3 s", "timeout"),
        ("connection refused", "connection"),
    ],
)
def test_the_classes_of_failed_connections(message: str, expected: str) -> None:
    assert error_class(caused_by_driver(OperationalError, message)) == expected


def test_a_value_that_the_driver_cannot_send_is_counted(db: None) -> None:
    def counted() -> float | None:
        return REGISTRY.get_sample_value("tasklists_database_errors_total", {"class": "value"})

    before = counted()
    assert before is not None
    with pytest.raises(DataError), connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["\ud800"])  # a surrogate, which UTF-8 does not have
    assert counted() == before + 1


def test_errors_of_no_driver_have_a_class() -> None:
    assert error_class(DataError("out of range")) == "value"
    assert error_class(ProgrammingError("a mistake")) == "other"


def test_the_classes_of_errors_are_documented() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text()
    [classes] = re.findall(r"\*\*Classes of errors\*\*((?:.|\n)*?)\. If", text)
    assert sorted(re.findall(r"`([a-z_]+)`", classes)) == ERROR_CLASSES


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        pattern = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield pattern
        else:
            yield from patterns(each, pattern)


def test_the_routes_have_no_regular_expressions_in_them() -> None:
    routes = {readable(pattern) for pattern in patterns(get_resolver())}
    assert {"/", "/lists", "/lists/{pk}", "/lists/{list_id}/tasks", "/tasks/{pk}"} < routes
    assert {"/admin", "/admin/{page}", "/docs", "/schema"} < routes
    assert not [route for route in routes if not re.fullmatch(r"/[a-z0-9_/{}.-]*", route)]


@pytest.mark.parametrize(
    "header",
    [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like",
    ],
)
def test_the_trace_id_of_a_traceparent(header: str) -> None:
    assert trace_id(header) == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01,",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
    ],
)
def test_an_invalid_traceparent_has_no_trace_id(header: str) -> None:
    assert trace_id(header) is None
