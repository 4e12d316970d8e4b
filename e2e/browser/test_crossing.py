"""What happens elsewhere, and in between, while somebody is in the middle of something."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from e2e.browser.api import Api
from e2e.browser.window import Window

pytestmark = pytest.mark.once(on="sqlite")


def come_back(window: Window) -> None:
    """Return to the window from another one, which makes it read everything."""
    with window.page.expect_response(re.compile(r"/lists/\d+/tasks\?limit=1000$")):
        window.page.evaluate("() => dispatchEvent(new Event('focus'))")
    window.settle()


def answer_once(status: int, body: str) -> Callable[[Route], None]:
    """A proxy that answers one request by itself, without asking the service."""
    answered: list[str] = []

    def handle(route: Route) -> None:
        if answered:
            route.continue_()
        else:
            answered.append(route.request.url)
            route.fulfill(status=status, body=body, content_type="text/html")

    return handle


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "<p>Sign in to the network.</p>"), (404, "page not found"), (404, ""), (502, "")],
)
def test_what_a_proxy_answers_is_not_taken_for_the_service(
    shown: Window, api: Api, groceries: int, status: int, body: str
) -> None:
    shown.expects(404, 502)
    shown.page.route("**/tasks/*", answer_once(status, body))
    shown.checkbox("milk").check()
    shown.says("The service reports an error")
    shown.says_no_more("The service reports an error")
    shown.eventually(lambda: api.task(groceries, "milk")["completed"], "the change is saved")
    expect(shown.page.get_by_role("dialog")).to_have_count(0)


def test_a_list_that_only_a_proxy_misses_stays(shown: Window, groceries: int) -> None:
    shown.expects(404)
    shown.page.route(re.compile(r"/lists/\d+/tasks"), answer_once(404, "page not found"))
    come_back(shown)
    shown.says("The service reports an error")
    shown.says_no_more("The service reports an error")
    shown.shows("milk", "bread", "oranges")


def test_a_deletion_waits_for_the_decision_about_it(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.expects(412)
    held: list[Route] = []
    shown.page.route("**/tasks/*", lambda route: held.append(route), times=1)  # noqa: PLW0108
    shown.rename("bread", "rye bread")
    shown.eventually(lambda: held, "the change is sent")
    api.change(groceries, "bread", title="white bread")
    shown.delete("rye bread")
    held[0].continue_()
    expect(shown.conflict).to_contain_text("You deleted the task")
    shown.page.evaluate("() => document.getElementById('dismiss').click()")  # behind the dialog
    shown.decide("Take theirs")
    shown.shows("milk", "white bread", "oranges")
    come_back(shown)
    shown.shows("milk", "white bread", "oranges")


def test_going_back_saves_the_title_that_is_edited(shown: Window, api: Api, groceries: int) -> None:
    reading = api.make_list("Reading", "Middlemarch")
    come_back(shown)
    shown.choose_list("Reading")
    shown.shows("Middlemarch")
    shown.edit("Middlemarch").fill("Emma")
    shown.page.go_back()
    shown.shows("milk", "bread", "oranges")
    shown.eventually(lambda: api.titles(reading) == ["Emma"], "the title is saved")


def test_a_refresh_does_not_end_editing(shown: Window, api: Api, groceries: int) -> None:
    shown.edit("bread").press_sequentially("rye")
    api.change(groceries, "oranges", order=0)
    come_back(shown)
    expect(shown.title_field).to_be_focused()
    expect(shown.title_field).to_have_value("rye")
    shown.title_field.press_sequentially(" bread")
    shown.title_field.press("Enter")
    shown.shows("oranges", "milk", "rye bread")
    shown.eventually(
        lambda: api.titles(groceries) == ["oranges", "milk", "rye bread"], "the title is saved"
    )


def test_a_task_that_changes_while_it_is_dragged_stays_where_it_was(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.drag("milk", "bread", above=False, drop=False)
    api.change(groceries, "milk", title="oat milk")
    come_back(shown)
    shown.page.mouse.up()
    shown.shows("oat milk", "bread", "oranges")
    assert api.titles(groceries) == ["oat milk", "bread", "oranges"]


def test_a_move_survives_a_conflict(shown: Window, api: Api, groceries: int) -> None:
    shown.expects(412)
    shown.expects_no_network()
    shown.context.set_offline(True)
    shown.checkbox("oranges").focus()
    shown.press("Space", "Alt+ArrowUp")
    shown.shows("milk", "oranges", "bread")
    api.change(groceries, "oranges", due="2027-02-28")
    shown.context.set_offline(False)
    shown.decide("Keep mine")
    shown.saved()
    assert api.titles(groceries) == ["milk", "oranges", "bread"]
    task = api.task(groceries, "oranges")
    assert task["completed"]
    assert task["due"] == "2027-02-28"


def test_leaving_a_title_by_tab_keeps_the_focus_in_the_row(shown: Window) -> None:
    shown.edit("bread").fill("rye bread")
    shown.press("Shift+Tab")
    expect(shown.checkbox("rye bread")).to_be_focused()
    shown.press("F2", "Tab")
    expect(shown.due_button("rye bread")).to_be_focused()


def test_a_deletion_is_undone_from_the_empty_field(shown: Window) -> None:
    for title in ("milk", "bread", "oranges"):
        shown.checkbox(title).focus()
        shown.press("Delete")
    expect(shown.field).to_be_focused()
    shown.press("Control+z")
    shown.shows("oranges")
