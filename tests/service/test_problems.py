"""Errors that are raised before or outside the API are problem details, too."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import ProgrammingError
from django.test import Client

from service import errors
from tests.conftest import BROWSER
from tests.pages import ERRORS


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
        ("data", 500),
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


@pytest.mark.parametrize(
    ("code", "outage", "conflict"),
    [
        ("42P01", True, False),  # undefined_table
        ("42703", True, False),  # undefined_column
        ("25006", True, False),  # read_only_sql_transaction
        ("42601", False, False),  # syntax_error: a defect
        ("40P01", False, True),  # deadlock_detected
        ("40001", False, True),  # serialization_failure
    ],
)
def test_the_codes_of_postgresql(code: str, outage: bool, conflict: bool) -> None:
    error = ProgrammingError()
    error.__cause__ = PostgreSQLError(code)
    assert (errors.is_outage(error), errors.is_conflict(error)) == (outage, conflict)


class PostgreSQLError(Exception):
    def __init__(self, pgcode: str) -> None:
        self.pgcode = pgcode
