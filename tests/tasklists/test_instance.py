"""/instance: who answers, what it knows, and a write that leaves nothing behind."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tasklists.models import TaskList
from tasklists.web import instance
from tests.conftest import BROWSER
from tests.postgresql import PostgreSQL
from tests.process import Service
from tests.wire import HANG

pytestmark = pytest.mark.django_db

METHODS = ["GET", "POST"]


@pytest.fixture(autouse=True)
def _served_by(settings: LazySettings) -> None:
    settings.SERVED_BY = "pod-1"


@pytest.mark.parametrize("method", METHODS)
def test_it_says_who_answers_and_what_it_knows(
    client: Client, settings: LazySettings, method: str
) -> None:
    for name in ("a", "b"):
        TaskList.objects.create(name=name)
    response = client.generic(method, "/instance")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert not response.has_header("Allow")
    members = response.json()
    started = members.pop("started_at")
    assert members == {
        "name": "pod-1",
        "version": settings.VERSION,
        "database": connection.vendor,
        "lists": 2,
    }
    # As the API's other times.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", started)
    assert datetime.fromisoformat(started) == instance.STARTED_AT


def test_it_stops_counting_the_lists_of_a_large_table(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "MAX_LISTS", 2)
    TaskList.objects.bulk_create(TaskList(name=str(n)) for n in range(3))
    assert client.get("/instance").json()["lists"] == 2


def test_a_post_writes_and_leaves_nothing_behind(client: Client) -> None:
    before = TaskList.objects.create(name="before")
    with CaptureQueriesContext(connection) as queries:
        assert client.generic("POST", "/instance").json()["lists"] == 1
    written = [query["sql"].split()[0] for query in queries]
    assert "INSERT" in written
    assert "DELETE" in written
    assert Session.objects.count() == 0
    created = client.post("/lists", {"name": "after"}, content_type="application/json").json()
    assert created["id"] == before.pk + 1
    assert TaskList.objects.count() == 2


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "image/png", "application/problem+json"])
@pytest.mark.parametrize("method", METHODS)
def test_the_answer_is_json_whatever_is_accepted(client: Client, method: str, accept: str) -> None:
    response = client.generic(method, "/instance", headers={"Accept": accept})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


def test_head_has_no_body(client: Client) -> None:
    response = client.head("/instance")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_without_served_by_it_is_404(client: Client, settings: LazySettings, method: str) -> None:
    settings.SERVED_BY = ""
    response = client.generic(method, "/instance", headers={"Authorization": "Token wrong"})
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_405(client: Client, method: str) -> None:
    response = client.generic(method, "/instance")
    assert response.status_code == 405
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert response["Content-Type"] == "application/problem+json"


def test_options_describes_it(client: Client) -> None:
    response = client.options("/instance")
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert response.json()["parses"] == ["application/json"]


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{}", "application/json", 200),
        (b"", "application/json", 200),
        (b"", "", 200),
        (b'{"name": "a"}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"name=a", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_a_body_may_be_an_empty_object(
    client: Client, body: bytes, media_type: str, status: int
) -> None:
    response = client.generic("POST", "/instance", body, media_type)
    assert response.status_code == status
    if status == 400:
        assert response.json()["errors"][0]["pointer"] == ""


@pytest.mark.parametrize("method", METHODS)
def test_parameters_are_ignored_as_those_of_other_objects(client: Client, method: str) -> None:
    assert client.generic(method, "/instance?a=b").status_code == 200


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("access", "allowed"),
    [("anyone", ["GET", "POST"]), ("read_only", ["GET"]), ("authenticated", [])],
)
def test_it_is_for_those_who_may_use_the_api(
    client: Client, settings: LazySettings, access: str, allowed: list[str], method: str
) -> None:
    settings.API_ACCESS = access
    anonymous = client.generic(method, "/instance")
    assert anonymous.status_code == (200 if method in allowed else 401)
    assert anonymous["Cache-Control"] == "no-store"
    client.force_login(User.objects.create_user("ada"))
    assert client.generic(method, "/instance").status_code == 200


def test_a_session_needs_its_csrf_token_to_write(settings: LazySettings) -> None:
    settings.API_ACCESS = "authenticated"
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("ada"))
    assert client.get("/instance").status_code == 200
    assert client.generic("POST", "/instance").status_code == 403
    client.get("/", headers={"Accept": BROWSER})
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.generic("POST", "/instance", headers=headers).status_code == 200


class TestOutage:
    @pytest.fixture
    def service(self, serve: Callable[..., Service]) -> Iterator[Service]:
        """The service, whose PostgreSQL has stopped."""
        with PostgreSQL() as database:
            service = serve(DATABASE_URL=database.url, SERVED_BY="pod-1")
            answer = requests.get(f"{service.url}/instance", timeout=HANG)
            assert answer.json()["database"] == "postgresql"
            database.stop()
            yield service

    @pytest.mark.once(on="postgresql")
    def test_it_is_503_with_the_name_on_a_connection_that_is_closed(self, service: Service) -> None:
        cases: list[dict[str, Any]] = [{}, {"Cookie": f"sessionid={'a' * 32}"}]
        for method in METHODS:
            for headers in cases:
                answer = requests.request(
                    method, f"{service.url}/instance", headers=headers, timeout=HANG
                )
                assert answer.status_code == 503
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert answer.headers["Served-By"] == "pod-1"
                assert answer.headers["Connection"] == "close"
                assert answer.headers["Retry-After"]

    @pytest.mark.once(on="postgresql")
    @pytest.mark.parametrize("cookie", ["", f"sessionid={'a' * 32}; csrftoken={'b' * 32}"])
    def test_a_browser_gets_the_page_nevertheless(self, service: Service, cookie: str) -> None:
        """Whoever has a session is taken for a user, until the API can look at it."""
        headers = {"Accept": BROWSER, **({"Cookie": cookie} if cookie else {})}
        answer = requests.get(f"{service.url}/", headers=headers, timeout=HANG)
        assert answer.status_code == 200
        assert 'data-access="write"' in answer.text
        assert ("/auth/logout/" in answer.text) == bool(cookie)
        assert not [line for line in service.records() if "exception" in line]
