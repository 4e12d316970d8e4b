"""The resources over which the contract is tested."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rest.models import Resource
from tasklists.models import Task, TaskList
from tests.books.models import Book

JSON = "application/json"


@dataclass(frozen=True)
class Sample:
    """A resource, and what a test needs to know about it."""

    model: type[Resource]
    collection: str  # the path
    members: str  # the path of a row, without its id
    text: str  # the required member to change, which is a text of 1 to 255 characters
    body: dict[str, Any]  # a valid body
    parent: dict[str, Any]  # the foreign key of the collection, if any
    methods: str  # the Allow header of the collection
    filter: str = ""  # a query that selects all rows that make() and make_many() make, if any

    def path(self, row: Resource) -> str:
        return f"{self.members}{row.pk}"

    def make(self, text: str = "before") -> Resource:
        values = {**self.body, **self.parent, self.text: text}
        row: Resource = self.model._default_manager.create(**values)
        return row

    def make_many(self, count: int) -> list[int]:
        """Rows whose texts are "row 0", "row 1" and so on; returns their ids, in order."""
        now = timezone.now()
        common = {**self.body, **self.parent, "created_at": now, "updated_at": now}
        rows = [self.model(**{**common, self.text: f"row {n}"}) for n in range(count)]
        for position, row in enumerate(rows):
            if hasattr(row, "order"):
                row.order = position // 2  # two rows share each position
        self.model._default_manager.bulk_create(rows)
        return list(self.model._default_manager.values_list("pk", flat=True))

    def with_text(self, text: Any) -> dict[str, Any]:
        return {**self.body, self.text: text}

    def count(self) -> int:
        return self.model._default_manager.count()

    def the_row(self) -> Any:
        """The only row."""
        return self.model._default_manager.get()


def lists() -> Sample:
    body = {"name": "a"}
    return Sample(TaskList, "/lists", "/lists/", "name", body, {}, "GET, POST", "name__icontains=o")


def tasks() -> Sample:
    parent = TaskList.objects.create(name="parent")
    collection = f"/lists/{parent.pk}/tasks"
    body, within = {"title": "a"}, {"list": parent}
    methods = "GET, POST, PATCH, DELETE"
    return Sample(Task, collection, "/tasks/", "title", body, within, methods, "completed=false")


def books() -> Sample:
    body = {"title": "a", "pages": 7}
    return Sample(Book, "/books", "/books/", "title", body, {}, "GET, POST", "lent=false")


SAMPLES: dict[str, Callable[[], Sample]] = {
    "lists": lists,
    "tasks": tasks,
    "books": books,
}


@pytest.fixture(params=list(SAMPLES))
def resource(request: pytest.FixtureRequest, db: None) -> Sample:
    return SAMPLES[request.param]()


@pytest.fixture
def row(resource: Sample) -> Resource:
    """A row at version 1, whose text is "before"."""
    return resource.make()


@pytest.fixture
def path(resource: Sample, row: Resource) -> str:
    return resource.path(row)


Send = Callable[..., Any]


@pytest.fixture
def send(client: Client) -> Send:
    """Sends a request: ``send("put", path, body, If_Match="*")``; bytes are sent as they are."""

    def request(
        method: str, path: str, body: Any = None, media_type: str = JSON, **headers: str
    ) -> Any:
        data = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.generic(method.upper(), path, data, media_type, headers=names)

    return request
