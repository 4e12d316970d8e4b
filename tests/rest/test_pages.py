"""What a person sees in a browser: the browsable API, the admin and the documentation."""

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


@pytest.mark.parametrize("path", ["/", "/lists", "/lists/{id}", "/docs", "/docs/", "/admin/login/"])
def test_every_asset_of_a_page_is_served_here_under_a_hashed_name(
    browser: Client, task_list: TaskList, path: str
) -> None:
    page = browser.get(path.format(id=task_list.pk))
    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/html")
    assets = re.findall(
        r"""(?:src|href)=["']([^"'#?]+\.(?:css|js|png|svg|ico))["']""", page.content.decode()
    )
    assert assets
    for asset in assets:
        assert re.search(r"\.[0-9a-f]{12}\.[a-z]+$", asset), asset
        response = browser.get(asset)
        assert response.status_code == 200
        assert b"".join(response)
        assert "immutable" in response["Cache-Control"]
        response.close()


@pytest.mark.parametrize("path", ["/lists", "/admin/login/", "/nothing"])
def test_a_page_is_shown_in_no_frame_and_tells_nobody_where_it_leads_from(
    browser: Client, db: None, path: str
) -> None:
    page = browser.get(path)
    assert page["Content-Type"].startswith("text/html")
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/lists", "/nothing", "/schema"])
def test_json_is_taken_for_nothing_else(client: Client, db: None, path: str) -> None:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert "json" in answer["Content-Type"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_page_of_the_lists_shows_them_and_a_form(browser: Client, task_list: TaskList) -> None:
    page = browser.get("/lists").content.decode()
    assert "shopping" in page
    assert 'name="name"' in page


def test_a_form_that_is_refused_shows_why(browser: Client, db: None) -> None:
    response = browser.post("/lists", {"name": ""})
    assert response.status_code == 400
    assert "may not be blank" in response.content.decode()


def test_the_document_is_openapi(client: Client) -> None:
    response = client.get("/schema", headers={"Accept": "application/json"})
    document = response.json()
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) == {
        "/lists",
        "/lists/{id}",
        "/lists/{list_id}/tasks",
        "/tasks/{id}",
    }


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
