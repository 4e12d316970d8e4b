"""Which requests skip the middleware for sessions and pages: anonymous ones to the JSON API."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client

from service.middleware import SkipForAnonymousApi

pytestmark = pytest.mark.django_db

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
API = [
    "/",
    "/lists",
    "/lists/",
    "/lists/{id}",
    "/lists/{id}/tasks",
    "/tasks/4711",
    "/books",
    "/instance",
]


@pytest.fixture
def api_path(request: pytest.FixtureRequest, task_list: Any) -> str:
    path: str = request.param.format(id=task_list.pk)
    return path


def skipped(response: Any) -> bool:
    """Whether none of the middleware for pages has seen the request.

    Django's clickjacking middleware gives a header to each response that it sees.
    """
    return not response.has_header("X-Frame-Options")


@pytest.mark.parametrize("api_path", API, indirect=True)
@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/problem+json"])
def test_an_anonymous_request_to_the_json_api_skips_it(
    client: Client, api_path: str, accept: str | None
) -> None:
    headers = {"Accept": accept} if accept else {}
    response = client.get(api_path, headers=headers)
    assert skipped(response)
    assert response.get("Vary", "Accept") == "Accept"
    assert not response.cookies


@pytest.mark.parametrize("api_path", API, indirect=True)
@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": HTML},
        {"Accept": "TEXT/HTML"},
        {"Accept": "application/xhtml+xml"},
        {"Accept": "text/*"},
        {"Accept": "*/*;q=0.5, text/*"},
        {"Accept": "application/json;q=0.1, */*"},
        {"Accept": "application/problem+json, text/html"},
        {"Accept": "application/xml"},
        {"Cookie": "theme=dark"},
        {"Cookie": ""},
        {"Authorization": "Basic rubbish"},
        {"Authorization": ""},
    ],
    ids=str,
)
def test_a_client_that_may_be_a_user_or_a_browser_does_not(
    client: Client, api_path: str, headers: dict[str, str]
) -> None:
    assert not skipped(client.get(api_path, headers=headers))


@pytest.mark.parametrize(
    "path",
    [
        "/page",
        "/admin/login/",
        "/auth/login/",
        "/docs",
        "/schema",
        "/nothing",
        "/listsx",
        "/tasks2",
        "/Lists",
        "/x/lists",
        "/lists%0a",
        "/admin/lists/1",
    ],
)
def test_no_other_path_does(client: Client, path: str) -> None:
    response = client.get(path, headers={"Accept": "application/json"})
    assert not skipped(response)


@pytest.mark.parametrize("accept", [HTML, "text/html", "text/*", "text/*, */*;q=0.1"])
def test_no_accept_header_gets_a_page_that_other_sites_may_frame(
    client: Client, accept: str
) -> None:
    page = client.get("/lists", headers={"Accept": accept})
    assert page["Content-Type"].startswith("text/html")
    assert page["X-Frame-Options"] == "DENY"


def test_what_the_skipped_middleware_does_not_add_is_not_missed(client: Client) -> None:
    response = client.get("/lists")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Request-ID"]
    assert response["Content-Length"] == "2"


class TestPage:
    """A page that somebody adds is protected although nobody lists its path."""

    def test_without_a_cookie_it_has_a_user_and_a_token(self, client: Client) -> None:
        page = client.get("/page")
        assert "AnonymousUser" in page.content.decode()
        assert 'name="csrfmiddlewaretoken"' in page.content.decode()
        assert "csrftoken" in page.cookies
        assert "Cookie" in page["Vary"]

    def test_it_knows_who_has_logged_in(self, client: Client) -> None:
        client.force_login(User.objects.create_user("ada"))
        assert "ada" in client.get("/page").content.decode()

    @pytest.mark.parametrize("accept", [HTML, "application/json", "*/*"])
    def test_a_form_without_its_token_is_refused(self, accept: str) -> None:
        client = Client(enforce_csrf_checks=True)
        response = client.post("/page", {"text": "forged"}, headers={"Accept": accept})
        assert response.status_code == 403
        assert "forged" not in response.content.decode()

    def test_a_form_with_its_token_is_accepted(self) -> None:
        client = Client(enforce_csrf_checks=True)
        page = client.get("/page").content.decode()
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        form = {"text": "genuine", "csrfmiddlewaretoken": token[1]}
        response = client.post("/page", form)
        assert response.status_code == 200
        assert "genuine" in response.content.decode()


def test_a_form_of_a_page_under_a_path_of_the_api_is_protected_as_well(
    settings: LazySettings,
) -> None:
    """Django checks the token of a view even where the middleware was skipped."""
    settings.API_PATHS = ".*"
    client = Client(enforce_csrf_checks=True)
    response = client.post("/page", {"text": "forged"}, headers={"Accept": "application/json"})
    assert response.status_code == 403


GetResponse = Callable[[HttpRequest], HttpResponse]


def counting(get_response: GetResponse) -> GetResponse:
    """A middleware that somebody adds, as a function."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["X-Counted"] = "1"
        return response

    return middleware


class Counting:
    """The same as a class."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["X-Counted"] = "1"
        return response


@pytest.mark.parametrize("added", ["counting", "Counting"])
@pytest.mark.parametrize("place", range(6))
def test_a_middleware_that_somebody_adds_is_never_skipped(
    client: Client, settings: LazySettings, added: str, place: int
) -> None:
    name = f"{SkipForAnonymousApi.__module__}.{SkipForAnonymousApi.__qualname__}"
    first = settings.MIDDLEWARE.index(name)
    settings.MIDDLEWARE = list(settings.MIDDLEWARE)
    settings.MIDDLEWARE.insert(first + place, f"{__name__}.{added}")
    assert client.get("/lists")["X-Counted"] == "1"
    assert client.get("/page")["X-Counted"] == "1"


def test_without_it_everything_works_as_well(client: Client, settings: LazySettings) -> None:
    name = f"{SkipForAnonymousApi.__module__}.{SkipForAnonymousApi.__qualname__}"
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != name]
    assert client.get("/lists").json() == []
    assert not skipped(client.get("/lists"))


def test_every_anonymous_request_is_redirected_to_https(
    client: Client, settings: LazySettings
) -> None:
    """Django's SecurityMiddleware runs for all requests."""
    settings.SECURE_SSL_REDIRECT = True
    for path in ("/lists", "/page"):
        assert client.get(path).status_code == 308
