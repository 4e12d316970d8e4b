"""Errors that are raised before or outside the API are problem details, too."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.db import (
    DatabaseError,
    DataError,
    Error,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
)
from django.test import Client

from service.database_errors import is_bad_value, is_conflict, is_outage
from tests.conftest import BROWSER
from tests.database_errors import caused_by_driver
from tests.pages import ERRORS
from tests.process import Service
from tests.wire import HANG


def assert_problem(response: Any, status: int) -> Any:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"] == response.reason_phrase
    assert problem["type"] == "about:blank"
    assert problem["detail"]
    return problem


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/lists/x",
        "/lists/1/2",
        "/static/none.css",
        "/%ff",
        "/%00",
        "/lists//1",
        "/schema/x",
    ],
)
def test_an_unknown_path_is_404(
    client: Client, settings: LazySettings, path: str, debug: bool
) -> None:
    settings.DEBUG = debug
    assert_problem(client.get(path), 404)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "host", ["evil.example", "", "a b", "localhost:x", "[", "localhost,evil", "ü"]
)
def test_a_bad_host_is_400(client: Client, settings: LazySettings, host: str, debug: bool) -> None:
    settings.DEBUG = debug
    response = client.get("/lists", headers={"Host": host})
    assert "host" in assert_problem(response, 400)["detail"].lower()


def test_a_browser_gets_a_page(client: Client) -> None:
    response = client.get("/<script>", headers={"Accept": BROWSER})
    assert response.status_code == 404
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert b"&lt;script&gt;" in response.content


@pytest.mark.parametrize("accept", [BROWSER, "application/json"])
def test_a_form_without_its_token_is_403(accept: str, db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/admin/login/", {"username": "x"}, headers={"Accept": accept})
    assert response.status_code == 403
    assert b"CSRF" in response.content


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("missing", 404),
        ("forbidden", 403),
        ("suspicious", 400),
        ("outage", 503),
        ("interface", 503),
        ("conflict", 409),
        ("data", 400),
        ("defect", 500),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_what_a_view_raises_becomes_a_problem(
    settings: LazySettings, name: str, status: int, debug: bool
) -> None:
    settings.DEBUG = debug and status != 500  # with which Django shows a defect
    response = Client(raise_request_exception=False).get(f"/raise/{name}")
    problem = assert_problem(response, status)
    assert response.has_header("Retry-After") == (status == 503)
    assert "secret" not in problem["detail"]


@pytest.mark.parametrize(("name", "status"), [("missing", 404), ("outage", 503), ("defect", 500)])
def test_a_browser_gets_a_page_about_what_a_view_raises(name: str, status: int) -> None:
    client = Client(raise_request_exception=False)
    response = client.get(f"/raise/{name}", headers={"Accept": BROWSER})
    assert response.status_code == status
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize(("name", "status"), [("forbidden", 403), ("outage", 503), ("defect", 500)])
@pytest.mark.parametrize("accept", ["application/json", BROWSER])
def test_what_the_api_raises_becomes_a_problem_as_well(
    monkeypatch: pytest.MonkeyPatch, db: None, name: str, status: int, accept: str
) -> None:
    client = Client(raise_request_exception=False, headers={"Accept": accept})
    assert client.get("/lists").status_code == 200

    def fail(*args: object, **kwargs: object) -> None:
        raise ERRORS[name]

    # The database of a test cannot go away; test_outage.py has services whose does.
    monkeypatch.setattr("rest.statements.Statements.page", fail)
    response = client.get("/lists")
    assert response.status_code == status
    assert "secret" not in response.content.decode()
    assert response.has_header("Retry-After") == (status == 503)
    expected = "application/problem+json" if accept == "application/json" else "text/html"
    assert response["Content-Type"].startswith(expected)


OUTAGE, CONFLICT, BAD_VALUE, DEFECT = "outage", "conflict", "bad value", "defect"


def kind(error: Error) -> str:
    """What a view that raises this error answers with, as a word."""
    kinds = {OUTAGE: is_outage, CONFLICT: is_conflict, BAD_VALUE: is_bad_value}
    found = [name for name, applies in kinds.items() if applies(error)]
    assert len(found) <= 1
    return found[0] if found else DEFECT


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("08006", OUTAGE),  # connection_failure
        ("08P01", OUTAGE),  # protocol_violation, which PgBouncer sends
        ("53100", OUTAGE),  # disk_full
        ("53300", OUTAGE),  # too_many_connections
        ("57014", OUTAGE),  # query_canceled: statement_timeout
        ("57P01", OUTAGE),  # admin_shutdown
        ("57P03", OUTAGE),  # cannot_connect_now
        ("58030", OUTAGE),  # io_error
        ("25006", OUTAGE),  # read_only_sql_transaction
        ("42P01", OUTAGE),  # undefined_table
        ("42703", OUTAGE),  # undefined_column
        ("42883", OUTAGE),  # undefined_function
        ("25P04", OUTAGE),  # transaction_timeout
        ("XX001", OUTAGE),  # data_corrupted
        ("40001", CONFLICT),  # serialization_failure
        ("40P01", CONFLICT),  # deadlock_detected
        ("22001", BAD_VALUE),  # string_data_right_truncation
        ("22003", BAD_VALUE),  # numeric_value_out_of_range
        ("22021", BAD_VALUE),  # character_not_in_repertoire
        ("22P05", BAD_VALUE),  # untranslatable_character
        ("2201B", BAD_VALUE),  # invalid_regular_expression
        ("54001", BAD_VALUE),  # statement_too_complex
        ("42601", DEFECT),  # syntax_error
        ("42501", OUTAGE),  # insufficient_privilege
        ("XX000", DEFECT),  # internal_error
    ],
)
@pytest.mark.parametrize("wrapper", [OperationalError, ProgrammingError, DatabaseError])
def test_the_codes_of_postgresql(wrapper: type[Error], code: str, expected: str) -> None:
    """The exception's class has no say."""
    assert kind(caused_by_driver(wrapper, "x", sqlstate=code)) == expected


@pytest.mark.parametrize(
    ("name", "message", "expected"),
    [
        ("SQLITE_BUSY_SNAPSHOT", "database is locked", OUTAGE),
        ("SQLITE_FULL", "database or disk is full", OUTAGE),
        ("SQLITE_IOERR_WRITE", "disk I/O error", OUTAGE),
        ("SQLITE_CANTOPEN", "unable to open database file", OUTAGE),
        ("SQLITE_READONLY_DBMOVED", "attempt to write a readonly database", OUTAGE),
        ("SQLITE_CORRUPT", "database disk image is malformed", OUTAGE),
        ("SQLITE_NOTADB", "file is not a database", OUTAGE),
        ("SQLITE_ERROR", "no such table: tasklists_tasklist", OUTAGE),
        ("SQLITE_ERROR", "no such column: version", OUTAGE),
        ("SQLITE_ERROR", "user-defined function raised exception", BAD_VALUE),
        ("SQLITE_ERROR", "LIKE or GLOB pattern too complex", BAD_VALUE),
        ("SQLITE_ERROR", 'near "SELEC": syntax error', DEFECT),
        ("SQLITE_MISUSE", "bad parameter or other API misuse", DEFECT),
    ],
)
def test_the_codes_of_sqlite(name: str, message: str, expected: str) -> None:
    assert kind(caused_by_driver(OperationalError, message, name=name)) == expected


@pytest.mark.parametrize(
    ("wrapper", "expected"),
    [
        (OperationalError, OUTAGE),
        (InterfaceError, OUTAGE),
        (DatabaseError, OUTAGE),
        (DataError, BAD_VALUE),
        (ProgrammingError, DEFECT),
    ],
)
def test_an_error_without_a_code_is_a_lost_connection(wrapper: type[Error], expected: str) -> None:
    message = "server closed the connection unexpectedly"
    assert kind(caused_by_driver(wrapper, message)) == expected


def test_an_error_that_django_makes_is_a_defect() -> None:
    assert kind(DatabaseError("Save with update_fields did not affect any rows.")) == DEFECT


@pytest.mark.skipif(connection.vendor == "sqlite", reason="whose columns hold anything")
def test_a_value_that_a_column_cannot_hold_is_400(
    serve: Callable[..., Service], execute: Callable[[str], None]
) -> None:
    """As after a change of the schema behind the service's back."""
    service = serve()
    execute("ALTER TABLE tasklists_tasklist ALTER COLUMN name TYPE varchar(3)")
    answer = requests.post(f"{service.url}/lists", json={"name": "long"}, timeout=HANG)
    assert answer.status_code == 400
    assert "value too long" in answer.json()["detail"]


@pytest.mark.parametrize("character", [r"\000", r"\355\240\200"])
def test_a_cookie_that_the_database_cannot_read_is_no_defect(
    client: Client, transactional_db: None, character: str
) -> None:
    cookie = f'sessionid="{character}abcdefghij"'
    assert client.get("/lists", headers={"Cookie": cookie}).status_code in (200, 400)
