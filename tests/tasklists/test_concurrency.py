"""Many clients at once on the tasks of one list and across lists."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg2
import psycopg2.errors
import pytest
import requests
from django.db import connection

from rest.statements import ATTEMPTS
from tests.load import eventually, patient
from tests.process import Service
from tests.wire import HANG

Serve = Callable[..., Service]

WRITERS = 50
STEPS = 12

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")


class Api:
    """A client that waits while the service is overloaded.

    ``answers`` counts the statuses of its answers, by the kind of the request.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.answers: Counter[tuple[str, int]] = Counter()

    def send(
        self, kind: str, method: str, path: str, body: Any = None, **headers: str
    ) -> requests.Response:
        url = self.service.url + path
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        with patient() as session:
            answer = session.request(method, url, json=body, headers=names, timeout=HANG)
        self.answers[kind, answer.status_code] += 1
        return answer

    def make_list(self, name: str) -> int:
        return int(self.send("make a list", "POST", "/lists", {"name": name}).json()["id"])

    def tasks(self, pk: int) -> list[Any]:
        """All tasks of a list, page by page."""
        found: list[Any] = []
        path = f"/lists/{pk}/tasks?limit=100"
        while path:
            page = self.send("read", "GET", path)
            found += page.json()
            path = page.links.get("next", {}).get("url", "")
        return found


# What may be answered to each kind of request. A deletion that was answered with
# 503 never happened, so that its repetition is no 404 either.
STATUSES = {
    "make a list": {201},
    "create": {201},
    "create in a list that may be gone": {201, 404},
    "change": {200},
    "change what may be gone": {200, 404},
    "move to a list that may be gone": {200, 400, 404},
    "delete": {204},
    "complete all": {204},
    "complete all of a list that may be gone": {204, 404},
    "clear": {204},
    "clear a list that may be gone": {204, 404},
    "delete a list": {204, 404},
    "read": {200},
}


class Writer:
    """Has tasks that nobody else changes, in lists that nobody clears, and takes part in the rest.

    ``expected`` is what the service last acknowledged of each of those tasks.
    """

    def __init__(self, api: Api, number: int, safe: list[int], rough: list[int]) -> None:
        self.api = api
        self.number = number
        self.safe = safe  # lists that are not cleared, completed or deleted
        self.rough = rough  # lists that are
        self.random = random.Random(number)
        self.expected: dict[int, dict[str, Any]] = {}
        self.deleted: list[int] = []
        self.made: list[int] = []  # lists
        self.mortal: list[int] = []  # tasks in lists that anybody may clear or delete

    def run(self) -> None:
        self.create()
        for step in range(STEPS):
            self.step = step
            act = self.random.choice(
                [
                    *[self.create, self.change, self.reorder, self.move, self.complete] * 3,
                    *[self.create_mortal, self.change_mortal, self.move_mortal] * 2,
                    *[self.delete, self.clear, self.complete_all, self.delete_list],
                ]
            )
            act()

    def create(self) -> None:
        title = f"{self.number}-{len(self.expected) + len(self.deleted)}"
        path = f"/lists/{self.random.choice(self.safe)}/tasks"
        answer = self.api.send("create", "POST", path, {"title": title}, Idempotency_Key=title)
        self.expected[answer.json()["id"]] = answer.json()

    def patch(self, body: dict[str, Any]) -> None:
        if not self.expected:
            return
        pk = self.random.choice(list(self.expected))
        answer = self.api.send("change", "PATCH", f"/tasks/{pk}", body)
        changed = answer.json()
        before = self.expected[pk]
        assert changed["version"] == before["version"] + 1
        assert changed["updated_at"] >= before["updated_at"]
        assert changed.items() >= body.items()
        kept = {"id", "url", "title", "created_at"} - body.keys()
        assert {name: changed[name] for name in kept} == {name: before[name] for name in kept}
        self.expected[pk] = changed

    def change(self) -> None:
        self.patch({"title": f"{self.number}, changed in step {self.step}"})

    def reorder(self) -> None:
        self.patch({"order": self.random.randint(-5, 5)})

    def move(self) -> None:
        self.patch({"list": self.random.choice(self.safe)})

    def complete(self) -> None:
        self.patch({"completed": self.random.random() < 0.5})

    def delete(self) -> None:
        if len(self.expected) > 1:
            pk = self.random.choice(list(self.expected))
            self.api.send("delete", "DELETE", f"/tasks/{pk}")
            del self.expected[pk]
            self.deleted.append(pk)

    def create_mortal(self) -> None:
        kind = "create in a list that may be gone"
        path = f"/lists/{self.random.choice(self.rough)}/tasks"
        answer = self.api.send(kind, "POST", path, {"title": "mortal"})
        if answer.status_code == 201:
            self.mortal.append(answer.json()["id"])

    def change_mortal(self) -> None:
        if self.mortal:
            path = f"/tasks/{self.random.choice(self.mortal)}"
            body = {"completed": True, "order": self.random.randint(-5, 5)}
            self.api.send("change what may be gone", "PATCH", path, body)

    def move_mortal(self) -> None:
        if self.mortal:
            path = f"/tasks/{self.random.choice(self.mortal)}"
            body = {"list": self.random.choice(self.rough)}
            answer = self.api.send("move to a list that may be gone", "PATCH", path, body)
            if answer.status_code == 400:
                assert answer.json()["errors"][0]["pointer"] == "/list"

    def clear(self) -> None:
        path = f"/lists/{self.random.choice(self.rough)}/tasks?completed=true"
        self.api.send("clear a list that may be gone", "DELETE", path)

    def complete_all(self) -> None:
        path = f"/lists/{self.random.choice(self.rough)}/tasks?completed=false"
        kind = "complete all of a list that may be gone"
        self.api.send(kind, "PATCH", path, {"completed": True})

    def delete_list(self) -> None:
        """Another list takes its place, now and then."""
        if self.random.random() < 0.5:
            place = self.random.randrange(len(self.rough))
            self.api.send("delete a list", "DELETE", f"/lists/{self.rough[place]}")
            self.rough[place] = self.api.make_list("rough")
            self.made.append(self.rough[place])


def test_fifty_writers_lose_and_double_nothing(serve: Serve) -> None:
    service = serve()
    api = Api(service)
    safe = [api.make_list(f"safe {number}") for number in range(3)]
    rough = [api.make_list(f"rough {number}") for number in range(4)]
    first = [*rough]
    writers = [Writer(api, number, safe, rough) for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as executor:
        for done in [executor.submit(writer.run) for writer in writers]:
            done.result()

    for kind, status in api.answers:
        assert status in STATUSES[kind], (kind, status)
    expected = {pk: task for writer in writers for pk, task in writer.expected.items()}
    found = [task for pk in safe for task in api.tasks(pk)]
    assert Counter(task["id"] for task in found) == dict.fromkeys(expected, 1)
    assert {task["id"]: task for task in found} == expected
    for pk in safe:
        tasks = api.tasks(pk)
        assert tasks == sorted(tasks, key=lambda task: (task["order"], task["id"]))
    # No task is in a list that is gone, and none is in two.
    made = {pk for writer in writers for pk in writer.made} | {*first}
    alive = [pk for pk in made if requests.get(f"{service.url}/lists/{pk}", timeout=HANG).ok]
    seen = Counter(task["id"] for pk in alive for task in api.tasks(pk))
    assert not seen or max(seen.values()) == 1
    for writer in writers:
        for pk in writer.mortal:
            exists = requests.get(f"{service.url}/tasks/{pk}", timeout=HANG).ok
            assert exists == (pk in seen)
    records = service.records()
    assert not [record for record in records if record["level"] in ("error", "critical")]


def test_new_tasks_of_one_list_are_all_there(serve: Serve) -> None:
    """Each has a position of its own or shares it with those created at the same time."""
    api = Api(serve())
    pk = api.make_list("one")
    path = f"/lists/{pk}/tasks"

    def create(number: int) -> int:
        body = {"title": str(number)}
        return int(api.send("create", "POST", path, body).json()["id"])

    with ThreadPoolExecutor(16) as executor:
        created = list(executor.map(create, range(160)))
    found = api.tasks(pk)
    assert sorted(task["id"] for task in found) == sorted(created)
    assert {task["title"] for task in found} == {str(number) for number in range(160)}
    assert all(1 <= task["order"] <= 160 for task in found)
    last = api.send("create", "POST", path, {"title": "last"}).json()
    assert last["order"] == max(task["order"] for task in found) + 1


def test_completing_at_once_keeps_the_first_time(serve: Serve) -> None:
    api = Api(serve())
    path = f"/lists/{api.make_list('one')}/tasks"
    url = f"/tasks/{api.send('create', 'POST', path, {'title': 'a'}).json()['id']}"

    def complete(number: int) -> Any:
        if number % 2:
            return api.send("change", "PATCH", url, {"completed": True}).json()["completed_at"]
        api.send("complete all", "PATCH", path, {"completed": True})
        return None

    with ThreadPoolExecutor(16) as executor:
        times = {time for time in executor.map(complete, range(32)) if time}
    assert len(times) == 1
    assert api.send("read", "GET", url).json()["version"] == 33


class Rival:
    """Another transaction, which has locked the second of two tasks and wants the first.

    The service's request has the first and waits for the second. PostgreSQL ends the one that
    looks for a deadlock, which is the service: after a second, and the rival after a minute.
    """

    def __init__(self, database_url: str, first: int, second: int) -> None:
        self.connection = psycopg2.connect(database_url)
        self.cursor = self.connection.cursor()
        self.cursor.execute("SET deadlock_timeout = '60s'")
        self.first = first
        self.lock(second)
        self.cursor.execute("SELECT pg_current_xact_id()::text")
        [(self.transaction,)] = self.cursor.fetchall()
        self.observer = psycopg2.connect(database_url)
        self.observer.autocommit = True

    def close(self) -> None:
        self.connection.close()
        self.observer.close()

    def lock(self, pk: int) -> None:
        self.cursor.execute("SELECT 1 FROM tasklists_task WHERE id = %s FOR UPDATE", [pk])

    def observe(self, query: str, *parameters: str) -> list[Any]:
        with self.observer.cursor() as cursor:
            cursor.execute(query, parameters)
            return [value for (value,) in cursor.fetchall()]

    def waiting(self) -> list[Any]:
        """The transactions that wait for the second task."""
        query = "SELECT virtualtransaction FROM pg_locks WHERE NOT granted AND transactionid = %s"
        return self.observe(f"{query}::xid", self.transaction)

    def want_the_first(self) -> None:
        """Wait for the first task until the service's transaction has been ended."""
        [victim] = self.waiting()
        self.cursor.execute("SAVEPOINT before")
        with ThreadPoolExecutor(1) as executor:
            wish = executor.submit(self.lock, self.first)
            eventually(lambda: victim not in self.waiting(), "PostgreSQL to find the deadlock")
            # The service may have been faster to lock the first task again.
            self.connection.cancel()
            with suppress(psycopg2.errors.QueryCanceled):
                wish.result()
        self.cursor.execute("ROLLBACK TO SAVEPOINT before")

    def deadlocks(self) -> int:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        [found] = self.observe(query)
        return int(found)


@contextmanager
def deadlock(serve: Serve, database_url: str) -> Iterator[tuple[Api, str, Rival]]:
    service = serve()
    api = Api(service)
    path = f"/lists/{api.make_list('one')}/tasks"
    first, second = (
        api.send("create", "POST", path, {"title": title}).json()["id"] for title in "ab"
    )
    rival = Rival(database_url, first, second)
    with closing(rival):
        yield api, path, rival


def complete_all(service: Service, path: str) -> requests.Response:
    return requests.patch(service.url + path, json={"completed": True}, timeout=HANG)


@on_postgresql
def test_a_deadlock_is_tried_again(serve: Serve, database_url: str) -> None:
    with deadlock(serve, database_url) as (api, path, rival), ThreadPoolExecutor(1) as client:
        answer = client.submit(complete_all, api.service, path)
        eventually(rival.waiting, "the service to wait for the second task")
        rival.want_the_first()
        rival.connection.commit()
        assert answer.result().status_code == 204
        tasks = api.send("read", "GET", path).json()
        assert [(task["completed"], task["version"]) for task in tasks] == [(True, 2)] * 2
        eventually(lambda: rival.deadlocks() >= 1, "PostgreSQL to count the deadlock")


@on_postgresql
def test_deadlocks_without_end_are_answered_with_503(serve: Serve, database_url: str) -> None:
    with deadlock(serve, database_url) as (api, path, rival), ThreadPoolExecutor(1) as client:
        answer = client.submit(complete_all, api.service, path)
        for _ in range(ATTEMPTS):
            eventually(rival.waiting, "the service to wait for the second task")
            rival.want_the_first()
        refused = answer.result()
        assert refused.status_code == 503
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["Retry-After"] == "1"
        assert "try again" in refused.json()["detail"]
        rival.connection.rollback()
        tasks = api.send("read", "GET", path).json()
        assert [(task["completed"], task["version"]) for task in tasks] == [(False, 1)] * 2
        assert complete_all(api.service, path).status_code == 204
        eventually(lambda: rival.deadlocks() == ATTEMPTS, "PostgreSQL to count the deadlocks")
    levels = [record["level"] for record in api.service.records() if "conflict" in str(record)]
    assert levels == ["warning"]
