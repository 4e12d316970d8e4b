"""A collection: GET, POST, HEAD and OPTIONS, for each resource."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.rest.conftest import Sample, Send

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"


def test_an_empty_collection_is_an_empty_array(client: Client, resource: Sample) -> None:
    response = client.get(resource.collection)
    assert response.status_code == 200
    assert response.content == b"[]"
    assert response["Content-Type"] == "application/json"
    assert not response.has_header("Link")


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_spellings_list_and_create_without_a_redirect(
    client: Client, send: Send, resource: Sample, slash: str
) -> None:
    created = send("post", resource.collection + slash, resource.body)
    assert created.status_code == 201
    assert client.get(resource.collection + slash).json() == [created.json()]


def test_create_returns_the_object_its_location_and_its_tag(
    client: Client, send: Send, resource: Sample
) -> None:
    response = send("post", resource.collection, resource.body)
    row = resource.the_row()
    assert response.status_code == 201
    assert response["Content-Type"] == "application/json"
    assert response["Location"] == resource.path(row)
    assert response["ETag"] == '"1"'
    created = response.json()
    assert client.get(response["Location"]).json() == created
    assert (created["id"], created["version"]) == (row.pk, 1)
    times = [datetime.fromisoformat(created[name]) for name in ("created_at", "updated_at")]
    assert times == [row.created_at, row.updated_at]
    assert created.items() >= resource.body.items()


@pytest.mark.parametrize("microsecond", [0, 1, 100_000, 999_999])
def test_times_are_those_of_the_database_in_utc(
    client: Client, resource: Sample, row: Any, microsecond: int
) -> None:
    time = datetime(2026, 12, 31, 23, 59, 59, microsecond, tzinfo=UTC)
    resource.model._default_manager.update(created_at=time)
    [listed] = client.get(resource.collection).json()
    assert listed["created_at"].startswith("2026-12-31T23:59:59")
    assert listed["created_at"].endswith("Z")
    assert datetime.fromisoformat(listed["created_at"]) == time


def test_rows_come_in_the_order_of_their_creation(
    client: Client, send: Send, resource: Sample
) -> None:
    for text in ["c", "a", "b"]:
        send("post", resource.collection, resource.with_text(text))
    listed = client.get(resource.collection).json()
    assert [each[resource.text] for each in listed] == ["c", "a", "b"]


def test_two_rows_may_have_the_same_text(send: Send, resource: Sample) -> None:
    statuses = [send("post", resource.collection, resource.body).status_code for _ in range(2)]
    assert statuses == [201, 201]


def test_members_that_the_service_sets_are_ignored(send: Send, resource: Sample) -> None:
    """So a client may send back what it got."""
    first = send("post", resource.collection, resource.body).json()
    times = {"created_at": "2000-01-01T00:00:00Z", "updated_at": None}
    second = send("post", resource.collection, {**first, "id": 77, "version": 9, **times})
    assert second.status_code == 201
    created = second.json()
    assert (created["version"], created["created_at"][:4]) == (1, first["created_at"][:4])
    assert created["id"] not in (77, first["id"])
    assert created["updated_at"]


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_an_unknown_member_is_pointed_at(
    send: Send, resource: Sample, row: Any, path: str, method: str
) -> None:
    target = resource.collection if method == "post" else path
    response = send(method, target, {**resource.body, "a/b~c": 1, "Version": 2, "": None})
    assert response.status_code == 400
    errors = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
    assert errors.keys() == {"/a~1b~0c", "/Version", "/"}
    assert resource.text in errors["/Version"]
    assert resource.the_row().version == 1


def test_an_answer_about_many_unknown_members_is_short(send: Send, resource: Sample) -> None:
    many = {f"{number}-{'x' * 1000}": 1 for number in range(60)}
    response = send("post", resource.collection, {**resource.body, **many})
    assert response.status_code == 400
    assert len(response.content) < 10_000
    assert resource.count() == 0


def test_unknown_members_and_invalid_values_are_told_together(send: Send, resource: Sample) -> None:
    response = send("post", resource.collection, {**resource.with_text(1), "other": 1})
    pointers = {error["pointer"] for error in response.json()["errors"]}
    assert pointers == {f"/{resource.text}", "/other"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x", "x"),
        ("x" * 255, "x" * 255),
        (" \t shopping \n", "shopping"),
        (" " * 300 + "x", "x"),
        ("日本語 🛒 مرحبا é e\u0301", "日本語 🛒 مرحبا é e\u0301"),
        ("\U0010ffff" * 255, "\U0010ffff" * 255),
        ("a\u0001\u001b[31m\u2028\u007f\u0085b", "a\u0001\u001b[31m\u2028\u007f\u0085b"),
        ("'; DROP TABLE books_book; -- \"\\", "'; DROP TABLE books_book; -- \"\\"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("%s %(title)s %% {} {0} $1 \\u0000", "%s %(title)s %% {} {0} $1 \\u0000"),
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_texts_survive_a_round_trip(
    client: Client, send: Send, resource: Sample, path: str, method: str, sent: str, kept: str
) -> None:
    target = resource.collection if method == "post" else path
    response = send(method, target, resource.with_text(sent))
    assert response.status_code in (200, 201)
    assert response.json()[resource.text] == kept
    [*_, listed] = client.get(resource.collection).json()
    assert listed == response.json()


@pytest.mark.parametrize(
    "text",
    ["", "  \t\n ", None, 1, 1.5, True, ["x"], {"x": 1}, "a\u0000b", "\u0000", "x" * 256],
    ids=lambda text: repr(text)[:20],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_an_invalid_text_is_pointed_at_and_writes_nothing(
    send: Send, resource: Sample, path: str, method: str, text: Any
) -> None:
    target = resource.collection if method == "post" else path
    response = send(method, target, resource.with_text(text))
    assert response.status_code == 400
    assert response["Content-Type"] == PROBLEM
    problem = response.json()
    assert problem["status"] == 400
    [error] = problem["errors"]
    assert error["pointer"] == f"/{resource.text}"
    assert error["detail"]
    row = resource.the_row()
    assert (getattr(row, resource.text), row.version) == ("before", 1)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_text_that_is_a_deeply_nested_value_is_pointed_at(
    send: Send, resource: Sample, opening: str
) -> None:
    closing = "]" if opening == "[" else "}"
    nested = f"{opening * 1000}1{closing * 1000}"
    response = send("post", resource.collection, f'{{"{resource.text}": {nested}}}'.encode())
    assert response.status_code == 400
    assert f"/{resource.text}" in [error["pointer"] for error in response.json()["errors"]]
    assert resource.count() == 0


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_missing_member_is_pointed_at(
    send: Send, resource: Sample, path: str, method: str
) -> None:
    response = send(method, resource.collection if method == "post" else path, {})
    assert response.status_code == 400
    pointers = {error["pointer"] for error in response.json()["errors"]}
    assert pointers == {f"/{name}" for name in resource.body}
    assert resource.the_row().version == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"title=x",
        b"[]",
        b'["title"]',
        b"null",
        b'"title"',
        b"1",
        b'{"title": NaN}',
        b'{"title": "\\ud800"}',
        b'{"title": "\xff"}',
        b'\xef\xbb\xbf{"title": "x"}',
        '{"title": "x"}'.encode("utf-16"),
        b"[" * 65_000,
    ],
    ids=lambda body: repr(body)[:20],
)
@pytest.mark.parametrize("method", ["post", "put"])
def test_a_body_that_is_no_json_object_is_refused(
    send: Send, resource: Sample, path: str, method: str, body: bytes
) -> None:
    response = send(method, resource.collection if method == "post" else path, body)
    assert response.status_code == 400
    assert response["Content-Type"] == PROBLEM
    assert resource.the_row().version == 1


def test_of_a_member_given_twice_the_last_counts(send: Send, resource: Sample) -> None:
    body = {name: value for name, value in resource.body.items() if name != resource.text}
    twice = f'{{"{resource.text}": "a", "{resource.text}": "b"'
    for name, value in body.items():
        twice += f', "{name}": {value}'
    response = send("post", resource.collection, f"{twice}}}".encode())
    assert response.json()[resource.text] == "b"


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "rubbish"]
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_only_json_is_read(
    send: Send, resource: Sample, path: str, method: str, media_type: str
) -> None:
    target = resource.collection if method == "post" else path
    response = send(method, target, resource.body, media_type)
    assert response.status_code == 415
    assert response["Content-Type"] == PROBLEM
    assert response.json()["status"] == 415
    assert resource.the_row().version == 1


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8"])
def test_json_is_read_whatever_its_parameters(
    send: Send, resource: Sample, media_type: str
) -> None:
    response = send("post", resource.collection, resource.with_text("é"), media_type)
    assert response.json()[resource.text] == "é"


def test_an_encoded_body_is_415(send: Send, resource: Sample) -> None:
    response = send("post", resource.collection, b"\x1f\x8b", Content_Encoding="gzip")
    assert response.status_code == 415


def test_a_body_over_the_limit_is_413(send: Send, resource: Sample) -> None:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    fits = (b"%s" % str(resource.body).replace("'", '"').encode()).ljust(limit)
    assert send("post", resource.collection, fits).status_code == 201
    response = send("post", resource.collection, fits + b" ")
    assert response.status_code == 413
    assert response["Content-Type"] == PROBLEM
    assert response.json()["status"] == 413
    assert resource.count() == 1


@pytest.mark.parametrize("accept", ["application/xml", "image/*", "text/plain", "rubbish"])
def test_other_media_types_are_not_acceptable(
    client: Client, resource: Sample, path: str, accept: str
) -> None:
    for target in (resource.collection, path):
        response = client.get(target, headers={"Accept": accept})
        assert response.status_code == 406
        assert response["Content-Type"] == PROBLEM


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json;q=0.5, */*;q=0.1"])
def test_a_client_that_does_not_ask_for_html_gets_json(
    client: Client, resource: Sample, path: str, accept: str
) -> None:
    for target in (resource.collection, path):
        response = client.get(target, headers={"Accept": accept})
        assert response["Content-Type"] == "application/json"
        assert response["Vary"] == "Accept"


def test_a_method_that_a_collection_lacks_is_405_with_those_it_has(
    send: Send, resource: Sample
) -> None:
    for method in {"PUT", "PATCH", "DELETE", "TRACE", "QUERY"} - set(resource.methods.split(", ")):
        response = send(method, resource.collection)
        assert response.status_code == 405
        assert response["Allow"] == f"{resource.methods}, HEAD, OPTIONS"
        assert response["Content-Type"] == PROBLEM


def test_head_is_get_without_a_body(client: Client, resource: Sample, path: str) -> None:
    for target in (resource.collection, path):
        head, get = client.head(target), client.get(target)
        assert head.content == b""
        assert head["Content-Length"] == str(len(get.content))
        for header in ("Content-Type", "ETag", "Vary"):
            assert head.get(header) == get.get(header)


def test_options_names_the_methods(client: Client, resource: Sample) -> None:
    response = client.options(resource.collection)
    assert response.status_code == 200
    assert response["Allow"] == f"{resource.methods}, HEAD, OPTIONS"
    assert "POST" in response.json()["actions"]


@pytest.mark.parametrize("name", ["other", "format", "page", "id", "ü"])
def test_an_unknown_parameter_is_refused_with_those_that_are_known(
    client: Client, resource: Sample, name: str
) -> None:
    response = client.get(resource.collection, {name: "x", "limit": "1"})
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["parameter"] == name
    assert error["detail"].endswith("limit, after.")


def test_a_parameter_that_is_given_twice_is_refused(client: Client, resource: Sample) -> None:
    response = client.get(f"{resource.collection}?limit=1&limit=1")
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "limit"


def test_requests_cost_one_query(
    client: Client, send: Send, resource: Sample, django_assert_num_queries: Any
) -> None:
    resource.make_many(3)
    with django_assert_num_queries(1):
        client.get(f"{resource.collection}?limit=2")
    with django_assert_num_queries(1):
        assert send("post", resource.collection, resource.body).status_code == 201
