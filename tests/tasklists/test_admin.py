"""The admin of lists and tasks."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections
from django.db.models.signals import post_save
from django.test import Client
from django.utils import timezone

from tasklists.models import Task, TaskList
from tests.conftest import BROWSER
from tests.load import eventually

NO_TASKS = {"tasks-TOTAL_FORMS": 0, "tasks-INITIAL_FORMS": 0}


class TestLists:
    changelist = "/admin/tasklists/tasklist/"

    def test_admin_without_a_slash_leads_there(self, browser: Client) -> None:
        assert browser.get("/admin")["Location"] == "/admin/"

    def test_search(self, admin: Client, task_list: TaskList) -> None:
        TaskList.objects.create(name="holidays")
        page = admin.get(self.changelist, {"q": "SHOP"}).content.decode()
        assert "shopping" in page
        assert "holidays" not in page

    def test_filters_and_dates(self, admin: Client, task_list: TaskList) -> None:
        year = task_list.created_at.year
        assert "shopping" in admin.get(self.changelist, {"created_at__year": year}).content.decode()
        page = admin.get(self.changelist, {"created_at__year": year - 1}).content.decode()
        assert "shopping" not in page

    def test_add(self, admin: Client) -> None:
        admin.post(f"{self.changelist}add/", {"name": "new", "version": 7, **NO_TASKS})
        created = TaskList.objects.get()
        assert (created.name, created.version) == ("new", 1)

    def test_a_change_is_the_next_version(self, admin: Client, task_list: TaskList) -> None:
        admin.post(
            f"{self.changelist}{task_list.pk}/change/", {"name": "new", "version": 7, **NO_TASKS}
        )
        changed = TaskList.objects.get()
        assert (changed.name, changed.version) == ("new", 2)
        assert changed.updated_at > task_list.updated_at

    def test_saving_without_a_change_is_none(self, admin: Client, task_list: TaskList) -> None:
        admin.post(f"{self.changelist}{task_list.pk}/change/", {"name": "shopping", **NO_TASKS})
        assert TaskList.objects.get().version == 1

    def test_version_and_times_are_shown_and_not_asked_for(
        self, admin: Client, task_list: TaskList
    ) -> None:
        page = admin.get(f"{self.changelist}{task_list.pk}/change/").content.decode()
        assert "field-version" in page
        assert "field-created_at" in page
        assert re.findall(r'<input[^>]+name="([a-z_]+)"[^>]+id="id_', page) == ["name"]

    def test_delete(self, admin: Client, task_list: TaskList) -> None:
        action = {"action": "delete_selected", "_selected_action": task_list.pk, "post": "yes"}
        admin.post(self.changelist, action)
        assert not TaskList.objects.exists()


class TestTasks:
    changelist = "/admin/tasklists/task/"

    @pytest.fixture
    def milk(self, task_list: TaskList) -> Task:
        return Task.objects.create(list=task_list, title="milk", due=date(2027, 2, 28))

    def form(self, task: Task, **changes: Any) -> dict[str, Any]:
        members = {"list": task.list_id, "title": task.title, "order": task.order}
        times = {"due": task.due or "", "completed_at_0": "", "completed_at_1": ""}
        return {**members, **times, **changes}

    def test_add_at_the_end(self, admin: Client, task_list: TaskList, milk: Task) -> None:
        form = {"list": task_list.pk, "title": "bread", "order": "", "due": ""}
        admin.post(f"{self.changelist}add/", form)
        bread = Task.objects.get(title="bread")
        assert (bread.order, bread.version, bread.completed) == (2, 1, False)

    def test_a_change_is_the_next_version(self, admin: Client, milk: Task) -> None:
        admin.post(f"{self.changelist}{milk.pk}/change/", self.form(milk, title="oat milk"))
        changed = Task.objects.get()
        assert (changed.title, changed.version) == ("oat milk", 2)
        assert changed.updated_at > milk.updated_at

    def test_saving_without_a_change_is_none(self, admin: Client, milk: Task) -> None:
        admin.post(f"{self.changelist}{milk.pk}/change/", self.form(milk))
        assert Task.objects.get().version == 1

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("", {"milk", "bread"}),
            ("completed=true", {"bread"}),
            ("completed=false", {"milk"}),
            ("completed=rubbish", {"milk", "bread"}),
            ("due=2027-02-28", {"milk"}),
            ("due__isnull=True", {"bread"}),
            ("q=MIL", {"milk"}),
        ],
    )
    def test_filters(
        self, admin: Client, task_list: TaskList, milk: Task, query: str, shown: set[str]
    ) -> None:
        task_list.tasks.create(title="bread", completed_at=timezone.now())
        page = admin.get(f"{self.changelist}?{query}", follow=True)
        assert page.status_code == 200
        rows = re.findall(r"change/[^>]*>(milk|bread)</a>", page.content.decode())
        assert set(rows) == shown

    def test_the_page_offers_its_filters(self, admin: Client, milk: Task) -> None:
        page = admin.get(self.changelist).content.decode()
        for query in ("?completed=true", "?completed=false", "?due__"):
            assert f'href="{query}' in page

    def test_actions_complete_and_reopen(
        self, admin: Client, task_list: TaskList, milk: Task
    ) -> None:
        bread = task_list.tasks.create(title="bread")

        def act(action: str, *tasks: Task) -> None:
            selected = [task.pk for task in tasks]
            response = admin.post(self.changelist, {"action": action, "_selected_action": selected})
            assert response.status_code == 302

        act("complete", milk)
        milk.refresh_from_db()
        bread.refresh_from_db()
        assert (milk.completed, milk.version) == (True, 2)
        assert (bread.completed, bread.version) == (False, 1)
        first = milk.completed_at
        act("complete", milk, bread)
        milk.refresh_from_db()
        bread.refresh_from_db()
        assert (milk.completed_at, bread.completed) == (first, True)
        act("reopen", milk)
        milk.refresh_from_db()
        assert (milk.completed, milk.completed_at, milk.version) == (False, None, 3)

    # The changelist is not within a transaction, in which the admin would lock the rows.
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("action", ["complete", "reopen"])
    def test_an_action_needs_the_permission_to_change(
        self, browser: Client, milk: Task, action: str
    ) -> None:
        clerk = User.objects.create_user("clerk", is_staff=True)
        clerk.user_permissions.add(Permission.objects.get(codename="view_task"))
        browser.force_login(clerk)
        assert f'value="{action}"' not in browser.get(self.changelist).content.decode()
        browser.post(self.changelist, {"action": action, "_selected_action": milk.pk})
        milk.refresh_from_db()
        assert (milk.completed, milk.version) == (False, 1)

    def test_an_action_is_in_the_history(self, admin: Client, milk: Task) -> None:
        for action in ("complete", "reopen"):
            admin.post(self.changelist, {"action": action, "_selected_action": milk.pk})
        page = admin.get(f"{self.changelist}{milk.pk}/history/").content.decode()
        assert page.lower().count("changed completed at") == 2


class TestTasksOfAList:
    @pytest.fixture
    def tasks(self, task_list: TaskList) -> list[Task]:
        return [task_list.tasks.create(title=title) for title in ("milk", "bread")]

    def page(self, task_list: TaskList) -> str:
        return f"/admin/tasklists/tasklist/{task_list.pk}/change/"

    def form(self, task_list: TaskList, *rows: dict[str, Any]) -> dict[str, Any]:
        """The form of a list with these rows; those with an id exist already."""
        existing = sum("id" in row for row in rows)
        counts = {"tasks-TOTAL_FORMS": len(rows), "tasks-INITIAL_FORMS": existing}
        form: dict[str, Any] = {"name": task_list.name, **counts}
        for number, row in enumerate(rows):
            complete = {"list": task_list.pk, "due": "", "order": "", **row}
            form |= {f"tasks-{number}-{name}": value for name, value in complete.items()}
        return form

    def unchanged(self, task: Task) -> dict[str, Any]:
        return {"id": task.pk, "title": task.title, "order": task.order}

    def test_they_are_on_its_page(
        self, admin: Client, task_list: TaskList, tasks: list[Task]
    ) -> None:
        page = admin.get(self.page(task_list)).content.decode()
        for task in tasks:
            assert f'value="{task.title}"' in page

    def test_a_row_is_changed_as_the_next_version_and_the_others_are_not(
        self, admin: Client, task_list: TaskList, tasks: list[Task]
    ) -> None:
        milk, bread = tasks
        changed = {**self.unchanged(milk), "title": "oat milk"}
        form = self.form(task_list, changed, self.unchanged(bread))
        assert admin.post(self.page(task_list), form).status_code == 302
        before = bread.updated_at
        for task in tasks:
            task.refresh_from_db()
        assert (milk.title, milk.version) == ("oat milk", 2)
        assert (bread.version, bread.updated_at) == (1, before)
        assert TaskList.objects.get().version == 1

    def test_saving_a_form_keeps_concurrent_changes_of_other_fields(
        self, admin: Client, task_list: TaskList, tasks: list[Task]
    ) -> None:
        milk = tasks[0]
        form = self.form(task_list, {**self.unchanged(milk), "title": "oat milk"})
        Task.objects.filter(pk=milk.pk).update(completed_at=timezone.now(), version=7)
        assert admin.post(self.page(task_list), form).status_code == 302
        milk.refresh_from_db()
        assert (milk.title, milk.completed, milk.version) == ("oat milk", True, 8)

    def test_a_row_is_added_at_the_end(
        self, admin: Client, task_list: TaskList, tasks: list[Task]
    ) -> None:
        rows = [*map(self.unchanged, tasks), {"title": "eggs"}]
        assert admin.post(self.page(task_list), self.form(task_list, *rows)).status_code == 302
        eggs = Task.objects.get(title="eggs")
        assert (eggs.list_id, eggs.order, eggs.version) == (task_list.pk, 3, 1)

    def test_a_row_is_deleted(self, admin: Client, task_list: TaskList, tasks: list[Task]) -> None:
        milk, bread = tasks
        form = self.form(task_list, {**self.unchanged(milk), "DELETE": "on"}, self.unchanged(bread))
        assert admin.post(self.page(task_list), form).status_code == 302
        assert [task.title for task in Task.objects.all()] == ["bread"]

    def test_a_deleted_row_is_an_error_and_shifts_no_other_row(
        self, admin: Client, task_list: TaskList, tasks: list[Task]
    ) -> None:
        milk, bread = tasks
        rows = [{**self.unchanged(task), "title": f"{task.title} 2"} for task in tasks]
        form = self.form(task_list, *rows)
        milk.delete()
        assert admin.post(self.page(task_list), form).status_code == 200
        bread.refresh_from_db()
        assert (bread.title, bread.version) == ("bread", 1)

    @pytest.mark.parametrize("key", ["9" * 30, "-1", "x", "", "1e3", "\u0663", "\0"])
    def test_an_id_that_no_row_can_have_is_an_error(
        self, admin: Client, task_list: TaskList, tasks: list[Task], key: str
    ) -> None:
        form = self.form(task_list, *map(self.unchanged, tasks)) | {"tasks-0-id": key}
        assert admin.post(self.page(task_list), form).status_code == 200
        assert [task.version for task in Task.objects.all()] == [1, 1]

    def test_a_row_that_was_moved_is_an_error_and_nothing_is_saved(
        self, admin: Client, task_list: TaskList, other_list: TaskList, tasks: list[Task]
    ) -> None:
        rows = [{**self.unchanged(task), "title": f"{task.title} 2"} for task in tasks]
        form = self.form(task_list, *rows)
        tasks[0].change({"list": other_list})
        page = admin.post(self.page(task_list), form)
        assert page.status_code == 200
        assert "has been deleted or moved" in page.content.decode()
        assert sorted(Task.objects.values_list("title", "version")) == [("bread", 1), ("milk", 2)]

    @pytest.mark.once(on="sqlite")
    def test_more_rows_than_a_form_may_have_are_an_error(
        self, admin: Client, task_list: TaskList, tasks: list[Task]
    ) -> None:
        form = self.form(task_list, *map(self.unchanged, tasks))
        form |= {"tasks-INITIAL_FORMS": 10**9, "tasks-TOTAL_FORMS": 10**9}
        assert admin.post(self.page(task_list), form).status_code == 200
        assert [task.version for task in Task.objects.all()] == [1, 1]

    def test_a_list_of_thousands_can_be_opened_and_saved(
        self, admin: Client, task_list: TaskList
    ) -> None:
        now = timezone.now()
        times = {"created_at": now, "updated_at": now}
        Task.objects.bulk_create(
            Task(list=task_list, title=f"task {n}", order=n, **times) for n in range(2000)
        )
        page = admin.get(self.page(task_list)).content.decode()
        sent = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page))
        assert sent["tasks-34-title"] == "task 34"
        assert "tasks-36-title" not in page
        sent |= {"name": "new", "tasks-0-title": "first"}
        response = admin.post(self.page(task_list), {**sent, "_save": "Save"})
        assert response.status_code == 302
        assert TaskList.objects.get().name == "new"
        assert [task.version for task in Task.objects.all()[:3]] == [2, 1, 1]


LONGEST = "\U0001f6d2" * 255  # each character becomes twelve bytes in a form
GREATEST_ID = 10**18 - 1  # that the form of a list takes


class TestTheLargestForms:
    """What the admin shows can be sent back: it fits into the largest body."""

    @pytest.fixture
    def full(self, db: None) -> TaskList:
        """A list of 200 tasks, as many as Show all shows, with the longest values there are."""
        full = TaskList.objects.create(id=GREATEST_ID, name=LONGEST)
        now = timezone.now()
        values = {"due": date(2027, 2, 28), "created_at": now, "updated_at": now}
        Task.objects.bulk_create(
            Task(id=GREATEST_ID - n, list=full, title=LONGEST, order=-(2**53) + 1, **values)
            for n in range(200)
        )
        return full

    def send(self, admin: Client, path: str, fields: list[tuple[str, Any]]) -> Any:
        """Send a form as a browser does."""
        return admin.generic("POST", path, urlencode(fields), "application/x-www-form-urlencoded")

    def test_all_rows_of_a_page_are_selected(self, admin: Client, full: TaskList) -> None:
        path = f"{TestTasks.changelist}?all="
        page = admin.get(path).content.decode()
        selected = re.findall(r'name="_selected_action" value="([0-9]+)"', page)
        assert len(selected) == 200
        fields = [("csrfmiddlewaretoken", "x" * 64), ("action", "complete"), ("index", 0)]
        fields += [("_selected_action", key) for key in selected]
        assert self.send(admin, path, fields).status_code == 302
        assert Task.objects.filter(completed=True).count() == 200

    def test_a_list_with_its_tasks(self, admin: Client, full: TaskList) -> None:
        path = f"{TestLists.changelist}{full.pk}/change/"
        page = admin.get(path).content.decode()
        fields = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page)
        deleted = [(name.replace("title", "DELETE"), "on") for name, _ in fields if "title" in name]
        assert len(deleted) == 35
        assert self.send(admin, path, [*fields, *deleted]).status_code == 302
        assert full.tasks.count() == 165


def test_a_user_without_permission_gets_403_as_a_page(browser: Client, db: None) -> None:
    browser.force_login(User.objects.create_user("clerk", is_staff=True))
    page = browser.get("/admin/tasklists/tasklist/add/")
    assert page.status_code == 403
    assert "This is not allowed." in page.content.decode()


def test_a_session_that_ends_during_its_request(admin: Client, settings: LazySettings) -> None:
    settings.SESSION_SAVE_EVERY_REQUEST = True

    def log_out(**kwargs: Any) -> None:
        """As from another of the user's browsers, after this request was let in."""
        Session.objects.all().delete()

    post_save.connect(log_out, sender=TaskList)
    try:
        page = admin.post("/admin/tasklists/tasklist/add/", {"name": "x", **NO_TASKS})
    finally:
        post_save.disconnect(log_out, sender=TaskList)
    assert page.status_code == 400
    assert "session was deleted before the request completed" in page.content.decode()


LISTS, TASKS, USERS = "tasklists/tasklist", "tasklists/task", "auth/user"


class TestLookups:
    """A list is filtered by what its page offers, and by nothing else."""

    @pytest.mark.parametrize("model", [LISTS, TASKS, USERS])
    def test_every_link_of_the_page_works(
        self, admin: Client, task_list: TaskList, model: str
    ) -> None:
        group = Group.objects.create(name="group")
        for user in (User.objects.get(), User.objects.create_user("ada", is_active=False)):
            user.groups.add(group)
        for due in (date(2027, 2, 28), date(2025, 1, 31), None):
            task_list.tasks.create(title="milk", due=due)
        for years in (1, 2):
            old = timezone.now() - timedelta(days=366 * years)
            TaskList.objects.filter(pk=TaskList.objects.create(name="old").pk).update(
                created_at=old
            )
        page = admin.get(f"/admin/{model}/").content.decode()
        links = {unescape(link) for link in re.findall(r'href="(\?[^"]*)"', page)}
        assert len(links) > 5
        assert any("__" in link for link in links)
        for link in links:
            assert admin.get(f"/admin/{model}/{link}").status_code == 200, link

    @pytest.mark.parametrize(
        ("model", "lookup"),
        [
            (LISTS, "name__regex"),
            (LISTS, "name__iregex"),
            (LISTS, "name__icontains"),
            (LISTS, "created_at__year__regex"),
            (LISTS, "tasks__title__regex"),
            (TASKS, "title__regex"),
            (TASKS, "due__regex"),
            (TASKS, "list__name__regex"),
            (USERS, "username__regex"),
            (USERS, "password__startswith"),
            (USERS, "groups__name__regex"),
            (USERS, "groups__id__regex"),
            ("auth/group", "name__regex"),
        ],
    )
    def test_no_other_lookup_is_executed(self, admin: Client, model: str, lookup: str) -> None:
        slow = "a" * 20 + "b"  # for this expression; each further a doubles the time on SQLite
        TaskList.objects.create(name=slow).tasks.create(title=slow)
        response = admin.get(f"/admin/{model}/", {lookup: "^(a+)+$"})
        assert (response.status_code, response["Location"]) == (302, f"/admin/{model}/?e=1")

    def test_the_choices_of_a_foreign_key_may_be_limited(
        self, admin: Client, task_list: TaskList, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The window in which one of them is chosen has the limit in its address."""
        limits = [{"name__startswith": "s"}, lambda: {"name__endswith": "x"}]
        monkeypatch.setattr(TaskList._meta, "related_fkey_lookups", limits)
        for query, shown in (("name__startswith=s", True), ("name__endswith=x", False)):
            page = admin.get(f"/admin/{LISTS}/?_to_field=id&_popup=1&{query}")
            assert page.status_code == 200
            assert ("shopping" in page.content.decode()) == shown


class TestBadQueries:
    """What no database can search for leads to the list with a message, as Django does it."""

    @pytest.fixture
    def staff(self, transactional_db: None) -> Client:
        client = Client(headers={"Accept": BROWSER})
        client.force_login(User.objects.create_superuser("staff", password="x"))
        return client

    @pytest.mark.parametrize(
        ("model", "query"),
        [
            (LISTS, {"name__regex": "("}),
            (LISTS, {"id__iregex": "*"}),
            (USERS, {"username__regex": "["}),
            (LISTS, {"created_at__year": "9999"}),
            (LISTS, {"created_at__year": "99999999999999999999"}),
            (LISTS, {"created_at__year": "9999", "created_at__month": "12"}),
            (LISTS, {"updated_at__iso_year": "-1"}),
            (TASKS, {"due__year": "10000"}),
            (USERS, {"date_joined__year__gt": "0"}),
            (LISTS, {"id__range": "1"}),
            (LISTS, {"name__range": ""}),
            (USERS, {"username__range": "abc"}),
            (TASKS, {"due": "2026-13-45"}),
            (LISTS, {"created_at__date": "x", "e": "1"}),
            (LISTS, {"bogus__lookup": "1", "q": "x"}),
        ],
    )
    def test_it_leads_to_the_list(self, staff: Client, model: str, query: dict[str, str]) -> None:
        TaskList.objects.create(name="shopping")
        page = staff.get(f"/admin/{model}/", query, follow=True)
        assert page.status_code in (200, 400)
        if page.status_code == 200 and query.get("e") is None:
            assert page.redirect_chain == [(f"/admin/{model}/?e=1", 302)]
            assert "cannot be filtered" in page.content.decode()

    @pytest.mark.parametrize(
        ("model", "query"),
        [
            (LISTS, {"id__in": "99999999999999999999"}),
            (LISTS, {"name": "\0"}),
            (LISTS, {"q": "\0"}),
            (USERS, {"username__contains": "\0"}),
            (LISTS, {"p": "999999999999"}),
            (LISTS, {"o": "99.-99.x"}),
            (LISTS, {"q": "%" * 60_000}),
        ],
    )
    def test_what_one_database_can_search_for_is_no_defect_on_the_other(
        self, staff: Client, model: str, query: dict[str, str]
    ) -> None:
        assert staff.get(f"/admin/{model}/", query, follow=True).status_code in (200, 400)

    def test_head_is_answered_as_get_is(self, staff: Client) -> None:
        response = staff.head(f"/admin/{LISTS}/", {"created_at__year": "9999"})
        assert (response.status_code, response["Location"]) == (302, f"/admin/{LISTS}/?e=1")

    def test_a_number_that_is_too_large_in_an_action_is_no_defect(self, staff: Client) -> None:
        form = {"action": "delete_selected", "_selected_action": "9" * 20}
        assert staff.post(f"/admin/{LISTS}/", form).status_code in (200, 302, 400)

    @pytest.mark.parametrize(
        ("path", "form"),
        [
            (f"{LISTS}/", {"action": "delete_selected", "_selected_action": "abc"}),
            (f"{LISTS}/", {"action": "delete_selected", "_selected_action": ""}),
            (f"{TASKS}/", {"action": "complete", "_selected_action": "\0"}),
            (f"{USERS}/", {"action": "delete_selected", "_selected_action": "1.5"}),
            (
                f"{LISTS}/?created_at__year=9999",
                {"action": "delete_selected", "_selected_action": "1", "select_across": "1"},
            ),
        ],
    )
    def test_an_action_for_rows_that_cannot_be_is_not_carried_out(
        self, staff: Client, path: str, form: dict[str, str]
    ) -> None:
        TaskList.objects.create(name="shopping")
        page = staff.post(f"/admin/{path}", {**form, "post": "yes"}, follow=True)
        assert page.redirect_chain == [(f"/admin/{path.partition('?')[0]}?e=1", 302)]
        assert "No action was carried out." in page.content.decode()
        assert TaskList.objects.count() == 1

    def test_a_defect_of_an_action_is_500(
        self, staff: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object) -> None:
            raise ValueError("a defect")

        monkeypatch.setattr("tasklists.admin.TaskListAdmin.get_search_fields", fail)
        staff.raise_request_exception = False
        form = {"action": "delete_selected", "_selected_action": "1"}
        assert staff.post(f"/admin/{LISTS}/", form).status_code == 500

    def test_a_defect_without_a_query_is_500(
        self, staff: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object) -> None:
            raise ValueError("a defect")

        monkeypatch.setattr("tasklists.admin.TaskListAdmin.get_search_fields", fail)
        staff.raise_request_exception = False
        assert staff.get(f"/admin/{LISTS}/").status_code == 500
        assert staff.get(f"/admin/{LISTS}/?e=1").status_code == 500

    def test_an_outage_is_none_of_the_query(
        self, staff: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object) -> None:
            raise OperationalError("server closed the connection")

        # The database of a test cannot go away; test_outage.py has services whose does.
        monkeypatch.setattr("tasklists.admin.TaskListAdmin.get_search_fields", fail)
        assert staff.get(f"/admin/{LISTS}/?q=x").status_code == 503


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")
@pytest.mark.parametrize("client", ["admin", "api"])
def test_a_serialization_failure_is_no_outage(
    transactional_db: None, client: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The admin says to try again; the API has tried again by itself."""
    one = TaskList.objects.create(name="one")
    browser = Client(headers={"Accept": BROWSER})
    browser.force_login(User.objects.create_superuser("staff", password="x"))
    update = "UPDATE tasklists_tasklist SET name = 'rival' WHERE id = %s"
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    rival, observer = connections.create_connection("default"), connection.copy("default")
    for each in (rival, observer):
        each.inc_thread_sharing()
    with rival.cursor() as cursor, connection.cursor() as ours:
        ours.execute("SET default_transaction_isolation = 'serializable'")
        cursor.execute("BEGIN")
        cursor.execute(update, [one.pk])

        def commit_when_waited_for() -> None:
            with observer.cursor() as look:

                def found() -> bool:
                    look.execute(waiting)
                    return bool(look.fetchone()[0])

                eventually(found, "the service to wait for the row")
            cursor.execute("COMMIT")

        with ThreadPoolExecutor(1) as executor:
            committed = executor.submit(commit_when_waited_for)
            if client == "admin":
                page = f"/admin/{LISTS}/{one.pk}/change/"
                answer = browser.post(page, {"name": "new", **NO_TASKS})
            else:
                answer = Client().patch(
                    f"/lists/{one.pk}", {"name": "new"}, content_type="application/json"
                )
            committed.result()
    connection.close()
    rival.close()
    observer.close()
    log = caplog.text
    if client == "api":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 503
        assert answer["Retry-After"]
        assert "conflicted with another one" in log
        assert "try again" in answer.content.decode()
    assert "unavailable" not in log
