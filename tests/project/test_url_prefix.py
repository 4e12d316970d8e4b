"""The service under a path of its own, behind a real nginx, which may remove that path or not."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from django.conf import LazySettings

from project import paths, urls
from service.requests import without_prefix
from tests.conftest import BROWSER, empty_database
from tests.process import Service, manage
from tests.proxies import Nginx
from tests.wire import HANG

pytestmark = pytest.mark.once(on="postgresql")

ADMIN = {"ADMIN_USERNAME": "ada", "ADMIN_PASSWORD": "correct horse"}


class Keeping(Nginx):
    """Serves the service at /tasks, which is also the beginning of paths of its own."""

    configuration = Nginx.configuration.replace("location / {", "location /tasks/ {")


class Removing(Nginx):
    configuration = Keeping.configuration.replace("http://service;", "http://service/;")


@pytest.fixture(scope="module", params=[Keeping, Removing])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the service for clients of the proxy."""
    variables = {"URL_PREFIX": "/tasks", "SERVED_BY": "pod", **ADMIN}
    with empty_database(tmp_path_factory.mktemp("service")) as database:
        variables["DATABASE_URL"] = database
        with Service(variables) as service, request.param(service) as proxy:
            manage("ensure_admin", **variables)
            yield f"http://127.0.0.1:{proxy.port}/tasks"


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=HANG)


def test_every_address_that_the_api_gives_leads_back_to_it(url: str) -> None:
    created = requests.post(f"{url}/lists", json={"name": "a"}, timeout=HANG)
    assert created.status_code == 201
    assert created.headers["Location"] == f"/tasks/lists/{created.json()['id']}"
    address = urljoin(url, created.headers["Location"])
    assert get(address).json() == created.json()

    task = requests.post(f"{address}/tasks", json={"title": "a"}, timeout=HANG)
    assert task.json()["url"] == f"{url}/tasks/{task.json()['id']}"
    assert get(task.json()["url"]).json() == task.json()
    assert urljoin(url, task.headers["Location"]) == task.json()["url"]

    requests.post(f"{url}/lists", json={"name": "b"}, timeout=HANG)
    for collection in (f"{url}/lists?limit=1", f"{url}/?limit=1"):
        first = get(collection)
        [second] = get(urljoin(url, first.links["next"]["url"])).json()
        assert second["id"] > first.json()[0]["id"]


def test_a_problem_names_the_address_that_the_client_knows(url: str) -> None:
    assert get(f"{url}/nothing").json()["detail"] == "There is nothing at /tasks/nothing."
    detail = get(f"{url}/list").json()["detail"]
    assert detail == "There is no /tasks/list; did you mean /tasks/lists?"


@pytest.mark.parametrize("page", ["/", "/lists", "/docs", "/auth/login/", "/admin/login/"])
def test_the_assets_of_a_page_are_found(url: str, page: str) -> None:
    text = get(f"{url}{page}", Accept=BROWSER).text
    addresses = re.findall(r"""(?:src|href)=["']([^"'#?]+\.(?:css|js|png|svg))["']""", text)
    assert addresses
    for address in addresses:
        assert address.startswith("/tasks/static/")
        assert get(urljoin(url, address)).status_code == 200


def test_the_documentation_finds_the_document(url: str) -> None:
    [address] = re.findall(r'url: "([^"]+)"', get(f"{url}/docs", Accept=BROWSER).text)
    document = get(urljoin(url, address), Accept="application/json").json()
    assert document["servers"] == [{"url": "/tasks"}]
    assert "/lists/{id}" in document["paths"]


def test_the_admin_leads_to_its_login_and_back_with_cookies_of_its_own(url: str) -> None:
    with requests.Session() as browser:
        browser.headers["Accept"] = BROWSER
        login = browser.get(f"{url}/admin", timeout=HANG)
        assert login.url == f"{url}/admin/login/?next=/tasks/admin/"
        [token] = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', login.text)
        form = {
            "csrfmiddlewaretoken": token,
            "username": ADMIN["ADMIN_USERNAME"],
            "password": ADMIN["ADMIN_PASSWORD"],
            "next": "/tasks/admin/",
        }
        index = browser.post(login.url, form, timeout=HANG)
        assert index.url == f"{url}/admin/"
        assert index.status_code == 200
        assert 'href="/tasks/admin/tasklists/tasklist/"' in index.text
        found = {(cookie.name, cookie.path) for cookie in browser.cookies}
        assert found == {("sessionid-tasks", "/tasks"), ("csrftoken-tasks", "/tasks")}


def test_login_api_and_logout_of_the_page_stay_under_the_prefix(url: str) -> None:
    with requests.Session() as browser:
        browser.headers["Accept"] = BROWSER
        page = browser.get(f"{url}/", timeout=HANG)
        assert 'data-root="/tasks/"' in page.text
        assert 'data-csrf-cookie="csrftoken-tasks"' in page.text
        assert not browser.cookies
        login = browser.get(f"{url}/auth/login/", timeout=HANG)
        [token] = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', login.text)
        form = {
            "csrfmiddlewaretoken": token,
            "username": ADMIN["ADMIN_USERNAME"],
            "password": ADMIN["ADMIN_PASSWORD"],
        }
        after = browser.post(login.url, form, timeout=HANG)
        assert after.url == f"{url}/"
        headers = {"Accept": "application/json", "X-CSRFToken": browser.cookies["csrftoken-tasks"]}
        written = browser.post(f"{url}/instance", headers=headers, timeout=HANG)
        assert written.json()["name"] == "pod"
        [action] = re.findall('method="post" action="([^"]+)"', after.text)
        [token] = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', after.text)
        left = browser.post(urljoin(url, action), {"csrfmiddlewaretoken": token}, timeout=HANG)
        assert left.url == f"{url}/"
        assert {cookie.name for cookie in browser.cookies} == {"csrftoken-tasks"}


def test_the_page_redirects_anonymous_users_to_the_login_under_the_prefix(
    serve: Callable[..., Service],
) -> None:
    service = serve(URL_PREFIX="/tasks", API_ACCESS="authenticated")
    refused = requests.get(
        f"{service.url}/tasks/", headers={"Accept": BROWSER}, timeout=HANG, allow_redirects=False
    )
    assert refused.headers["Location"] == "/tasks/auth/login/?next=/tasks/"


@pytest.mark.parametrize("probe", ["live", "ready"])
def test_health_checks_are_answered_with_and_without_the_prefix(url: str, probe: str) -> None:
    assert get(f"{url}/health/{probe}").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("prefix", "path", "without"),
    [
        ("/tasks", "/tasks/lists", "/lists"),
        ("/tasks", "/lists", "/lists"),
        ("/tasks", "/tasks", ""),
        ("/tasks", "/tasks/", "/"),
        ("/tasks", "/tasks/7", "/tasks/7"),
        ("/tasks", "/tasks/tasks/7", "/tasks/7"),
        ("/lists", "/lists/7/tasks", "/lists/7/tasks"),
        ("/lists", "/lists/lists/7/tasks", "/lists/7/tasks"),
        ("/a.b", "/aXb/lists", "/aXb/lists"),
        ("/todo", "/todolists", "/todolists"),
        ("/todo/x", "/todo/x/lists", "/lists"),
    ],
)
def test_a_prefix_is_told_from_a_path_of_the_service(
    settings: LazySettings, prefix: str, path: str, without: str
) -> None:
    settings.URL_PREFIX = prefix
    assert without_prefix(path) == without


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("/todo", "/todo"),
        ("/a/b/", "/a/b"),
        ("/", ""),
        ("/~ada/x.y", "/~ada/x.y"),
        ("/lists/5x", "/lists/5x"),
        ("/v/5", "/v/5"),
    ],
)
def test_a_slash_at_the_end_makes_no_difference(text: str, prefix: str) -> None:
    assert paths.prefix(text) == prefix


ROWS = ["/lists/5", "/lists/5/tasks", "/tasks/1/x"]


@pytest.mark.parametrize(
    "text",
    ["todo", "/a//b", "/a b", "/a?b", "/%61", "/ü", "/a/../b", "/.", "/admin", "/static/x", *ROWS],
)
def test_what_no_proxy_could_serve_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is the reason, if there is one
        paths.prefix(text)


def test_no_prefix_hides_a_path_of_the_service() -> None:
    """A path that is not in OWN is followed by a number, or is the root by another name."""
    all_patterns: list[Any] = urls.urlpatterns
    patterns = [str(each.pattern).lstrip("^") for each in all_patterns]
    firsts = {re.split(r"[/?]", pattern)[0] for pattern in patterns} - {""}
    assert all(paths.ROW.match(f"/{first}/5") for first in firsts - set(paths.OWN))
