"""A cache in front of the service, here nginx, gives nobody what was meant for somebody else."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import requests

from tests.conftest import BROWSER, empty_database
from tests.process import Service, manage
from tests.proxies import CachingNginx
from tests.wire import HANG

pytestmark = pytest.mark.once(on="sqlite")

PASSWORD = "correct-horse-battery"
PATHS = ["/", "/lists", "/lists/1", "/lists/1/tasks", "/schema", "/docs", "/instance", "/nothing"]


class Cached(NamedTuple):
    access: str
    url: str
    direct: str  # past the cache
    token: str


@pytest.fixture(scope="module", params=["anyone", "read_only", "authenticated"])
def cached(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cached]:
    """A service with a list, behind a cache."""
    with empty_database(tmp_path_factory.mktemp("service")) as url:
        variables = {"DATABASE_URL": url, "ADMIN_PASSWORD": PASSWORD}
        manage("migrate", **variables)
        manage("ensure_admin", **variables)
        token = manage("drf_create_token", "admin", **variables).stdout.split()[2]
        variables |= {"API_ACCESS": request.param, "SERVED_BY": "pod"}
        with Service(variables) as service, CachingNginx(service) as nginx:
            headers = {"Authorization": f"Token {token}"}
            lists = f"{service.url}/lists"
            requests.post(lists, json={"name": "secret"}, headers=headers, timeout=HANG)
            yield Cached(request.param, f"http://127.0.0.1:{nginx.port}", service.url, token)


def log_in(service: Cached) -> requests.Session:
    """A browser whose user has logged in."""
    session = requests.Session()
    session.headers["Accept"] = BROWSER
    url = f"{service.direct}/admin/login/"
    session.get(url, timeout=HANG)
    form = {"username": "admin", "password": PASSWORD}
    form["csrfmiddlewaretoken"] = session.cookies["csrftoken"]
    assert session.post(url, data=form, timeout=HANG).url.endswith("/")
    assert "sessionid" in session.cookies
    return session


def assert_same(one: requests.Response, other: requests.Response) -> None:
    assert one.status_code == other.status_code
    assert one.headers["Content-Type"] == other.headers["Content-Type"]
    if "html" not in one.headers["Content-Type"] and one.status_code != 404:
        assert one.text == other.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["token", "browser", "wrong token"])
def test_anonymous_clients_get_what_they_would_get_without_it(
    cached: Cached, path: str, who: str
) -> None:
    address = f"{path}?limit=1" if path == "/lists" else path
    if who == "browser":
        user = log_in(cached)
        seen = user.get(cached.url + address, timeout=HANG)
    else:
        token = cached.token if who == "token" else "wrong"
        headers = {"Authorization": f"Token {token}"}
        seen = requests.get(cached.url + address, headers=headers, timeout=HANG)
    assert seen.headers["Cached"] in ("MISS", "HIT")
    for accept in ("*/*", BROWSER):
        headers = {"Accept": accept}
        through = requests.get(
            cached.url + address, headers=headers, timeout=HANG, allow_redirects=False
        )
        direct = requests.get(
            cached.direct + address, headers=headers, timeout=HANG, allow_redirects=False
        )
        assert_same(through, direct)
        assert ">admin<" not in through.text


@pytest.mark.parametrize("path", PATHS)
def test_users_get_what_they_may_see_after_somebody_who_may_not(cached: Cached, path: str) -> None:
    for headers in ({}, {"Authorization": "Token wrong"}):
        requests.get(cached.url + path, headers=headers, timeout=HANG)
    headers = {"Authorization": f"Token {cached.token}"}
    through = requests.get(cached.url + path, headers=headers, timeout=HANG)
    assert_same(through, requests.get(cached.direct + path, headers=headers, timeout=HANG))


def test_the_cache_keeps_what_is_for_everybody(cached: Cached) -> None:
    """Otherwise the tests above would pass with a cache that keeps nothing."""
    page = requests.get(cached.direct, headers={"Accept": BROWSER}, timeout=HANG)
    if page.url != f"{cached.direct}/":
        page = log_in(cached).get(cached.direct, timeout=HANG)
    [style] = [part for part in page.text.split('"') if part.endswith(".css")]
    answers = [requests.get(cached.url + style, timeout=HANG) for _ in range(2)]
    assert [answer.headers["Cached"] for answer in answers] == ["MISS", "HIT"]
