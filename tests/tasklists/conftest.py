from typing import Any

import pytest
from django.test import Client

from tasklists.models import TaskList


class Api:
    """Speaks JSON; its methods are those of HTTP, and return what the service answers."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.client.delete(path, headers=headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.post(path, body, "application/json", headers=headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.put(path, body, "application/json", headers=headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.patch(path, body, "application/json", headers=headers)


@pytest.fixture
def api(client: Client) -> Api:
    return Api(client)


@pytest.fixture
def tasks(task_list: TaskList) -> str:
    """The path of the tasks of a list."""
    return f"/lists/{task_list.pk}/tasks"


@pytest.fixture
def other_list(db: None) -> TaskList:
    return TaskList.objects.create(name="holidays")
