"""The page of the browsable API, for each resource."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tasklists.models import Task, TaskList
from tests.rest.conftest import Sample

pytestmark = pytest.mark.django_db


def test_the_pages_show_the_rows_and_a_form(browser: Client, resource: Sample, path: str) -> None:
    for target in (resource.collection, path):
        page = browser.get(target)
        assert page.status_code == 200
        assert page["Content-Type"] == "text/html; charset=utf-8"
        assert "before" in page.content.decode()
        for member in resource.body:
            assert f'name="{member}"' in page.content.decode()


def test_breadcrumbs_begin_at_the_collection(browser: Client, task_list: TaskList) -> None:
    """The page at / is not part of the API, so no breadcrumb leads to it."""
    page = browser.get(f"/lists/{task_list.pk}").content.decode()
    [breadcrumbs] = re.findall(r'<ul class="breadcrumb">(.*?)</ul>', page, re.DOTALL)
    links = re.findall(r'href="([^"]+)"', breadcrumbs)
    assert links == ["/lists/", f"/lists/{task_list.pk}"]


def test_the_form_of_a_row_shows_its_values(browser: Client, path: str) -> None:
    page = browser.get(path).content.decode()
    assert re.search(r'<input[^>]*value="before"', page)


def test_a_form_creates(browser: Client, resource: Sample) -> None:
    page = browser.post(resource.collection, resource.body)
    assert page.status_code == 201
    assert page["Location"] == resource.path(resource.the_row())
    assert getattr(resource.the_row(), resource.text) == "a"


def test_a_form_changes(browser: Client, resource: Sample, path: str) -> None:
    form = {**resource.with_text("after"), "csrfmiddlewaretoken": "x"}
    page = browser.generic("PUT", path, *multipart(form))
    assert page.status_code == 200
    assert "after" in page.content.decode()
    row = resource.the_row()
    assert (getattr(row, resource.text), row.version) == ("after", 2)


def multipart(form: dict[str, object]) -> tuple[bytes, str]:
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    return encode_multipart(BOUNDARY, form), MULTIPART_CONTENT


def test_a_form_that_is_refused_shows_why(browser: Client, resource: Sample) -> None:
    page = browser.post(resource.collection, resource.with_text(""))
    assert page.status_code == 400
    assert "may not be blank" in page.content.decode()
    assert resource.count() == 0


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_parts_of_a_form_that_are_no_members_are_ignored(
    browser: Client, resource: Sample, path: str, method: str
) -> None:
    """Such as the CSRF token and the button that was pressed, which browsers send as well."""
    target = resource.collection if method == "POST" else path
    form: dict[str, object] = {
        **resource.body,
        "button": "Save",
        "file": SimpleUploadedFile("a.txt", b"a"),
        "": "a",
    }
    page = browser.generic(method, target, *multipart(form))
    assert page.status_code == (201 if method == "POST" else 200)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_a_file_is_no_value(browser: Client, resource: Sample, path: str, method: str) -> None:
    form: dict[str, object] = {**resource.body, resource.text: SimpleUploadedFile("a", b"after")}
    target = resource.collection if method == "POST" else path
    page = browser.generic(method, target, *multipart(form))
    assert page.status_code == 400
    assert resource.the_row().version == 1


@pytest.mark.parametrize("member", ["list", "order", "completed", "due"])
def test_a_file_is_no_value_of_any_type(browser: Client, member: str) -> None:
    task = TaskList.objects.create(name="a").tasks.create(title="a")
    form: dict[str, object] = {member: SimpleUploadedFile("a.txt", b"1")}
    assert browser.generic("PATCH", f"/tasks/{task.pk}", *multipart(form)).status_code == 400


def test_a_form_moves_a_task(browser: Client) -> None:
    here, there = (TaskList.objects.create(name=name) for name in ("here", "there"))
    task = Task.objects.create(list=here, title="a")
    form: dict[str, object] = {"title": "a", "list": str(there.pk), "csrfmiddlewaretoken": "x"}
    assert browser.generic("PUT", f"/tasks/{task.pk}", *multipart(form)).status_code == 200
    assert Task.objects.get().list == there
    refused = browser.generic("PUT", f"/tasks/{task.pk}", *multipart({**form, "list": "x"}))
    assert refused.status_code == 400


def test_a_form_changes_a_collection(browser: Client) -> None:
    task_list = TaskList.objects.create(name="a")
    task = task_list.tasks.create(title="a")
    path = f"/lists/{task_list.pk}/tasks"
    form: dict[str, object] = {"completed": "true", "csrfmiddlewaretoken": "x", "button": "Save"}
    assert browser.generic("PATCH", path, *multipart(form)).status_code == 200
    task.refresh_from_db()
    assert (task.completed, task.title) == (True, "a")
    refused = browser.generic("PATCH", path, *multipart({**form, "title": "b"}))
    assert refused.status_code == 400
    task.refresh_from_db()
    assert (task.version, task.title) == (2, "a")


def test_a_client_that_accepts_any_text_gets_the_page(
    client: Client, resource: Sample, path: str
) -> None:
    for target, status in [(path, 200), (resource.collection, 200), (f"{path}0", 404)]:
        page = client.get(target, headers={"Accept": "text/*"})
        assert page.status_code == status
        assert page["Content-Type"] == "text/html; charset=utf-8"


def test_a_form_is_read_from_a_browser_alone(client: Client, resource: Sample) -> None:
    assert client.post(resource.collection, resource.body).status_code == 415
    assert resource.count() == 0


def test_a_browser_sees_a_page_that_says_it_is_deleted(
    browser: Client, resource: Sample, path: str
) -> None:
    """The page's own script does not understand an answer without a body."""
    page = browser.delete(path)
    assert page.status_code == 200
    assert b"204 No Content" in page.content
    assert resource.count() == 0


def test_a_refusal_is_a_page_with_the_problem(browser: Client, resource: Sample) -> None:
    page = browser.get(f"{resource.members}4711")
    assert page.status_code == 404
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert "Not Found" in page.content.decode()


def test_the_filters_have_a_form(browser: Client, resource: Sample) -> None:
    if not resource.filter:
        pytest.skip("it has no filters")
    resource.make()
    page = browser.get(resource.collection).content.decode()
    assert 'method="get"' in page
    # A browser sends the fields that were left empty as well.
    name, _, _ = resource.filter.partition("=")
    assert browser.get(f"{resource.collection}?{name}=").status_code == 200


def test_nothing_of_a_text_is_markup(browser: Client, resource: Sample) -> None:
    row = resource.make("<script>alert(1)</script>")
    for target in (resource.collection, resource.path(row)):
        page = browser.get(target).content.decode()
        assert "alert(1)" in page
        assert "<script>alert" not in page
