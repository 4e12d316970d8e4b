"""Which responses a shared cache must not store."""

import pytest
from django.conf import LazySettings
from django.test import Client

from tasklists.models import TaskList
from tests.conftest import BROWSER

pytestmark = pytest.mark.django_db

PATHS = ["/", "/lists", "/lists/{id}", "/lists/0", "/lists/{id}/tasks", "/schema", "/docs", "/x"]


@pytest.fixture
def path(request: pytest.FixtureRequest, task_list: TaskList) -> str:
    path: str = request.param.format(id=task_list.pk)
    return path


def is_private(client: Client, path: str, method: str = "get", **headers: str) -> bool:
    response = getattr(client, method)(path, headers=headers)
    private: bool = response.get("Cache-Control") == "private, no-cache"
    assert private or "Cache-Control" not in response
    if private:
        assert {"Accept", "Cookie", "Authorization"} <= set(response["Vary"].split(", "))
    return private


@pytest.mark.parametrize("method", ["get", "head", "options", "post"])
@pytest.mark.parametrize("access", ["read_only", "authenticated"])
@pytest.mark.parametrize("path", PATHS, indirect=True)
def test_every_response_while_access_is_limited(
    client: Client, settings: LazySettings, path: str, access: str, method: str
) -> None:
    settings.API_ACCESS = access
    assert is_private(client, path, method)
    assert is_private(client, path, method, Accept=BROWSER)


@pytest.mark.parametrize("path", PATHS, indirect=True)
def test_responses_to_credentials(client: Client, path: str) -> None:
    for headers in ({"Authorization": "Token wrong"}, {"Cookie": "sessionid=wrong"}):
        assert is_private(client, path, **headers)


@pytest.mark.parametrize("path", PATHS, indirect=True)
def test_pages(client: Client, path: str) -> None:
    media_type = client.get(path, headers={"Accept": BROWSER})["Content-Type"]
    assert is_private(client, path, Accept=BROWSER) == media_type.startswith("text/html")


@pytest.mark.parametrize("path", ["/", "/lists", "/lists/{id}", "/lists/0"], indirect=True)
def test_json_that_anyone_may_read_is_for_everybody(client: Client, path: str) -> None:
    assert not is_private(client, path)
    assert client.get(path)["Vary"] == "Accept"


def test_not_modified_says_what_the_response_would_say(
    client: Client, settings: LazySettings, task_list: TaskList
) -> None:
    settings.API_ACCESS = "read_only"
    response = client.get(f"/lists/{task_list.pk}", headers={"If-None-Match": '"1"'})
    assert response.status_code == 304
    assert response["Cache-Control"] == "private, no-cache"
