"""Tasks: what is special about them; tests/rest/ has the contract of every resource."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import override_script_prefix
from django.utils import timezone

from tasklists.models import Task, TaskList
from tests.tasklists.conftest import Api

pytestmark = pytest.mark.django_db

GREATEST = 2**53 - 1


def create(api: Api, tasks: str, title: str = "milk", **members: Any) -> Any:
    response = api.post(tasks, {"title": title, **members})
    assert response.status_code == 201, response.json()
    return response.json()


def titles(api: Api, path: str) -> list[str]:
    return [task["title"] for task in api.get(path).json()]


def pointers(response: Any) -> list[str]:
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    return [error["pointer"] for error in response.json()["errors"]]


def test_a_task_has_these_members(api: Api, task_list: TaskList, tasks: str) -> None:
    task = create(api, tasks)
    times = {name: task[name] for name in ("created_at", "updated_at")}
    assert task == {
        "id": Task.objects.get().pk,
        "url": f"http://testserver/tasks/{task['id']}",
        "list": task_list.pk,
        "title": "milk",
        "completed": False,
        "completed_at": None,
        "due": None,
        "order": 1,
        **times,
        "version": 1,
    }


class TestUrl:
    def test_it_has_the_host_of_the_request(self, client: Client, api: Api, tasks: str) -> None:
        task = create(api, tasks)
        for host in ("localhost:5000", "tasks.localhost", "[::1]:8080"):
            headers = {"Host": host}
            url = f"http://{host}/tasks/{task['id']}"
            assert client.get(tasks, headers=headers).json()[0]["url"] == url
            assert client.get(f"/tasks/{task['id']}", headers=headers).json()["url"] == url
            filtered = client.get(f"{tasks}?completed=false", headers=headers).json()
            assert filtered[0]["url"] == url

    def test_it_has_the_scheme_that_the_client_used(
        self, client: Client, tasks: str, settings: Any
    ) -> None:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        headers = {"X-Forwarded-Proto": "https", "Host": "testserver"}
        created = client.post(tasks, {"title": "a"}, "application/json", headers=headers)
        assert created.json()["url"].startswith("https://testserver/tasks/")

    def test_it_has_the_prefix_under_which_the_service_is_mounted(
        self, client: Client, tasks: str, settings: Any
    ) -> None:
        settings.STATIC_URL = "/static/"  # or Django would remember it with the prefix
        with override_script_prefix("/under/"):
            created = client.post(tasks, {"title": "a"}, "application/json")
        pk = created.json()["id"]
        assert created.json()["url"] == f"http://testserver/under/tasks/{pk}"
        assert created["Location"] == f"/under/tasks/{pk}"
        assert client.get(f"/tasks/{pk}").json()["url"] == f"http://testserver/tasks/{pk}"


class TestOrder:
    def test_a_task_goes_to_the_end_by_default(self, api: Api, tasks: str) -> None:
        assert [create(api, tasks)["order"] for _ in range(3)] == [1, 2, 3]
        create(api, tasks, order=41)
        assert create(api, tasks)["order"] == 42

    def test_each_list_has_its_own_end(self, api: Api, tasks: str, other_list: TaskList) -> None:
        create(api, tasks, order=41)
        assert create(api, f"/lists/{other_list.pk}/tasks")["order"] == 1

    def test_after_negative_positions_comes_the_next(self, api: Api, tasks: str) -> None:
        create(api, tasks, order=-10)
        assert create(api, tasks)["order"] == -9

    @pytest.mark.parametrize("order", [0, -1, 1, GREATEST, -GREATEST, 2**31, 10**15])
    def test_it_comes_back_verbatim(self, api: Api, tasks: str, order: int) -> None:
        task = create(api, tasks, order=order)
        assert task["order"] == order
        path = f"/tasks/{task['id']}"
        assert api.get(path).json()["order"] == order
        assert api.patch(path, {"order": -order}).json()["order"] == -order
        assert api.put(path, {"title": "a", "order": order}).json()["order"] == order

    @pytest.mark.parametrize(
        "order", [GREATEST + 1, -GREATEST - 1, 2**63, 1e300, 1.5, "1", None, True, [], {}]
    )
    def test_anything_but_an_integer_of_javascript_is_refused(
        self, api: Api, tasks: str, order: Any
    ) -> None:
        task = create(api, tasks)
        assert pointers(api.post(tasks, {"title": "a", "order": order})) == ["/order"]
        assert pointers(api.patch(f"/tasks/{task['id']}", {"order": order})) == ["/order"]
        assert Task.objects.get().version == 1

    def test_a_position_may_be_shared_and_none_is_renumbered(self, api: Api, tasks: str) -> None:
        for title, order in [("c", 2), ("a", 1), ("d", 2), ("b", 1)]:
            create(api, tasks, title, order=order)
        assert titles(api, tasks) == ["a", "b", "c", "d"]
        assert [task["order"] for task in api.get(tasks).json()] == [1, 1, 2, 2]

    def test_after_the_greatest_comes_the_greatest_again(self, api: Api, tasks: str) -> None:
        create(api, tasks, "a", order=GREATEST)
        assert create(api, tasks, "b")["order"] == GREATEST
        assert titles(api, tasks) == ["a", "b"]

    def test_tasks_come_in_order_and_not_by_age(self, api: Api, tasks: str) -> None:
        for title, order in [("c", 3), ("a", -5), ("b", 0)]:
            create(api, tasks, title, order=order)
        assert titles(api, tasks) == ["a", "b", "c"]
        first = api.get(tasks).json()[0]
        api.patch(f"/tasks/{first['id']}", {"order": 4})
        assert titles(api, tasks) == ["b", "c", "a"]


class TestCompletion:
    def test_completing_a_task_keeps_the_time(self, api: Api, tasks: str) -> None:
        path = f"/tasks/{create(api, tasks)['id']}"
        before = timezone.now()
        task = api.patch(path, {"completed": True}).json()
        assert task["completed"] is True
        assert before <= datetime.fromisoformat(task["completed_at"]) <= timezone.now()

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_completing_a_task_twice_keeps_the_first_time(
        self, api: Api, tasks: str, method: str
    ) -> None:
        task = create(api, tasks, completed=True)
        body = {"title": "milk", "completed": True}
        again = getattr(api, method)(f"/tasks/{task['id']}", body).json()
        assert again["completed_at"] == task["completed_at"] is not None
        assert again["version"] == 2

    def test_reopening_clears_the_time(self, api: Api, tasks: str) -> None:
        task = create(api, tasks, completed=True)
        path = f"/tasks/{task['id']}"
        reopened = api.patch(path, {"completed": False}).json()
        assert (reopened["completed"], reopened["completed_at"]) == (False, None)
        again = api.patch(path, {"completed": True}).json()
        assert again["completed_at"] > task["completed_at"]

    def test_a_put_without_completed_reopens(self, api: Api, tasks: str) -> None:
        task = create(api, tasks, completed=True)
        replaced = api.put(f"/tasks/{task['id']}", {"title": "b"}).json()
        assert (replaced["completed"], replaced["completed_at"]) == (False, None)

    def test_a_patch_of_something_else_leaves_it_alone(self, api: Api, tasks: str) -> None:
        task = create(api, tasks, completed=True)
        changed = api.patch(f"/tasks/{task['id']}", {"title": "b"}).json()
        assert changed["completed_at"] == task["completed_at"]

    def test_completed_at_is_ignored(self, api: Api, tasks: str) -> None:
        task = create(api, tasks, completed_at="2000-01-01T00:00:00Z")
        assert (task["completed"], task["completed_at"]) == (False, None)
        body = {"completed_at": "2000-01-01T00:00:00Z", "completed": True}
        changed = api.patch(f"/tasks/{task['id']}", body).json()
        assert changed["completed_at"] > "2026"

    @pytest.mark.parametrize("completed", [None, 1, 0, "true", "", [], {}])
    def test_anything_but_true_and_false_is_refused(
        self, api: Api, tasks: str, completed: Any
    ) -> None:
        task = create(api, tasks)
        body = {"title": "a", "completed": completed}
        assert pointers(api.post(tasks, body)) == ["/completed"]
        assert pointers(api.patch(f"/tasks/{task['id']}", body)) == ["/completed"]


class TestDue:
    @pytest.mark.parametrize("due", ["2027-02-28", "2028-02-29", "0001-01-01", "9999-12-31", None])
    def test_a_date(self, api: Api, tasks: str, due: str | None) -> None:
        task = create(api, tasks, due=due)
        assert task["due"] == due
        assert api.get(f"/tasks/{task['id']}").json()["due"] == due

    @pytest.mark.parametrize(
        "due",
        [
            "2027-02-28T00:00:00Z",
            "2027-02-28T00:00:00",
            "2027-02-28 00:00",
            "2027-02-28Z",
            "2027-W08-7",
            "2027W087",
            "2027-059",
            "20270228",
            "2027-2-28",
            "27-02-28",
            "+2027-02-28",
            " 2027-02-28",
            "2027-02-28\n",
            "2027-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "0000-01-01",
            "10000-01-01",
            "٢٠٢٧-02-28",
            "tomorrow",
            "",
            0,
            1_800_000_000,
            1.5,
            True,
            [],
            {},
        ],
        ids=repr,
    )
    def test_anything_else_is_refused(self, api: Api, tasks: str, due: Any) -> None:
        task = create(api, tasks, due="2027-01-01")
        assert pointers(api.post(tasks, {"title": "a", "due": due})) == ["/due"]
        for method in (api.put, api.patch):
            assert pointers(method(f"/tasks/{task['id']}", {"title": "a", "due": due})) == ["/due"]
        assert Task.objects.get().version == 1

    def test_null_clears_it(self, api: Api, tasks: str) -> None:
        task = create(api, tasks, due="2027-02-28")
        path = f"/tasks/{task['id']}"
        assert api.patch(path, {"title": "b"}).json()["due"] == "2027-02-28"
        assert api.patch(path, {"due": None}).json()["due"] is None

    def test_a_put_without_due_clears_it(self, api: Api, tasks: str) -> None:
        task = create(api, tasks, due="2027-02-28")
        assert api.put(f"/tasks/{task['id']}", {"title": "b"}).json()["due"] is None


class TestList:
    @pytest.fixture
    def others(self, other_list: TaskList) -> str:
        return f"/lists/{other_list.pk}/tasks"

    def test_moving_keeps_id_url_and_everything_else(
        self, api: Api, tasks: str, other_list: TaskList, others: str
    ) -> None:
        members: dict[str, Any] = {"completed": True, "due": "2027-02-28"}
        task = create(api, tasks, **members)
        moved = api.patch(f"/tasks/{task['id']}", {"list": other_list.pk})
        assert moved.status_code == 200
        changed = {"list": other_list.pk, "version": 2, "updated_at": moved.json()["updated_at"]}
        assert moved.json() == {**task, **changed}
        assert api.get(tasks).json() == []
        assert api.get(others).json() == [moved.json()]

    def test_a_moved_task_goes_to_the_end_of_its_new_list(
        self, api: Api, tasks: str, other_list: TaskList, others: str
    ) -> None:
        create(api, others, order=41)
        for method, body in [(api.patch, {}), (api.put, {"title": "a"})]:
            task = create(api, tasks, order=7)
            last = api.get(others).json()[-1]["order"]
            moved = method(f"/tasks/{task['id']}", {**body, "list": other_list.pk}).json()
            assert moved["order"] == last + 1

    def test_unless_order_is_given(
        self, api: Api, tasks: str, other_list: TaskList, others: str
    ) -> None:
        create(api, others, order=41)
        task = create(api, tasks, order=7)
        body = {"list": other_list.pk, "order": -3}
        assert api.patch(f"/tasks/{task['id']}", body).json()["order"] == -3

    def test_naming_the_list_that_it_is_in_moves_nothing(
        self, api: Api, task_list: TaskList, tasks: str
    ) -> None:
        task, _ = create(api, tasks), create(api, tasks)
        for method in (api.patch, api.put):
            body = {"title": "a", "list": task_list.pk}
            assert method(f"/tasks/{task['id']}", body).json()["order"] == 1

    @pytest.mark.parametrize(
        "unknown", [4711, 0, -1, 2**63 - 1, 2**63, 1.5, "1", None, True, [], {}]
    )
    def test_an_unknown_list_is_pointed_at(self, api: Api, tasks: str, unknown: Any) -> None:
        task = create(api, tasks)
        for method in (api.put, api.patch):
            body = {"title": "a", "list": unknown}
            assert pointers(method(f"/tasks/{task['id']}", body)) == ["/list"]
        assert api.get(f"/tasks/{task['id']}").json() == task

    def test_a_move_checks_if_match(self, api: Api, tasks: str, other_list: TaskList) -> None:
        path = f"/tasks/{create(api, tasks)['id']}"
        body = {"list": other_list.pk}
        assert api.patch(path, body, **{"If-Match": '"7"'}).status_code == 412
        assert api.patch(path, {"list": 4711}, **{"If-Match": '"7"'}).status_code == 412
        assert api.patch(path, body, **{"If-Match": '"1"'}).status_code == 200

    def test_a_new_task_is_in_the_list_of_its_path(
        self, api: Api, task_list: TaskList, tasks: str, other_list: TaskList
    ) -> None:
        assert create(api, tasks, list=task_list.pk)["list"] == task_list.pk
        other = api.post(tasks, {"title": "a", "list": other_list.pk})
        assert pointers(other) == ["/list"]
        assert Task.objects.count() == 1

    def test_without_the_list_there_are_no_tasks(self, api: Api, db: None) -> None:
        for pk in (0, 4711, 2**63 - 1, 2**63):
            path = f"/lists/{pk}/tasks"
            for query in ("", "?completed=true", "?after=1,1"):
                assert api.get(path + query).status_code == 404
            assert api.post(path, {"title": "a"}).status_code == 404
            assert api.post(path, {"title": ""}).status_code == 404
            assert api.patch(path, {"completed": True}).status_code == 404
            assert api.patch(path, {"completed": 1}).status_code == 404
            assert api.patch(path, {}).status_code == 404
            assert api.delete(path).status_code == 404
            assert api.delete(f"{path}?completed=true").status_code == 404

    def test_a_list_keeps_its_version_whatever_becomes_of_its_tasks(
        self, api: Api, task_list: TaskList, tasks: str, other_list: TaskList
    ) -> None:
        before = api.get("/lists").json()
        task = create(api, tasks)
        path = f"/tasks/{task['id']}"
        api.patch(path, {"completed": True})
        api.put(path, {"title": "b"})
        api.patch(path, {"list": other_list.pk})
        api.delete(path)
        create(api, tasks)
        api.patch(tasks, {"completed": True})
        api.delete(tasks)
        assert api.get("/lists").json() == before

    def test_deleting_a_list_deletes_its_tasks(
        self, api: Api, task_list: TaskList, tasks: str, others: str
    ) -> None:
        gone, stays = create(api, tasks), create(api, others)
        assert api.delete(f"/lists/{task_list.pk}").status_code == 204
        assert api.get(f"/tasks/{gone['id']}").status_code == 404
        assert api.get(f"/tasks/{stays['id']}").status_code == 200
        assert Task.objects.count() == 1

    def test_the_database_itself_deletes_the_tasks_of_a_list(
        self, api: Api, task_list: TaskList, tasks: str, others: str
    ) -> None:
        create(api, tasks)
        create(api, others)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM tasklists_tasklist WHERE id = %s", [task_list.pk])
        assert Task.objects.count() == 1


def test_put_replaces_all_but_list_and_order(api: Api, task_list: TaskList, tasks: str) -> None:
    create(api, tasks)
    task = create(api, tasks, completed=True, due="2027-02-28", order=7)
    create(api, tasks)
    replaced = api.put(f"/tasks/{task['id']}", {"title": "b"}).json()
    assert replaced == {
        **task,
        "title": "b",
        "completed": False,
        "completed_at": None,
        "due": None,
        "version": 2,
        "updated_at": replaced["updated_at"],
    }
    assert (replaced["list"], replaced["order"]) == (task_list.pk, 7)


def test_patch_of_several_members_is_one_change(
    api: Api, tasks: str, other_list: TaskList, django_assert_num_queries: Any
) -> None:
    task = create(api, tasks)
    body = {
        "title": "b",
        "completed": True,
        "due": "2027-02-28",
        "order": -1,
        "list": other_list.pk,
    }
    with django_assert_num_queries(1):
        changed = api.patch(f"/tasks/{task['id']}", body)
    assert changed.json().items() >= {**body, "version": 2}.items()


class TestFilter:
    @pytest.fixture(autouse=True)
    def three(self, api: Api, tasks: str, other_list: TaskList) -> None:
        for title, completed in [("a", True), ("b", False), ("c", True)]:
            create(api, tasks, title, completed=completed)
        create(api, f"/lists/{other_list.pk}/tasks", "other", completed=True)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", "abc"),
            ("completed=true", "ac"),
            ("completed=false", "b"),
            ("completed=", "abc"),
            ("completed=true&limit=1", "a"),
        ],
    )
    def test_completed(self, api: Api, tasks: str, query: str, expected: str) -> None:
        assert titles(api, f"{tasks}?{query}") == list(expected)

    @pytest.mark.parametrize("value", ["True", "1", "yes", "null", "completed", "true,false"])
    def test_a_misspelt_value_is_refused(self, api: Api, tasks: str, value: str) -> None:
        for method in (api.get, api.delete):
            response = method(f"{tasks}?completed={value}")
            assert response.status_code == 400
            assert response.json()["errors"][0]["parameter"] == "completed"
        assert api.patch(f"{tasks}?completed={value}", {"completed": True}).status_code == 400
        assert Task.objects.filter(version=1).count() == 4

    def test_an_empty_list_of_a_filter_is_no_error(self, api: Api, tasks: str) -> None:
        api.delete(f"{tasks}?completed=false")
        response = api.get(f"{tasks}?completed=false")
        assert (response.status_code, response.json()) == (200, [])


class TestWholeCollection:
    @pytest.fixture(autouse=True)
    def tasks_of_two_lists(self, api: Api, tasks: str, other_list: TaskList) -> None:
        for title, completed in [("a", True), ("b", False), ("c", False)]:
            create(api, tasks, title, completed=completed)
        create(api, f"/lists/{other_list.pk}/tasks", "other")
        create(api, f"/lists/{other_list.pk}/tasks", "other", completed=True)

    def others(self, api: Api, other_list: TaskList) -> list[Any]:
        listed: list[Any] = api.get(f"/lists/{other_list.pk}/tasks").json()
        return listed

    def test_delete_deletes_all(self, api: Api, tasks: str, other_list: TaskList) -> None:
        before = self.others(api, other_list)
        response = api.delete(tasks)
        assert (response.status_code, response.content) == (204, b"")
        assert api.get(tasks).json() == []
        assert self.others(api, other_list) == before
        assert api.delete(tasks).status_code == 204

    @pytest.mark.parametrize(("completed", "left"), [("true", ["b", "c"]), ("false", ["a"])])
    def test_delete_deletes_what_the_filter_selects(
        self, api: Api, tasks: str, other_list: TaskList, completed: str, left: list[str]
    ) -> None:
        before = self.others(api, other_list)
        for _ in range(2):
            assert api.delete(f"{tasks}?completed={completed}").status_code == 204
            assert titles(api, tasks) == left
        assert self.others(api, other_list) == before

    @pytest.mark.parametrize("query", ["completed=", "limit=1", "after=1,1", "x=1", "completed"])
    def test_a_query_that_selects_nothing_in_particular_is_refused(
        self, api: Api, tasks: str, query: str
    ) -> None:
        assert api.delete(f"{tasks}?{query}").status_code == 400
        assert api.patch(f"{tasks}?{query}", {"completed": True}).status_code == 400
        assert Task.objects.filter(version=1).count() == 5

    def test_patch_completes_all(self, api: Api, tasks: str, other_list: TaskList) -> None:
        before, others = api.get(tasks).json(), self.others(api, other_list)
        response = api.patch(f"{tasks}?completed=false", {"completed": True})
        assert (response.status_code, response.content) == (204, b"")
        after = api.get(tasks).json()
        assert all(task["completed"] and task["completed_at"] for task in after)
        assert after[0] == before[0], "it was complete, and is not changed"
        assert [task["version"] for task in after] == [1, 2, 2]
        assert all(
            new["updated_at"] > old["updated_at"]
            for new, old in zip(after[1:], before[1:], strict=True)
        )
        assert self.others(api, other_list) == others

    def test_patch_without_a_filter_changes_all_and_keeps_the_first_time(
        self, api: Api, tasks: str
    ) -> None:
        first = api.get(tasks).json()[0]["completed_at"]
        assert api.patch(tasks, {"completed": True}).status_code == 204
        after = api.get(tasks).json()
        assert [task["version"] for task in after] == [2, 2, 2]
        assert after[0]["completed_at"] == first

    def test_patch_reopens(self, api: Api, tasks: str) -> None:
        assert api.patch(f"{tasks}?completed=true", {"completed": False}).status_code == 204
        after = api.get(tasks).json()
        assert [task["completed_at"] for task in after] == [None] * 3
        assert [task["version"] for task in after] == [2, 1, 1]

    def test_a_change_of_all_is_never_earlier_than_the_one_before(
        self, api: Api, tasks: str
    ) -> None:
        later = timezone.now() + timedelta(seconds=60)
        Task.objects.update(updated_at=later)
        api.patch(tasks, {"completed": True})
        assert {task.updated_at for task in Task.objects.all()} == {later}

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"completed": True, "title": "x"}, "/title"),
            ({"title": "x"}, "/title"),
            ({"order": 1}, "/order"),
            ({"list": 1}, "/list"),
            ({"due": None}, "/due"),
            ({"completed": None}, "/completed"),
            ({"completed": 1}, "/completed"),
            ({"other": 1}, "/other"),
        ],
    )
    def test_other_members_are_refused(
        self, api: Api, tasks: str, body: dict[str, Any], pointer: str
    ) -> None:
        assert pointers(api.patch(f"{tasks}?completed=false", body)) == [pointer]
        assert Task.objects.filter(version=1).count() == 5

    def test_a_patch_of_nothing_changes_nothing(self, api: Api, tasks: str) -> None:
        for body in ({}, {"id": 7, "completed_at": None}):
            assert api.patch(tasks, body).status_code == 204
        assert Task.objects.filter(version=1).count() == 5

    @pytest.mark.parametrize("body", ["[]", "null", "{", ""])
    def test_a_body_that_is_no_object_changes_nothing(
        self, client: Client, tasks: str, body: str
    ) -> None:
        response = client.patch(tasks, body, "application/json")
        assert response.status_code == (204 if body == "" else 400)
        assert Task.objects.filter(version=1).count() == 5

    @pytest.mark.parametrize("method", ["delete", "patch"])
    def test_it_costs_one_query(
        self, api: Api, tasks: str, method: str, django_assert_num_queries: Any
    ) -> None:
        body = [{"completed": True}] if method == "patch" else []
        with django_assert_num_queries(1):
            assert getattr(api, method)(tasks, *body).status_code == 204

    def test_a_put_has_no_meaning_here(self, api: Api, tasks: str) -> None:
        assert api.put(tasks, {"title": "a"}).status_code == 405


class TestPages:
    def test_the_cursor_goes_over_both_keys(self, api: Api, tasks: str) -> None:
        orders = [3, -1, 3, 0, -1, 3, GREATEST, 3, -GREATEST]
        ids = {create(api, tasks, order=order)["id"]: order for order in orders}
        expected = sorted(ids, key=lambda pk: (ids[pk], pk))
        for limit in range(1, len(orders)):
            seen: list[int] = []
            path = f"{tasks}?limit={limit}"
            while path:
                page = api.get(path)
                seen += [task["id"] for task in page.json()]
                path = page.get("Link", "").partition(">")[0].removeprefix("<")
            assert seen == expected

    def test_it_is_stable_when_tasks_of_the_same_position_vanish(
        self, api: Api, tasks: str
    ) -> None:
        ids = [create(api, tasks, order=1)["id"] for _ in range(6)]
        link = api.get(f"{tasks}?limit=3")["Link"].partition(">")[0].removeprefix("<")
        for pk in (ids[1], ids[2], ids[4]):
            api.delete(f"/tasks/{pk}")
        assert [task["id"] for task in api.get(link).json()] == [ids[3], ids[5]]

    def test_a_task_that_moves_behind_the_cursor_is_seen_again(self, api: Api, tasks: str) -> None:
        first, *_ = [create(api, tasks)["id"] for _ in range(3)]
        link = api.get(f"{tasks}?limit=2")["Link"].partition(">")[0].removeprefix("<")
        api.patch(f"/tasks/{first}", {"order": 9})
        assert [task["id"] for task in api.get(link).json()][-1] == first

    def test_a_cursor_of_another_list_shows_only_this_one(
        self, api: Api, tasks: str, other_list: TaskList
    ) -> None:
        create(api, tasks)
        create(api, f"/lists/{other_list.pk}/tasks")
        assert api.get(f"{tasks}?after=0,0").json() == api.get(tasks).json()
