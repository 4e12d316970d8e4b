"""Conditional requests: ETag, If-Match and If-None-Match."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tasklists.models import TaskList

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(task_list: TaskList) -> str:
    return f"/lists/{task_list.pk}"


def send(client: Client, method: str, path: str, name: str = "new", **headers: str) -> Any:
    return getattr(client, method)(
        path, {"name": name}, content_type="application/json", headers=headers
    )


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("tags", ['"1"', "*", '"0", "1"', ' "1" , "7"'])
def test_a_current_if_match_lets_the_change_through(
    client: Client, path: str, method: str, tags: str
) -> None:
    assert send(client, method, path, **{"If-Match": tags}).status_code in (200, 204)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "get"])
@pytest.mark.parametrize("tags", ['"0"', '"2"', '"11"', 'W/"1"', '""', '"0", "2"'])
def test_stale_if_match_changes_nothing(client: Client, path: str, method: str, tags: str) -> None:
    response = send(client, method, path, **{"If-Match": tags})
    assert response.status_code == 412
    assert response.json()["status"] == 412
    assert TaskList.objects.get().version == 1


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("tags", ["1", "'1'", "", '"1', '"1" "2"', "*, *", '"1",,', "ÿ"])
def test_an_if_match_that_cannot_be_read_fails(
    client: Client, path: str, method: str, tags: str
) -> None:
    response = send(client, method, path, **{"If-Match": tags})
    assert response.status_code == 412
    assert "double quotes" in response.json()["detail"]
    assert TaskList.objects.get().version == 1


def test_if_match_on_what_is_not_there_is_404(client: Client, db: None) -> None:
    assert send(client, "put", "/lists/4711", **{"If-Match": '"1"'}).status_code == 404


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', "*", '"7", "1"'])
def test_a_version_the_client_has_is_not_sent_again(
    client: Client, path: str, method: str, tags: str
) -> None:
    response = getattr(client, method)(path, headers={"If-None-Match": tags})
    assert response.status_code == 304
    assert response.content == b""
    assert response["ETag"] == '"1"'


def test_a_new_version_is_sent(client: Client, path: str) -> None:
    send(client, "put", path)
    response = client.get(path, headers={"If-None-Match": '"1"'})
    assert response.status_code == 200
    assert response["ETag"] == '"2"'


def test_a_browser_page_has_no_tag_of_the_json(client: Client, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html", "If-None-Match": '"1"'})
    assert response.status_code == 200
    assert not response.has_header("ETag")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_row_is_locked_before_the_condition_is_checked(
    client: Client, path: str, method: str
) -> None:
    with CaptureQueriesContext(connection) as queries:
        send(client, method, path, **{"If-Match": '"1"'})
    begin, select = [query["sql"] for query in queries][:2]
    if connection.vendor == "sqlite":
        assert begin == "BEGIN IMMEDIATE"
    else:
        assert select.endswith("FOR UPDATE")
