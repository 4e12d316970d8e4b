"""The page at / as the server sends it; what it does in a browser is tested in e2e/."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import DataError
from django.test import Client

from tasklists.models import TaskList
from tests.conftest import BROWSER

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada", password="correct horse")


def access_of(page: Any) -> str:
    assert page.status_code == 200
    [access] = re.findall('data-access="([a-z]+)"', page.content.decode())
    return str(access)


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/*"])
def test_a_browser_gets_the_page(client: Client, accept: str) -> None:
    page = client.get("/", headers={"Accept": accept})
    assert page.status_code == 200
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert page["X-Frame-Options"] == "DENY"
    assert {"Accept", "Cookie"} <= set(page["Vary"].split(", "))
    assert set(page["Cache-Control"].split(", ")) == {"private", "no-cache"}


@pytest.mark.parametrize("accept", [None, "*/*", "application/json"])
def test_every_other_client_gets_the_lists(
    client: Client, task_list: TaskList, accept: str | None
) -> None:
    response = client.get("/", headers={"Accept": accept} if accept else {})
    assert response["Content-Type"] == "application/json"
    assert response["Vary"] == "Accept"
    assert [each["name"] for each in response.json()] == ["shopping"]


def test_a_browser_may_ask_for_its_head(browser: Client) -> None:
    page = browser.head("/")
    assert (page.status_code, page.content) == (200, b"")
    assert page["Content-Security-Policy"]


@pytest.mark.parametrize("accept", ["application/json", BROWSER])
def test_a_post_creates_a_list_whatever_is_accepted(client: Client, accept: str) -> None:
    response = client.post(
        "/", {"name": "a"}, content_type="application/json", headers={"Accept": accept}
    )
    assert response.status_code == 201
    assert TaskList.objects.get().name == "a"


class Outline(HTMLParser):
    """Collects inline scripts, styles and handlers, which the policy has to allow."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        names = [name for name, _ in attributes]
        self.inline += [name for name in names if name == "style" or name.startswith("on")]
        if tag == "style":
            self.inline.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script" and data.strip():
            self.inline.append(data)


def test_the_policy_allows_what_the_service_serves_and_one_inline_script(browser: Client) -> None:
    page = browser.get("/")
    policy = dict(
        directive.strip().split(" ", 1) for directive in page["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == policy["connect-src"] == "'self'"
    [reload] = Outline(page.content.decode()).inline
    digest = b64encode(sha256(reload.encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["frame-ancestors"] == "'none'"
    assert not re.search("unsafe|data:|\\*|https?:", page["Content-Security-Policy"])


@pytest.mark.parametrize(
    ("served_by", "shown"), [("", False), ("pod-1", True)], ids=["without", "with"]
)
def test_the_cluster_view_needs_served_by(
    browser: Client, settings: LazySettings, served_by: str, shown: bool
) -> None:
    settings.SERVED_BY = served_by
    assert ("data-instance" in browser.get("/").content.decode()) == shown


class TestAnonymous:
    @pytest.mark.parametrize(("access", "may"), [("anyone", "write"), ("read_only", "read")])
    def test_the_page_knows_what_they_may_do(
        self, browser: Client, settings: LazySettings, access: str, may: str
    ) -> None:
        settings.API_ACCESS = access
        page = browser.get("/")
        assert access_of(page) == may
        assert not page.cookies
        assert ("/auth/login/?next=/" in page.content.decode()) == (may == "read")
        assert "/auth/logout/" not in page.content.decode()

    @pytest.mark.parametrize("path", ["/", "/?a=b&c=d"])
    def test_they_are_redirected_to_the_login_and_back(
        self, browser: Client, settings: LazySettings, user: User, path: str
    ) -> None:
        settings.API_ACCESS = "authenticated"
        refused = browser.get(path)
        assert refused.status_code == 302
        assert set(refused["Cache-Control"].split(", ")) == {"private", "no-cache"}
        login = urlsplit(refused["Location"])
        assert (login.path, parse_qs(login.query)) == ("/auth/login/", {"next": [path]})
        form = {"username": "ada", "password": "correct horse"}
        after = browser.post(refused["Location"], form)
        assert after["Location"] == path
        assert access_of(browser.get(after["Location"])) == "write"

    def test_clients_that_do_not_accept_html_get_401(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.API_ACCESS = "authenticated"
        assert client.get("/").status_code == 401


class TestUser:
    @pytest.fixture
    def visitor(self, user: User) -> Client:
        """The browser of somebody who has logged in."""
        client = Client(enforce_csrf_checks=True, headers={"Accept": BROWSER})
        client.force_login(user)
        return client

    @pytest.mark.parametrize("access", ["anyone", "read_only", "authenticated"])
    def test_may_write_with_the_token_that_the_page_gave(
        self, visitor: Client, settings: LazySettings, access: str
    ) -> None:
        settings.API_ACCESS = access
        page = visitor.get("/")
        assert access_of(page) == "write"
        assert 'data-csrf-cookie="csrftoken"' in page.content.decode()
        headers = {"Accept": "application/json"}
        refused = visitor.post("/lists", {"name": "a"}, "application/json", headers=headers)
        assert refused.status_code == 403
        headers["X-CSRFToken"] = page.cookies["csrftoken"].value
        created = visitor.post("/lists", {"name": "a"}, "application/json", headers=headers)
        assert created.status_code == 201

    def test_can_log_out_with_the_form_of_the_page(
        self, visitor: Client, settings: LazySettings
    ) -> None:
        settings.API_ACCESS = "read_only"
        page = visitor.get("/").content.decode()
        [action] = re.findall('method="post" action="([^"]+)"', page)
        [token] = re.findall('name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert "ada" in page
        after = visitor.post(action, {"csrfmiddlewaretoken": token})
        assert after["Location"] == "/"
        assert access_of(visitor.get("/")) == "read"

    def test_a_session_that_has_ended_is_an_anonymous_visitor(
        self, visitor: Client, settings: LazySettings
    ) -> None:
        settings.API_ACCESS = "authenticated"
        visitor.session.flush()
        assert visitor.get("/").status_code == 302

    def test_an_error_that_is_no_outage_is_not_hidden(
        self, visitor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: Any) -> None:
            raise DataError("out of range")

        monkeypatch.setattr("django.contrib.auth.get_user", fail)
        monkeypatch.setattr("django.contrib.auth.middleware.auth.get_user", fail)
        assert visitor.get("/").status_code == 400
