"""Conditional requests: ETag, If-Match and If-None-Match, for each resource."""

import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.exceptions import APIException

from rest import entity_tags
from rest.entity_tags import MAX_TAGS
from rest.models import Resource
from tests.rest.conftest import Sample, Send

pytestmark = pytest.mark.django_db

METHODS = pytest.mark.parametrize("method", ["put", "patch", "delete"])


@METHODS
@pytest.mark.parametrize("tags", ['"1"', "*", '"0", "1"', ' "1" , "7"'])
def test_a_current_if_match_lets_the_change_through(
    send: Send, resource: Sample, path: str, method: str, tags: str
) -> None:
    assert send(method, path, resource.body, If_Match=tags).status_code in (200, 204)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "get"])
@pytest.mark.parametrize("tags", ['"0"', '"2"', '"11"', '"01"', 'W/"1"', '""', '"0", "2"'])
def test_a_stale_if_match_changes_nothing(
    send: Send, resource: Sample, path: str, method: str, tags: str
) -> None:
    response = send(method, path, resource.body, If_Match=tags)
    assert response.status_code == 412
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 412
    assert "Fetch it again" in response.json()["detail"]
    assert resource.the_row().version == 1


@METHODS
@pytest.mark.parametrize("tags", ["1", "'1'", "", '"1', '"1" "2"', "*, *", '"1",,', "ÿ"])
def test_a_malformed_if_match_fails(
    send: Send, resource: Sample, path: str, method: str, tags: str
) -> None:
    response = send(method, path, resource.body, If_Match=tags)
    assert response.status_code == 412
    assert "double quotes" in response.json()["detail"]
    assert resource.the_row().version == 1


def test_patch_of_nothing_checks_if_match(send: Send, path: str) -> None:
    assert send("patch", path, {}, If_Match='"2"').status_code == 412
    assert send("patch", path, {}, If_Match='"1"').status_code == 200


def many(count: int) -> str:
    """So many tags, of which the last one is that of a new row."""
    return ",".join([*(f'"{n + 7}"' for n in range(count - 1)), '"1"'])


@METHODS
def test_as_many_tags_as_there_may_be(send: Send, resource: Sample, path: str, method: str) -> None:
    response = send(method, path, resource.body, If_Match=many(MAX_TAGS))
    assert response.status_code in (200, 204)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "get"])
@pytest.mark.parametrize("value", [many(MAX_TAGS + 1), many(7000), '"1" , ' * 101, '"",' * 9000])
def test_too_many_tags_in_if_match_are_refused(
    send: Send, resource: Sample, path: str, method: str, value: str
) -> None:
    for body in (resource.body, {}):
        response = send(method, path, body, If_Match=value)
        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["detail"] == f"If-Match takes at most {MAX_TAGS} entity tags."
    assert resource.the_row().version == 1


def test_too_many_tags_in_if_none_match_are_refused(client: Client, path: str) -> None:
    known = client.get(path, headers={"If-None-Match": many(MAX_TAGS)})
    assert known.status_code == 304
    response = client.get(path, headers={"If-None-Match": many(MAX_TAGS + 1)})
    assert response.status_code == 400
    assert response.json()["detail"] == f"If-None-Match takes at most {MAX_TAGS} entity tags."


HOSTILE = {
    "tags": '"1",' * 8000,
    "tags without commas": '"1"' * 10_000,
    "empty tags": '"",' * 10_000,
    "quotes": '"' * 32_000,
    "commas": "," * 32_000,
    "asterisks": "*," * 16_000,
    "a long tag": f'"{"x" * 32_000}"',
    "a tag without end": f'"{"x" * 32_000}',
    "weak": "W/" * 16_000,
    "white space": " " * 32_000,
    "white space before a tag": " " * 16_000 + '"1"' + " " * 16_000 + "x",
    "white space between tags": ('"1"' + " \t" * 160 + ",") * 99 + "x",
    "long tags": f'"{"x" * 320}",' * 99 + "x",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_header_is_read_in_no_time(value: str) -> None:
    """In 32 KB, anything quadratic takes half a second, and what is linear below a millisecond."""
    request: Any = SimpleNamespace(META={"HTTP_IF_MATCH": value, "HTTP_IF_NONE_MATCH": value})

    def read() -> float:
        start = time.thread_time()
        for call in (entity_tags.check, entity_tags.is_known):
            with suppress(APIException):
                call(request, 1)
        return time.thread_time() - start

    assert min(read() for _ in range(3)) < 0.05


@METHODS
def test_if_match_on_a_missing_row_is_404(send: Send, resource: Sample, method: str) -> None:
    for tags in ('"1"', "*", "rubbish"):
        response = send(method, f"{resource.members}4711", resource.body, If_Match=tags)
        assert response.status_code == 404


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', "*", '"7", "1"'])
def test_a_version_that_the_client_has_is_not_sent_again(
    client: Client, path: str, method: str, tags: str
) -> None:
    response = getattr(client, method)(path, headers={"If-None-Match": tags})
    assert response.status_code == 304
    assert response.content == b""
    assert response["ETag"] == '"1"'
    assert not response.has_header("Content-Length")


@pytest.mark.parametrize("tags", ['"2"', '"11"', "1", "rubbish", ""])
def test_another_version_is_sent(client: Client, path: str, tags: str) -> None:
    response = client.get(path, headers={"If-None-Match": tags})
    assert response.status_code == 200
    assert response["ETag"] == '"1"'


def test_a_new_version_is_sent(client: Client, send: Send, resource: Sample, path: str) -> None:
    send("put", path, resource.body)
    response = client.get(path, headers={"If-None-Match": '"1"'})
    assert response.status_code == 200
    assert response["ETag"] == '"2"'


def test_a_browser_page_has_no_tag_of_the_json(client: Client, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html", "If-None-Match": '"1"'})
    assert response.status_code == 200
    assert not response.has_header("ETag")


@METHODS
def test_the_condition_is_part_of_the_statement_that_writes(
    send: Send, resource: Sample, path: str, method: str, django_assert_num_queries: Any
) -> None:
    """With one statement nothing can come between the check and the change."""
    with django_assert_num_queries(1) as queries:
        assert send(method, path, resource.body, If_Match='"1"').status_code in (200, 204)
    assert queries[0]["sql"].startswith(("UPDATE", "DELETE"))


TRIGGERS = {
    "sqlite": ["CREATE TRIGGER keep BEFORE {1} ON {0} BEGIN SELECT RAISE(IGNORE); END"],
    "postgresql": [
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER keep BEFORE {1} ON {0} FOR EACH ROW EXECUTE FUNCTION keep()",
    ],
}


def ignore(model: type[Resource], operation: str) -> None:
    """Let the database write nothing, as when somebody else was faster."""
    with connection.cursor() as cursor:
        for statement in TRIGGERS[connection.vendor]:
            cursor.execute(statement.format(model._meta.db_table, operation))


@pytest.mark.parametrize(
    ("method", "operation"), [("put", "UPDATE"), ("patch", "UPDATE"), ("delete", "DELETE")]
)
def test_a_change_that_the_database_did_not_write_is_not_acknowledged(
    send: Send, resource: Sample, path: str, method: str, operation: str
) -> None:
    ignore(resource.model, operation)
    assert send(method, path, resource.body, If_Match='"1"').status_code == 412
    assert send(method, path, resource.body).status_code == 404


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "key"}])
def test_a_row_that_the_database_did_not_write_is_not_acknowledged(
    send: Send, resource: Sample, headers: dict[str, str]
) -> None:
    ignore(resource.model, "INSERT")
    response = send("post", resource.collection, resource.body, **headers)
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert resource.count() == 0


def test_a_row_of_version_0_is_changed_on_condition(
    send: Send, resource: Sample, path: str
) -> None:
    resource.model._default_manager.update(version=0)
    assert send("put", path, resource.body, If_Match='"0"')["ETag"] == '"1"'
