"""The collection: GET and POST on ``/`` and ``/lists``."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tasklists.models import TaskList

pytestmark = pytest.mark.django_db


def post(client: Client, body: Any, path: str = "/lists") -> Any:
    return client.post(path, body, content_type="application/json")


def test_no_lists_are_an_empty_array(client: Client) -> None:
    response = client.get("/lists")
    assert response.content == b"[]"
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/", "/lists", "/lists/"])
def test_every_spelling_lists_and_creates_without_a_redirect(client: Client, path: str) -> None:
    created = post(client, {"name": "shopping"}, path)
    assert created.status_code == 201
    assert client.get(path).json() == [created.json()]


def test_create_answers_with_the_list_its_place_and_its_tag(client: Client) -> None:
    response = post(client, {"name": "shopping"})
    created = TaskList.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"/lists/{created.pk}"
    assert response["ETag"] == '"1"'
    assert client.get(response["Location"]).json() == response.json()
    body = response.json()
    times = [datetime.fromisoformat(body.pop(name)) for name in ("created_at", "updated_at")]
    assert times == [created.created_at, created.updated_at]
    assert body == {"id": created.pk, "name": "shopping", "version": 1}


@pytest.mark.parametrize("microsecond", [0, 1, 100_000, 999_999])
def test_times_are_those_of_the_database_in_utc(client: Client, microsecond: int) -> None:
    time = datetime(2026, 12, 31, 23, 59, 59, microsecond, tzinfo=UTC)
    TaskList.objects.create(name="x")
    TaskList.objects.update(created_at=time)
    [listed] = client.get("/lists").json()
    assert listed["created_at"].startswith("2026-12-31T23:59:59")
    assert listed["created_at"].endswith("Z")
    assert datetime.fromisoformat(listed["created_at"]) == time


def test_lists_come_in_order_of_id(client: Client) -> None:
    for name in ["c", "a", "b"]:
        post(client, {"name": name})
    assert [each["name"] for each in client.get("/lists").json()] == ["c", "a", "b"]


def test_two_lists_may_have_the_same_name(client: Client) -> None:
    assert [post(client, {"name": "x"}).status_code for _ in range(2)] == [201, 201]


def test_members_that_the_service_sets_are_ignored(client: Client) -> None:
    body = {"name": "x", "id": 77, "version": 9, "created_at": "2000-01-01T00:00:00Z"}
    created = post(client, body).json()
    assert (created["version"], created["created_at"][:4]) != (9, "2000")
    assert created["id"] != 77


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x", "x"),
        ("x" * 255, "x" * 255),
        (" \t shopping \n", "shopping"),
        (" " * 300 + "x", "x"),
        ("日本語 🛒 مرحبا é e\u0301", "日本語 🛒 مرحبا é e\u0301"),
        ("\U0010ffff" * 255, "\U0010ffff" * 255),
        ("a\u0001\u001b[31m\u2028b", "a\u0001\u001b[31m\u2028b"),
        ('"; DROP TABLE tasklists_tasklist; --', '"; DROP TABLE tasklists_tasklist; --'),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_names_survive_a_round_trip(client: Client, sent: str, kept: str) -> None:
    created = post(client, {"name": sent})
    assert created.status_code == 201
    assert client.get(created["Location"]).json()["name"] == kept


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": ""}',
        b'{"name": "  \\t\\n "}',
        b'{"name": null}',
        b'{"name": 1}',
        b'{"name": 1.5}',
        b'{"name": true}',
        b'{"name": ["x"]}',
        b'{"name": {"x": 1}}',
        b'{"name": "a\\u0000b"}',
        b"{}",
        b'{"name": "' + b"x" * 256 + b'"}',
    ],
)
def test_an_invalid_name_is_pointed_at_and_nothing_is_made(client: Client, body: bytes) -> None:
    response = post(client, body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 400
    assert [error["pointer"] for error in problem["errors"]] == ["/name"]
    assert problem["errors"][0]["detail"]
    assert not TaskList.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"name=x",
        b"[]",
        b'["name"]',
        b"null",
        b'"name"',
        b"1",
        b'{"name": NaN}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "x"}',
        '{"name": "x"}'.encode("utf-16"),
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_object_is_refused(client: Client, body: bytes) -> None:
    response = post(client, body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert not TaskList.objects.exists()


def test_of_a_member_given_twice_the_last_counts(client: Client) -> None:
    assert post(client, b'{"name": "a", "name": "b"}').json()["name"] == "b"


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/xml", "rubbish"],
)
def test_only_json_is_read(client: Client, media_type: str) -> None:
    response = client.post("/lists", '{"name": "x"}', content_type=media_type)
    assert response.status_code == 415
    assert response.json()["status"] == 415


def test_a_form_is_read_from_a_browser_alone(client: Client) -> None:
    assert client.post("/lists", {"name": "x"}).status_code == 415
    page = client.post("/lists", {"name": "x"}, headers={"Accept": "text/html"})
    assert page.status_code == 201
    assert TaskList.objects.get().name == "x"


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8"])
def test_json_is_read_whatever_its_parameters(client: Client, media_type: str) -> None:
    response = client.post("/lists", '{"name": "é"}'.encode(), content_type=media_type)
    assert response.json()["name"] == "é"


@pytest.mark.parametrize("accept", ["application/xml", "image/*", "text/plain", "rubbish"])
def test_other_media_types_are_not_acceptable(client: Client, accept: str) -> None:
    response = client.get("/lists", headers={"Accept": accept})
    assert response.status_code == 406
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json;q=0.5, */*;q=0.1"])
def test_json_is_what_a_client_gets_who_does_not_ask_for_html(client: Client, accept: str) -> None:
    assert client.get("/lists", headers={"Accept": accept})["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_a_method_the_collection_lacks_is_405_with_those_it_has(
    client: Client, method: str
) -> None:
    response = getattr(client, method)("/lists")
    assert response.status_code == 405
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert response.json()["status"] == 405


def test_head_is_get_without_a_body(client: Client, task_list: TaskList) -> None:
    head, get = client.head("/lists?limit=1"), client.get("/lists?limit=1")
    assert head.content == b""
    assert head["Content-Type"] == get["Content-Type"]
    assert head["Content-Length"] == str(len(get.content))


def test_options_names_the_methods(client: Client) -> None:
    response = client.options("/lists")
    assert response.status_code == 200
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_body_over_one_mebibyte_is_413(client: Client) -> None:
    limit = 1024 * 1024
    fits = b'{"name": "x"}'.ljust(limit)
    assert post(client, fits).status_code == 201
    response = post(client, fits + b" ")
    assert response.status_code == 413
    assert response.json()["status"] == 413
    assert TaskList.objects.count() == 1


def test_an_encoded_body_is_415(client: Client) -> None:
    response = client.post(
        "/lists", b"\x1f\x8b", content_type="application/json", headers={"Content-Encoding": "gzip"}
    )
    assert response.status_code == 415


def test_requests_cost_one_query(client: Client, django_assert_num_queries: Any) -> None:
    for number in range(3):
        TaskList.objects.create(name=str(number))
    with django_assert_num_queries(1):
        client.get("/lists?limit=2")
    with django_assert_num_queries(1):
        post(client, {"name": "x"})
