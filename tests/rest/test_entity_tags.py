"""Conditional requests: ETag, If-Match and If-None-Match."""

import re
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


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_what_is_wrong_with_the_list_is_told_before_what_is_wrong_with_the_body(
    client: Client, path: str, media_type: str
) -> None:
    def put(path: str, **headers: str) -> int:
        return client.put(path, "{", content_type=media_type, headers=headers).status_code

    assert put("/lists/4711") == 404
    assert put(path, **{"If-Match": '"7"'}) == 412
    assert put(path) in (400, 415)


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', "*", '"7", "1"'])
def test_a_version_the_client_has_is_not_sent_again(
    client: Client, path: str, method: str, tags: str
) -> None:
    response = getattr(client, method)(path, headers={"If-None-Match": tags})
    assert response.status_code == 304
    assert response.content == b""
    assert response["ETag"] == '"1"'
    assert not response.has_header("Content-Length")


def test_a_new_version_is_sent(client: Client, path: str) -> None:
    send(client, "put", path)
    response = client.get(path, headers={"If-None-Match": '"1"'})
    assert response.status_code == 200
    assert response["ETag"] == '"2"'


def test_a_browser_page_has_no_tag_of_the_json(client: Client, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html", "If-None-Match": '"1"'})
    assert response.status_code == 200
    assert not response.has_header("ETag")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_condition_is_part_of_what_writes(client: Client, path: str, method: str) -> None:
    """Nothing can come between the check and the change."""
    with CaptureQueriesContext(connection) as queries:
        send(client, method, path, **{"If-Match": '"1"'})
    [write] = [query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "DELETE"))]
    assert re.search(r'AND "tasklists_tasklist"."version" IN \(1\)', write)


TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER keep_{0} BEFORE {0} ON tasklists_tasklist BEGIN SELECT RAISE(IGNORE); END"
    ],
    "postgresql": [
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER keep BEFORE {0} ON tasklists_tasklist FOR EACH ROW EXECUTE FUNCTION keep()",
    ],
}


@pytest.mark.parametrize(("method", "statement"), [("put", "UPDATE"), ("delete", "DELETE")])
def test_what_the_database_did_not_write_is_not_acknowledged(
    client: Client, path: str, method: str, statement: str
) -> None:
    """As when the list has become such a version between the write and the look at why not."""
    with connection.cursor() as cursor:
        for each in TRIGGERS[connection.vendor]:
            cursor.execute(each.format(statement))
    assert send(client, method, path, **{"If-Match": '"1"'}).status_code == 412


def test_a_list_of_version_0_is_changed_on_condition(client: Client, path: str) -> None:
    TaskList.objects.update(version=0)
    assert send(client, "put", path, **{"If-Match": '"0"'})["ETag"] == '"1"'
