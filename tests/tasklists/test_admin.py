"""The admin of lists and tasks."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models.signals import post_save
from django.test import Client

from tasklists.models import TaskList

NO_TASKS = {"tasks-TOTAL_FORMS": 0, "tasks-INITIAL_FORMS": 0}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.fixture
def browser() -> Client:
    return Client(headers={"Accept": BROWSER})


@pytest.fixture
def admin(db: None) -> Client:
    client = Client(headers={"Accept": BROWSER})
    client.force_login(User.objects.create_superuser("admin", password="x"))
    return client


class TestAdmin:
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


def test_who_may_not_do_it_reads_so(browser: Client, db: None) -> None:
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
