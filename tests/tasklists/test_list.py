"""One list: GET, PUT, PATCH and DELETE on ``/lists/{id}``."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tasklists.models import TaskList

pytestmark = pytest.mark.django_db


def send(client: Client, method: str, path: str, body: Any) -> Any:
    return getattr(client, method)(path, body, content_type="application/json")


@pytest.fixture
def path(task_list: TaskList) -> str:
    return f"/lists/{task_list.pk}"


@pytest.mark.parametrize("slash", ["", "/"])
def test_read(client: Client, path: str, task_list: TaskList, slash: str) -> None:
    response = client.get(path + slash)
    assert response.json()["name"] == "shopping"
    assert response["ETag"] == '"1"'


@pytest.mark.parametrize("method", ["put", "patch"])
def test_change_is_the_next_version(client: Client, path: str, method: str) -> None:
    before = client.get(path).json()
    response = send(client, method, path, {"name": " holidays "})
    assert response.status_code == 200
    after = response.json()
    assert after == client.get(path).json()
    assert after["name"] == "holidays"
    assert after["version"] == 2
    assert response["ETag"] == '"2"'
    assert after["updated_at"] > before["updated_at"]
    assert after["created_at"] == before["created_at"]


def test_a_change_is_never_earlier_than_the_one_before(client: Client, path: str) -> None:
    """Its time is taken before it waits for those whose turn it is, and by any machine's clock."""
    later = timezone.now() + timedelta(seconds=5)
    TaskList.objects.update(updated_at=later)
    changed = send(client, "put", path, {"name": "holidays"}).json()
    assert changed["version"] == 2
    assert datetime.fromisoformat(changed["updated_at"]) == later
    TaskList.objects.update(updated_at=later - timedelta(days=1))
    changed = send(client, "put", path, {"name": "holidays"}).json()
    assert later - timedelta(minutes=1) < datetime.fromisoformat(changed["updated_at"]) < later


def test_put_needs_the_name(client: Client, path: str) -> None:
    response = send(client, "put", path, {})
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/name"
    assert TaskList.objects.get().version == 1


def test_patch_writes_only_what_it_was_given(client: Client, path: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        send(client, "patch", path, {"name": "holidays"})
    [update] = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert "created_at" not in update.partition(" WHERE ")[0]


def test_patch_of_nothing_writes_nothing(client: Client, path: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = send(client, "patch", path, {})
    assert response.status_code == 200
    assert response.json()["version"] == 1
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("name", ["", None, 1, "x" * 256, "\0"])
def test_an_invalid_change_changes_nothing(
    client: Client, path: str, method: str, name: Any
) -> None:
    response = send(client, method, path, {"name": name})
    assert response.status_code == 400
    assert TaskList.objects.get().name == "shopping"


def test_delete(client: Client, path: str) -> None:
    response = client.delete(path)
    assert response.status_code == 204
    assert response.content == b""
    assert not response.has_header("Content-Type")
    assert not response.has_header("Content-Length")
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404


def test_a_browser_gets_a_page_that_says_it_is_gone(client: Client, path: str) -> None:
    """The page's own script does not understand an answer without a body."""
    page = client.delete(path, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert b"204 No Content" in page.content
    assert not TaskList.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
@pytest.mark.parametrize(
    "identifier",
    ["0", "4711", str(2**63 - 1), str(2**63), str(2**64), "9" * 5000, "-1", "x", "1.0", "%00", "٣"],
)
def test_what_is_not_there_is_404(client: Client, method: str, identifier: str) -> None:
    response = send(client, method, f"/lists/{identifier}", {"name": "x"})
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_a_query_does_not_keep_a_list_from_being_found(client: Client, path: str) -> None:
    assert client.get(f"{path}?name=other&x=1").status_code == 200


def test_a_method_the_list_lacks_is_405_with_those_it_has(client: Client, path: str) -> None:
    response = send(client, "post", path, {"name": "x"})
    assert response.status_code == 405
    assert response["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
    assert send(client, "post", f"/lists/{2**63}", {"name": "x"}).status_code == 405


def test_head_and_options(client: Client, path: str) -> None:
    assert client.head(path)["ETag"] == '"1"'
    assert client.options(path)["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
    assert client.options("/lists/4711").status_code == 200
    assert client.options(f"/lists/{2**63}").status_code == 200
    assert "PUT" in client.options(f"{path}?x=1").json()["actions"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_request_costs_one_query(
    client: Client, path: str, method: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        send(client, method, path, {"name": "x"})


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_what_was_not_there_to_be_changed_is_not_looked_for_again(
    client: Client, path: str, method: str, django_assert_num_queries: Any
) -> None:
    """By then it may be, made by somebody else, and would seem to have changed."""
    with django_assert_num_queries(1):
        assert send(client, method, "/lists/4711", {"name": "x"}).status_code == 404
