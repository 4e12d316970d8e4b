"""One row: GET, PUT, PATCH and DELETE, for each resource."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rest.models import Resource
from tests.rest.conftest import Sample, Send

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slash", ["", "/"])
def test_read(client: Client, resource: Sample, path: str, slash: str) -> None:
    response = client.get(path + slash)
    assert response.status_code == 200
    assert response.json()[resource.text] == "before"
    assert response["ETag"] == '"1"'


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_change_is_the_next_version(
    client: Client, send: Send, resource: Sample, path: str, method: str
) -> None:
    before = client.get(path).json()
    whole = before if method == "put" else {}  # or PUT would return members to their defaults
    response = send(method, path, {**whole, **resource.with_text(" after ")})
    assert response.status_code == 200
    after = response.json()
    assert after == client.get(path).json()
    assert after[resource.text] == "after"
    assert after["version"] == 2
    assert response["ETag"] == '"2"'
    assert after["updated_at"] > before["updated_at"]
    changed = {resource.text, "version", "updated_at"}
    assert {name for name in after if after[name] != before[name]} == changed


def test_a_client_may_send_back_what_it_got(client: Client, send: Send, path: str) -> None:
    before = client.get(path).json()
    for method in ("put", "patch"):
        after = send(method, path, before).json()
        differences = {name for name in after if after[name] != before[name]}
        assert differences == {"version", "updated_at"}


def test_a_change_is_never_earlier_than_the_one_before(
    send: Send, resource: Sample, path: str
) -> None:
    """A request takes its time before it waits for the row's lock, and clocks differ."""
    rows = resource.model._default_manager
    later = timezone.now() + timedelta(seconds=60)
    rows.update(updated_at=later)
    changed = send("put", path, resource.body).json()
    assert changed["version"] == 2
    assert datetime.fromisoformat(changed["updated_at"]) == later
    rows.update(updated_at=later - timedelta(days=1))
    changed = send("put", path, resource.body).json()
    assert later - timedelta(minutes=2) < datetime.fromisoformat(changed["updated_at"]) < later


def test_patch_writes_only_the_given_members(
    client: Client, send: Send, resource: Sample, path: str
) -> None:
    """What others write to the other members at the same time stays."""
    created_at = timezone.now() - timedelta(days=400)
    resource.model._default_manager.update(created_at=created_at)
    with CaptureQueriesContext(connection) as queries:
        send("patch", path, {resource.text: "after"})
    [update] = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    written = update.partition(" WHERE ")[0].partition(" SET ")[2].split(", ")
    assert sum(" = " in each for each in written) == 3, "the member, the time and the version"
    assert datetime.fromisoformat(client.get(path).json()["created_at"]) == created_at


@pytest.mark.parametrize("body", [{}, {"id": 7, "version": 7, "created_at": None}])
def test_patch_of_nothing_writes_nothing(
    send: Send, resource: Sample, path: str, body: dict[str, Any]
) -> None:
    response = send("patch", path, body)
    assert response.status_code == 200
    assert response["ETag"] == '"1"'
    assert response.json()["version"] == resource.the_row().version == 1


def test_delete(client: Client, resource: Sample, path: str) -> None:
    response = client.delete(path)
    assert response.status_code == 204
    assert response.content == b""
    assert not response.has_header("Content-Type")
    assert not response.has_header("Content-Length")
    assert resource.count() == 0
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404


def test_the_id_of_a_deleted_row_is_not_used_again(
    client: Client, send: Send, resource: Sample, path: str
) -> None:
    client.delete(path)
    assert send("post", resource.collection, resource.body)["Location"] != path


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
@pytest.mark.parametrize(
    "identifier",
    ["0", "4711", str(2**63 - 1), str(2**63), str(2**64), "9" * 5000, "-1", "x", "1.0", "%00", "٣"],
    ids=lambda identifier: identifier[:20],
)
def test_what_does_not_exist_is_404(
    send: Send, resource: Sample, method: str, identifier: str
) -> None:
    body = None if method in ("get", "delete") else resource.body
    response = send(method, f"{resource.members}{identifier}", body)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_a_query_does_not_keep_a_row_from_being_found(client: Client, path: str) -> None:
    assert client.get(f"{path}?name=other&x=1").status_code == 200


def test_a_method_that_a_row_lacks_is_405_with_those_it_has(
    send: Send, resource: Sample, path: str
) -> None:
    for target in (path, f"{resource.members}{2**63}"):
        response = send("post", target, resource.body)
        assert response.status_code == 405
        assert response["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"


def test_options(client: Client, resource: Sample, path: str) -> None:
    assert client.options(path)["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
    assert client.options(f"{resource.members}4711").status_code == 200
    assert client.options(f"{resource.members}{2**63}").status_code == 200
    for query in ("", "?x=1"):
        assert "PUT" in client.options(path + query).json()["actions"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_request_costs_one_query(
    send: Send, resource: Sample, path: str, method: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert send(method, path, resource.body).status_code in (200, 204)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_missing_row_is_not_looked_for_again(
    send: Send, resource: Sample, method: str, django_assert_num_queries: Any
) -> None:
    """By then it may exist, created by somebody else, and would seem to have changed."""
    with django_assert_num_queries(1):
        assert send(method, f"{resource.members}4711", resource.body).status_code == 404


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_a_missing_row_and_a_stale_version_are_told_before_an_invalid_body(
    send: Send, resource: Sample, path: str, media_type: str
) -> None:
    def put(path: str, **headers: str) -> int:
        return int(send("put", path, b"{", media_type, **headers).status_code)

    assert put(f"{resource.members}4711") == 404
    assert put(path, If_Match='"7"') == 412
    assert put(path) in (400, 415)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_change_of_a_row_takes_no_parameters(
    send: Send, resource: Sample, row: Resource, path: str, method: str
) -> None:
    """A filter shows that the path of a collection was meant; the row must not be deleted."""
    response = send(method, f"{path}?completed=true&nmae=", resource.body)
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"parameter": name, "detail": "This parameter is unknown; there are none here."}
        for name in ("completed", "nmae")
    ]
    row.refresh_from_db()
    assert row.version == 1


def test_a_form_may_be_sent_from_a_page_with_parameters(send: Send, resource: Sample) -> None:
    """The browsable API's form is sent to the address of its page."""
    response = send("post", f"{resource.collection}?limit=1", resource.body)
    assert response.status_code == 201
