"""Errors that are raised before or outside the API are problem details, too."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, ProgrammingError
from django.test import Client

from service import errors

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


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
    ("error", "status"),
    [
        (OperationalError("server closed the connection"), 503),
        (PermissionDenied(), 403),
        (SuspiciousOperation("odd"), 400),
    ],
)
@pytest.mark.parametrize("path", ["/lists", "/admin/login/"])
def test_what_a_view_raises_becomes_a_problem(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str, error: Exception, status: int
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr("rest.statements.Statements.page", fail)
    monkeypatch.setattr("django.contrib.admin.sites.AdminSite.each_context", fail)
    response = client.get(path)
    assert_problem(response, status)
    assert response.has_header("Retry-After") == (status == 503)


def test_tables_that_are_missing_are_an_outage_and_a_wrong_query_is_a_defect() -> None:
    missing, wrong = ProgrammingError(), ProgrammingError()
    missing.__cause__, wrong.__cause__ = PostgreSQLError("42P01"), PostgreSQLError("42601")
    assert errors.is_outage(missing)
    assert not errors.is_outage(wrong)


class PostgreSQLError(Exception):
    def __init__(self, pgcode: str) -> None:
        self.pgcode = pgcode


def test_a_defect_is_500_without_its_details(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("rest.statements.Statements.page", fail)
    response = Client(raise_request_exception=False).get("/lists")
    assert "secret" not in assert_problem(response, 500)["detail"]
