"""What a person sees in a browser: assets and headers of every page."""

import re
from typing import Any
from urllib.parse import urljoin

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from tasklists.models import TaskList
from tests.conftest import BROWSER


@pytest.mark.parametrize("path", ["/", "/lists", "/lists/{id}", "/docs", "/docs/", "/admin/login/"])
def test_every_asset_of_a_page_is_served_here_under_a_hashed_name(
    browser: Client, task_list: TaskList, path: str
) -> None:
    page = browser.get(path.format(id=task_list.pk))
    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/html")
    assets = re.findall(
        r"""(?:src|href)=["']([^"'#?]+\.(?:css|js|png|svg|ico))["']""", page.content.decode()
    )
    assert assets
    for asset in assets:
        assert served(browser, asset)


def served(browser: Client, asset: str) -> str:
    """The file, which has a hash in its name and may be cached for ever."""
    assert re.search(r"\.[0-9a-f]{12}\.[a-z]+$", asset), asset
    response: Any = browser.get(asset)
    assert response.status_code == 200, asset
    assert "immutable" in response["Cache-Control"]
    content = b"".join(response)
    response.close()
    return content.decode("latin-1")


IMPORT = re.compile(
    r"""^(?:import|export)\s+(?:[^;"'=(]*\sfrom\s*)?["']([^"']+)["'];""", re.MULTILINE
)


def test_every_module_of_the_page_imports_others_by_names_that_are_preloaded(
    browser: Client, db: None
) -> None:
    """A browser that loads a module under two names runs it twice."""
    page = browser.get("/").content.decode()
    [start] = re.findall('<script type="module" src="([^"]+)"', page)
    preloaded = set(re.findall('<link rel="modulepreload" href="([^"]+)"', page))
    imported = {
        urljoin(module, name)
        for module in preloaded
        for name in IMPORT.findall(served(browser, module))
    }
    assert imported
    assert {start, *imported} == preloaded


@pytest.mark.parametrize("path", ["/lists", "/admin/login/", "/nothing"])
def test_a_page_is_shown_in_no_frame_and_tells_nobody_where_it_leads_from(
    browser: Client, db: None, path: str
) -> None:
    page = browser.get(path)
    assert page["Content-Type"].startswith("text/html")
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/lists", "/nothing", "/schema"])
def test_json_is_taken_for_nothing_else(client: Client, db: None, path: str) -> None:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert "json" in answer["Content-Type"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_document_is_openapi(client: Client) -> None:
    response = client.get("/schema", headers={"Accept": "application/json"})
    document = response.json()
    assert document["openapi"].startswith("3.")
    lists, tasks = {"/lists", "/lists/{id}"}, {"/lists/{list_id}/tasks", "/tasks/{id}"}
    assert document["paths"].keys() >= lists | tasks | {"/books", "/books/{id}"}
    assert not [path for path in document["paths"] if path.endswith("/")]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/admin", "GET, HEAD"),
        ("GET", "/auth/logout/", "POST, OPTIONS"),
        ("DELETE", "/docs", "GET, HEAD"),
        ("OPTIONS", "/docs", "GET, HEAD"),
    ],
)
def test_a_method_that_a_page_lacks_is_405_in_problem_details(
    client: Client, method: str, path: str, allowed: str
) -> None:
    response = client.generic(method, path)
    assert response.status_code == 405
    assert response["Allow"] == allowed
    assert response.json()["status"] == 405


def test_the_address_of_the_admin_without_its_slash_leads_there(client: Client) -> None:
    response = client.get("/admin?a=b")
    assert response.status_code == 302
    assert response["Location"] == "/admin/?a=b"


def test_the_login_has_the_name_and_the_icon_of_the_service(browser: Client, db: None) -> None:
    page = browser.get("/auth/login/").content.decode()
    assert re.search("<title>Log in . Tasklists</title>", page)
    assert "Log in to Tasklists" in page
    [icon] = re.findall('<link rel="icon" href="([^"]+)"', page)
    assert served(browser, icon).startswith("<svg")


@pytest.mark.parametrize("query", ["", "?next=", "?next=https://evil.example/"])
def test_a_login_leads_to_a_page_that_exists(client: Client, db: None, query: str) -> None:
    User.objects.create_user("ada", password="x")
    form = {"username": "ada", "password": "x"}
    response = client.post(f"/auth/login/{query}", form, headers={"Accept": BROWSER}, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert response.status_code == 200
    assert "ada" in response.content.decode()
    left = client.post("/auth/logout/", headers={"Accept": BROWSER}, follow=True)
    assert left.redirect_chain == [("/", 302)]
    assert left.status_code == 200
    assert "ada" not in left.content.decode()


@pytest.mark.parametrize("path", ["/auth/logout/", "/admin/logout/"])
def test_a_logout_leads_to_the_login_where_anonymous_users_may_not_read(
    admin: Client, settings: LazySettings, path: str
) -> None:
    settings.API_ACCESS = "authenticated"
    left = admin.post(path, follow=True)
    assert left.redirect_chain == [("/", 302), ("/auth/login/?next=/", 302)]
    assert left.status_code == 200
