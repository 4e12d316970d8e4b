"""A request that fails the CSRF check is told what to do, and so is the log."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.middleware import csrf
from django.test import Client

from tests.conftest import BROWSER
from tests.process import Service
from tests.wire import HANG

# A page of Django's, and one of the API, whose CSRF check is Django REST Framework's.
PATHS = ["/admin/login/", "/lists"]
OWN = "http://testserver"
OWN_HTTPS = "https://testserver"
PROXY = ["TRUST_PROXY_HEADERS", "X-Forwarded-Proto", "CSRF_TRUSTED_ORIGINS"]

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    csrf.REASON_BAD_ORIGIN: (
        {"headers": {"Origin": "https://testserver"}},
        ["'https://testserver'", f"'{OWN}'", *PROXY],
    ),
    csrf.REASON_BAD_REFERER: (
        {"secure": True, "headers": {"Referer": "https://ada:secret@evil.example/page?key=secret"}},
        ["'https://evil.example'", f"'{OWN_HTTPS}'", *PROXY],
    ),
    csrf.REASON_NO_REFERER: ({"secure": True}, [f"Origin: {OWN_HTTPS}."]),
    csrf.REASON_MALFORMED_REFERER: (
        {"secure": True, "headers": {"Referer": "nonsense"}},
        ["'nonsense'", f"{OWN_HTTPS}/"],
    ),
    csrf.REASON_INSECURE_REFERER: (
        {"secure": True, "headers": {"Referer": "http://testserver/lists"}},
        ["'http://testserver'", f"Open it at {OWN_HTTPS} "],
    ),
    csrf.REASON_NO_CSRF_COOKIE: ({}, [csrf.REASON_NO_CSRF_COOKIE, f"Allow cookies of {OWN}"]),
    csrf.REASON_CSRF_TOKEN_MISSING: (
        {"cookie": "x" * 32},
        [csrf.REASON_CSRF_TOKEN_MISSING, "Reload", "csrftoken as X-CSRFToken"],
    ),
    csrf.REASON_INCORRECT_LENGTH: (
        {"cookie": "x"},
        [f"CSRF cookie {csrf.REASON_INCORRECT_LENGTH}.", "Reload"],
    ),
    csrf.REASON_INVALID_CHARACTERS: (
        {"cookie": "x" * 32, "headers": {"X-CSRFToken": "!" * 32}},
        [f"HTTP header {csrf.REASON_INVALID_CHARACTERS}.", "Reload"],
    ),
    "incorrect": (
        {"cookie": "x" * 32, "headers": {"X-CSRFToken": "y" * 32}},
        ["HTTP header incorrect.", "Reload"],
    ),
}


Refused = Callable[..., str]


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture(params=PATHS)
def refused(request: pytest.FixtureRequest, user: User) -> Refused:
    """Posts as a user who has logged in, and returns the text of the response, which is 403."""

    def post(accept: str = "application/json", cookie: str | None = None, **more: Any) -> str:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        if cookie:
            client.cookies["csrftoken"] = cookie
        headers = {"Accept": accept, **more.pop("headers", {})}
        response = client.post(request.param, "{}", "application/json", headers=headers, **more)
        assert response.status_code == 403
        if accept == BROWSER:
            return response.content.decode()
        detail: str = response.json()["detail"]
        return detail

    return post


def test_django_has_no_other_reasons() -> None:
    assert {value for name, value in vars(csrf).items() if name.startswith("REASON_")} == {
        *CASES
    } - {"incorrect"}


@pytest.mark.parametrize("reason", CASES)
def test_each_reason_says_what_to_do(refused: Refused, reason: str) -> None:
    request, expected = CASES[reason]
    detail = refused(**request)
    for text in expected:
        assert text in detail
    assert "secret" not in detail


def test_what_a_client_writes_stays_text(refused: Refused) -> None:
    origin = "https://<script>alert(1)</script>\x85"
    page = refused(accept=BROWSER, headers={"Origin": origin})
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert r"\x85" in refused(headers={"Origin": origin})
    assert len(refused(headers={"Origin": "x" * 5000})) < 1000
    assert len(refused(secure=True, headers={"Referer": "x" * 5000})) < 1000


def test_the_log_says_it_too(serve: Callable[..., Service]) -> None:
    service = serve()
    for path in PATHS:
        headers = {"Origin": "https://evil.example", "Accept": BROWSER, "X-Request-ID": path[1:6]}
        requests.post(service.url + path, files={"a": "b"}, headers=headers, timeout=HANG)
    records = [each for each in service.records() if each["logger"] == "service.csrf"]
    assert [record["request_id"] for record in records] == [path[1:6] for path in PATHS]
    for record in records:
        assert (record["level"], record["message"]) == (
            "warning",
            "a request failed the CSRF check",
        )
        assert "'https://evil.example'" in record["reason"]


class TestHost:
    """The text names the header with the wrong host."""

    @pytest.mark.parametrize(("trust", "named"), [(False, "Host"), (True, "X-Forwarded-Host")])
    def test_of_two_headers_the_one_that_counts_is_named(
        self, client: Client, settings: LazySettings, trust: bool, named: str
    ) -> None:
        settings.USE_X_FORWARDED_HOST = trust
        headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        detail = client.get("/lists", headers=headers).json()["detail"]
        assert re.match(rf"Invalid {named} header: 'evil\.example'\. .* ALLOWED_HOSTS", detail)

    def test_behind_a_proxy_that_sends_no_host_it_is_host(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.USE_X_FORWARDED_HOST = True
        detail = client.get("/lists", headers={"Host": "evil.example"}).json()["detail"]
        assert detail.startswith("Invalid Host header: 'evil.example'.")
