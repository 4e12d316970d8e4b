"""Todo-Backend's public specification (https://todobackend.com/specs), at the tasks of a list.

Its client runs in a browser on another origin, so every answer has to allow that.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import empty_database
from tests.process import Service
from tests.wire import HANG

ORIGIN = "https://todobackend.com"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("service")
    with (
        empty_database(folder) as url,
        Service({"DATABASE_URL": url, "CORS_ALLOWED_ORIGINS": "*"}) as started,
    ):
        yield started
        assert not [line for line in started.records() if line["level"] in ("error", "critical")]


class TodoBackend:
    """The client of the specification: it knows a root, and follows the URLs that it gets."""

    def __init__(self, root: str) -> None:
        self.root = root

    def send(self, method: str, url: str, **body: Any) -> requests.Response:
        response = requests.request(
            method, url, json=body or None, headers={"Origin": ORIGIN}, timeout=HANG
        )
        assert response.ok, response.text
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        return response

    def get(self, url: str) -> Any:
        return self.send("GET", url).json()

    def post(self, **todo: Any) -> Any:
        return self.send("POST", self.root, **todo).json()

    def patch(self, url: str, **todo: Any) -> Any:
        return self.send("PATCH", url, **todo).json()

    def delete(self, url: str) -> None:
        self.send("DELETE", url)


@pytest.fixture
def todos(service: Service) -> TodoBackend:
    created = requests.post(f"{service.url}/lists", json={"name": "todos"}, timeout=HANG)
    return TodoBackend(f"{service.url}{created.headers['Location']}/tasks")


class TestPreRequisites:
    def test_the_root_answers_a_get(self, todos: TodoBackend) -> None:
        todos.get(todos.root)

    def test_the_root_answers_a_post_with_the_todo(self, todos: TodoBackend) -> None:
        assert todos.post(title="a todo")["title"] == "a todo"

    def test_the_root_answers_a_delete(self, todos: TodoBackend) -> None:
        todos.delete(todos.root)

    def test_after_a_delete_the_root_is_an_empty_array(self, todos: TodoBackend) -> None:
        todos.post(title="a todo")
        todos.delete(todos.root)
        assert todos.get(todos.root) == []

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_a_preflight_allows_every_method_from_any_origin(
        self, todos: TodoBackend, method: str
    ) -> None:
        headers = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type, if-match, idempotency-key",
        }
        for url in (todos.root, todos.post(title="a todo")["url"]):
            response = requests.options(url, headers=headers, timeout=HANG)
            assert response.ok
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert method in response.headers["Access-Control-Allow-Methods"]
            allowed = response.headers["Access-Control-Allow-Headers"]
            assert {"content-type", "if-match", "idempotency-key"} <= set(allowed.split(", "))


class TestStoringNewTodos:
    def test_a_todo_is_added_to_the_root(self, todos: TodoBackend) -> None:
        todos.post(title="walk the dog")
        listed = todos.get(todos.root)
        assert [todo["title"] for todo in listed] == ["walk the dog"]

    def test_it_is_not_completed_at_first(self, todos: TodoBackend) -> None:
        assert todos.post(title="blah")["completed"] is False
        assert todos.get(todos.root)[0]["completed"] is False

    def test_each_has_a_url(self, todos: TodoBackend) -> None:
        assert isinstance(todos.post(title="blah")["url"], str)
        assert isinstance(todos.get(todos.root)[0]["url"], str)

    def test_each_url_returns_the_todo(self, todos: TodoBackend) -> None:
        created = todos.post(title="my todo")
        fetched = todos.get(created["url"])
        assert fetched == created
        assert todos.get(todos.get(todos.root)[0]["url"])["title"] == "my todo"


class TestWorkingWithAnExistingTodo:
    def test_the_list_leads_to_each(self, todos: TodoBackend) -> None:
        todos.post(title="todo the first")
        todos.post(title="todo the second")
        listed = todos.get(todos.root)
        assert len(listed) == 2
        for todo in listed:
            assert todos.get(todo["url"])["title"] == todo["title"]

    def test_the_title_can_be_changed(self, todos: TodoBackend) -> None:
        todo = todos.post(title="initial title")
        assert todos.patch(todo["url"], title="bathe the cat")["title"] == "bathe the cat"

    def test_completedness_can_be_changed(self, todos: TodoBackend) -> None:
        todo = todos.post(title="a todo")
        assert todos.patch(todo["url"], completed=True)["completed"] is True

    def test_changes_are_persisted_and_shown_in_the_list(self, todos: TodoBackend) -> None:
        todo = todos.post(title="a todo")
        todos.patch(todo["url"], title="changed title", completed=True)
        for found in (todos.get(todo["url"]), todos.get(todos.root)[0]):
            assert (found["title"], found["completed"]) == ("changed title", True)

    def test_a_todo_can_be_deleted(self, todos: TodoBackend) -> None:
        todos.delete(todos.post(title="a todo")["url"])
        assert todos.get(todos.root) == []


class TestTrackingOrder:
    def test_a_todo_can_be_created_with_an_order(self, todos: TodoBackend) -> None:
        assert todos.post(title="blah", order=523)["order"] == 523

    def test_the_order_can_be_changed(self, todos: TodoBackend) -> None:
        todo = todos.post(title="blah", order=10)
        assert todos.patch(todo["url"], order=95)["order"] == 95

    def test_the_order_is_remembered_after_a_change(self, todos: TodoBackend) -> None:
        todo = todos.post(title="blah", order=10)
        todos.patch(todo["url"], order=95)
        assert todos.get(todo["url"])["order"] == 95
