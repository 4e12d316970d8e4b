"""What is about lists alone; tests/rest/ has the contract of every resource."""

from typing import Any

import pytest
from django.test import Client

from tasklists.api import TaskListViewSet
from tasklists.models import Task, TaskList

pytestmark = pytest.mark.django_db


def test_the_root_is_the_collection_of_lists(client: Client) -> None:
    created = client.post("/", {"name": "shopping"}, content_type="application/json")
    assert created.status_code == 201
    assert created["Location"] == f"/lists/{TaskList.objects.get().pk}"
    for path in ("/", "/lists"):
        assert client.get(path).json() == [created.json()]
    assert client.put("/")["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_pages_of_the_root_lead_to_the_root(client: Client) -> None:
    TaskList.objects.bulk_create(TaskList(name=str(n)) for n in range(2))
    first = TaskList.objects.order_by("id")[0]
    assert client.get("/?limit=1")["Link"] == f'</?limit=1&after={first.pk}>; rel="next"'


def test_the_members_of_a_list(client: Client) -> None:
    TaskList.objects.create(name="shopping")
    [listed] = client.get("/lists").json()
    assert list(listed) == ["id", "name", "created_at", "updated_at", "version"]


def test_rows_that_others_refer_to_are_deleted_by_one_statement(
    django_assert_num_queries: Any,
) -> None:
    """Rows that are read first no longer match, at worst, when they are deleted by their ids."""
    deleted, kept = (TaskList.objects.create(name=name) for name in ("old", "new"))
    for task_list in (deleted, kept):
        task_list.tasks.create(title="milk")
    with django_assert_num_queries(1):
        assert TaskListViewSet.statements.delete_all(TaskList.objects.filter(name="old"), {}) == 1
    assert [task.list for task in Task.objects.all()] == [kept]
