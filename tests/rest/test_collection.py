"""A collection: GET, POST, HEAD and OPTIONS, for each resource."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tasklists.models import TaskList
from tests.rest.conftest import JSON, Sample, Send

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"
MERGE_PATCH = "application/merge-patch+json"


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
    accepted = [JSON, MERGE_PATCH] if method == "patch" else [JSON]
    assert response.json()["detail"] == (
        f"Content-Type {media_type!r} is not supported; send {' or '.join(accepted)}."
    )
    for header, its_method in (("Accept-Post", "post"), ("Accept-Patch", "patch")):
        assert response.get(header) == (", ".join(accepted) if method == its_method else None)
    assert resource.the_row().version == 1


def test_a_body_needs_a_media_type(send: Send, resource: Sample) -> None:
    response = send("post", resource.collection, resource.body, "")
    assert response.status_code == 415
    assert response.json()["detail"] == f"The body needs a Content-Type; send {JSON}."


def test_a_long_media_type_is_not_repeated(send: Send, resource: Sample) -> None:
    response = send("post", resource.collection, resource.body, "a/" + "x" * 4000)
    assert response.status_code == 415
    assert len(response.json()["detail"]) < 200


@pytest.mark.parametrize("media_type", [MERGE_PATCH, f"{MERGE_PATCH}; charset=utf-8"])
def test_a_merge_patch_changes_the_members_that_it_contains(
    send: Send, resource: Sample, path: str, media_type: str
) -> None:
    response = send("patch", path, {resource.text: "after"}, media_type)
    assert response.status_code == 200
    assert response.json()[resource.text] == "after"
    assert resource.the_row().version == 2


def test_a_merge_patch_removes_with_null_where_a_member_may_be_null(
    send: Send, task_list: TaskList
) -> None:
    task = task_list.tasks.create(title="milk", due="2027-02-28")
    assert send("patch", f"/tasks/{task.pk}", {"due": None}, MERGE_PATCH).json()["due"] is None
    refused = send("patch", f"/tasks/{task.pk}", {"title": None}, MERGE_PATCH)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/title"
    whole = send("patch", f"/tasks/{task.pk}", ["milk"], MERGE_PATCH)
    assert whole.status_code == 400
    path = f"/lists/{task_list.pk}/tasks"
    assert send("patch", path, {"completed": True}, MERGE_PATCH).status_code == 204


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_merge_patch_is_for_patch_alone(
    send: Send, resource: Sample, path: str, method: str
) -> None:
    target = resource.collection if method == "post" else path
    assert send(method, target, resource.body, MERGE_PATCH).status_code == 415


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8"])
def test_json_is_read_whatever_its_parameters(
    send: Send, resource: Sample, media_type: str
) -> None:
    response = send("post", resource.collection, resource.with_text("é"), media_type)
    assert response.json()[resource.text] == "é"


def test_an_encoded_body_is_415(send: Send, resource: Sample) -> None:
    response = send("post", resource.collection, b"\x1f\x8b", Content_Encoding="gzip")
    assert response.status_code == 415
    assert response["Accept-Encoding"] == "identity"


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
        assert "application/json, text/html, application/problem+json" in response.json()["detail"]


def test_a_client_that_accepts_errors_alone_gets_json(
    client: Client, send: Send, resource: Sample, path: str
) -> None:
    """As clients do that are generated from the document, where an operation declares no other."""
    for target in (resource.collection, path, f"{resource.members}4711"):
        for method in ("get", "options"):
            response = send(method, target, Accept=PROBLEM)
            found = method == "options" or not target.endswith("4711")
            assert response.status_code == (200 if found else 404)
            assert response["Content-Type"] == ("application/json" if found else PROBLEM)
    created = send("post", resource.collection, resource.body, Accept=f"{PROBLEM};q=0.9")
    assert created.status_code == 201
    assert created["Content-Type"] == "application/json"


@pytest.mark.parametrize("accept", [PROBLEM, "application/xml", "image/*", "rubbish", ""])
def test_a_success_without_content_is_not_negotiated(
    send: Send, resource: Sample, path: str, accept: str
) -> None:
    missing = send("delete", f"{path}0", Accept=accept)
    assert missing.status_code == 404
    assert missing["Content-Type"] == PROBLEM
    assert send("delete", path, Accept=accept).status_code == 204
    assert resource.count() == 0


@pytest.mark.parametrize("accept", [PROBLEM, "image/png"])
def test_a_change_of_all_tasks_is_not_negotiated(
    send: Send, task_list: TaskList, accept: str
) -> None:
    task_list.tasks.create(title="milk")
    path = f"/lists/{task_list.pk}/tasks"
    assert send("patch", path, {"completed": True}, Accept=accept).status_code == 204
    assert task_list.tasks.get().completed
    assert send("delete", path, Accept=accept).status_code == 204
    assert not task_list.tasks.exists()


def test_a_method_that_does_not_exist_is_not_negotiated(send: Send, resource: Sample) -> None:
    assert send("put", resource.collection, resource.body, Accept="image/png").status_code == 405


def test_an_error_has_the_media_type_that_a_success_would_have(
    client: Client, resource: Sample, path: str
) -> None:
    """DRF gives JSON, and disregards that the client would like a page better."""
    headers = {"Accept": "text/html, application/json;q=0.9"}
    assert client.get(path, headers=headers)["Content-Type"] == "application/json"
    assert client.get(f"{path}0", headers=headers)["Content-Type"] == PROBLEM


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/*", "application/json;q=0.5, */*;q=0.1"]
)
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
    assert response["Accept-Post"] == JSON
    patch = "PATCH" in resource.methods
    assert response.get("Accept-Patch") == (f"{JSON}, {MERGE_PATCH}" if patch else None)
    assert response.json()["parses"] == [JSON, MERGE_PATCH] if patch else [JSON]


def test_options_of_a_row_names_what_a_patch_may_be(client: Client, path: str) -> None:
    response = client.options(path)
    assert response["Accept-Patch"] == f"{JSON}, {MERGE_PATCH}"
    assert not response.has_header("Accept-Post")
    assert response.json()["parses"] == [JSON, MERGE_PATCH]


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
