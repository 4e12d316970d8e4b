"""Idempotency-Key on POST, for each resource."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.test import Client

from rest.statements import Statements
from tasklists.models import TaskList
from tests.books.api import BookViewSet
from tests.books.models import Book
from tests.load import patient
from tests.process import Service
from tests.rest.conftest import Sample, Send
from tests.wire import HANG

pytestmark = pytest.mark.django_db

KEY = "6f0c7a2e-5b0f-4b0e-9c59-0a4b4c5a1f00"


def test_a_repeated_request_creates_nothing_again(send: Send, resource: Sample) -> None:
    first = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    again = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Location"] == first["Location"]
    assert again["ETag"] == first["ETag"]
    assert again.json() == first.json()
    assert resource.count() == 1


def test_a_repeated_request_is_answered_with_the_object_as_it_is_now(
    client: Client, send: Send, resource: Sample
) -> None:
    first = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    send("patch", first["Location"], resource.with_text("changed"))
    again = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    assert again.status_code == 201
    assert again["ETag"] == '"2"'
    assert again.json() == client.get(first["Location"]).json()
    assert again.json()[resource.text] == "changed"


def test_the_same_json_is_the_same_body(send: Send, resource: Sample) -> None:
    """Whatever the order of its members and the white space between them."""
    members = [f'"{name}" : {value!r}'.replace("'", '"') for name, value in resource.body.items()]
    backwards = f" {{ {' , '.join(reversed(members))} }} ".encode()
    first = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    again = send("post", resource.collection, backwards, Idempotency_Key=KEY)
    assert again["Location"] == first["Location"]


def test_another_body_is_refused(send: Send, resource: Sample) -> None:
    send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    other = send("post", resource.collection, resource.with_text("b"), Idempotency_Key=KEY)
    assert other.status_code == 422
    assert other["Content-Type"] == "application/problem+json"
    assert "Idempotency-Key" in other.json()["detail"]
    assert resource.count() == 1


@pytest.mark.parametrize("depth", [1, 300, 1000])
def test_members_that_are_ignored_are_no_part_of_the_body(
    send: Send, resource: Sample, depth: int
) -> None:
    """However deeply they are nested, and whatever a client that sends back what it got has."""
    body = json.dumps(resource.body)
    ignored = f'{body[:-1]}, "version": {"[" * depth}{"]" * depth}}}'.encode()
    first = send("post", resource.collection, ignored, Idempotency_Key=KEY)
    again = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Location"] == first["Location"]


def test_a_number_is_the_same_with_and_without_a_fraction_of_zero(send: Send) -> None:
    first = send("post", "/books", {"title": "a", "pages": 7}, Idempotency_Key=KEY)
    again = send("post", "/books", {"title": "a", "pages": 7.0}, Idempotency_Key=KEY)
    assert (again.status_code, again["Location"]) == (201, first["Location"])


def test_a_member_that_is_left_out_is_not_the_same_as_its_default(send: Send) -> None:
    send("post", "/books", {"title": "a", "pages": 7}, Idempotency_Key=KEY)
    other = {"title": "a", "pages": 7, "lent": False}
    assert send("post", "/books", other, Idempotency_Key=KEY).status_code == 422


class Deletions:
    """Deletes the row with the key between the two statements of a replay, so many times."""

    def __init__(self, statements: Statements, times: int) -> None:
        self.read_by_key = statements.read_by_key
        self.times = times

    def __call__(self, key: str, base_url: str | None) -> Any:
        if self.times:
            self.times -= 1
            Book.objects.filter(idempotency_key=key).delete()
            found = self.read_by_key(key, base_url)
            if self.times:  # another client creates it again
                Book.objects.create(title="a", pages=7, idempotency_key=key)
            return found
        return self.read_by_key(key, base_url)


def test_a_row_that_is_deleted_during_its_replay_is_created_again(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"title": "a", "pages": 7}
    first = send("post", "/books", body, Idempotency_Key=KEY)
    statements = BookViewSet.statements
    monkeypatch.setattr(statements, "read_by_key", Deletions(statements, 1))
    again = send("post", "/books", body, Idempotency_Key=KEY)
    assert again.status_code == 201
    assert again["Location"] != first["Location"]
    assert Book.objects.count() == 1


def test_a_row_that_is_deleted_during_each_replay_is_503(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"title": "a", "pages": 7}
    send("post", "/books", body, Idempotency_Key=KEY)
    statements = BookViewSet.statements
    monkeypatch.setattr(statements, "read_by_key", Deletions(statements, 100))
    refused = send("post", "/books", body, Idempotency_Key=KEY)
    assert refused.status_code == 503
    assert refused["Retry-After"] == "1"
    assert refused["Content-Type"] == "application/problem+json"


def test_an_invalid_body_takes_no_key(send: Send, resource: Sample) -> None:
    invalid = send("post", resource.collection, resource.with_text(""), Idempotency_Key=KEY)
    assert invalid.status_code == 400
    valid = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    assert valid.status_code == 201


def test_the_same_key_under_another_parent_is_refused(send: Send) -> None:
    one, other = (TaskList.objects.create(name=name) for name in ("one", "other"))
    first = send("post", f"/lists/{one.pk}/tasks", {"title": "a"}, Idempotency_Key=KEY)
    assert first.status_code == 201
    moved = send("post", f"/lists/{other.pk}/tasks", {"title": "a"}, Idempotency_Key=KEY)
    assert moved.status_code == 422
    assert other.tasks.count() == 0


def test_a_key_is_of_one_resource(send: Send) -> None:
    created = send("post", "/lists", {"name": "a"}, Idempotency_Key=KEY)
    tasks = f"{created['Location']}/tasks"
    assert send("post", tasks, {"title": "a"}, Idempotency_Key=KEY).status_code == 201


def test_two_keys_create_two_rows(send: Send, resource: Sample) -> None:
    for key in ("a", "A", "a ".strip() + "b"):
        response = send("post", resource.collection, resource.body, Idempotency_Key=key)
        assert response.status_code == 201
    assert resource.count() == 3


def test_a_key_lives_as_long_as_its_object(client: Client, send: Send, resource: Sample) -> None:
    first = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    client.delete(first["Location"])
    again = send("post", resource.collection, resource.with_text("b"), Idempotency_Key=KEY)
    assert again.status_code == 201
    assert again["Location"] != first["Location"]
    assert resource.count() == 1


@pytest.mark.parametrize(
    "key", ["!", "~" * 255, "\"'; DROP TABLE books_book; --".replace(" ", ""), "%s%(_pk)s", "{}"]
)
def test_a_key_is_any_visible_text(send: Send, resource: Sample, key: str) -> None:
    for _ in range(2):
        response = send("post", resource.collection, resource.body, Idempotency_Key=key)
        assert response.status_code == 201
    assert resource.the_row().idempotency_key == key


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "\x7f", "é", "\0", "a\tb"])
def test_a_malformed_key_is_refused(send: Send, resource: Sample, key: str) -> None:
    response = send("post", resource.collection, resource.body, Idempotency_Key=key)
    assert response.status_code == 400
    assert "Idempotency-Key" in response.json()["detail"]
    assert resource.count() == 0


def test_a_missing_parent_is_told_before_a_malformed_key(send: Send) -> None:
    response = send("post", "/lists/4711/tasks", {"title": "a"}, Idempotency_Key="")
    assert response.status_code == 404


def test_a_replay_with_a_parent_that_is_gone_is_404(client: Client, send: Send) -> None:
    created = send("post", "/lists", {"name": "a"})
    tasks = f"{created['Location']}/tasks"
    send("post", tasks, {"title": "a"}, Idempotency_Key=KEY)
    client.delete(created["Location"])
    assert send("post", tasks, {"title": "a"}, Idempotency_Key=KEY).status_code == 404


def test_the_key_is_kept_when_its_row_is_changed(send: Send, resource: Sample) -> None:
    first = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    send("put", first["Location"], resource.with_text("b"), Idempotency_Key="ignored")
    again = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    assert again["Location"] == first["Location"]


def test_the_key_is_not_shown(send: Send, resource: Sample) -> None:
    response = send("post", resource.collection, resource.body, Idempotency_Key=KEY)
    assert KEY not in response.content.decode()


def test_a_key_costs_no_query_more(
    send: Send, resource: Sample, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        send("post", resource.collection, resource.body, Idempotency_Key=KEY)


def test_many_at_once_with_one_key_create_one_row(serve: Callable[..., Service]) -> None:
    service = serve()
    parent = requests.post(f"{service.url}/lists", json={"name": "parent"}, timeout=HANG)
    tasks = f"{service.url}{parent.headers['Location']}/tasks"
    for number in range(5):
        for url, body in ((f"{service.url}/lists", {"name": "a"}), (tasks, {"title": "a"})):

            def create(_: int, url: str = url, body: dict[str, str] = body) -> requests.Response:
                headers = {"Idempotency-Key": f"{KEY}-{number}"}  # noqa: B023
                with patient() as session:
                    return session.post(url, json=body, headers=headers, timeout=HANG)

            with ThreadPoolExecutor(8) as executor:
                answers = list(executor.map(create, range(8)))
            assert {answer.status_code for answer in answers} == {201}, answers
            assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(requests.get(f"{service.url}/lists", timeout=HANG).json()) == 6
    assert len(requests.get(tasks, timeout=HANG).json()) == 5
