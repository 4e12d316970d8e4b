"""Somebody else is faster, or the database, the service or the network is away."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, expect

from e2e.browser.api import Api
from e2e.browser.conftest import OpenWindow
from e2e.browser.window import Window
from tests.postgresql import PostgreSQL
from tests.process import Service


def come_back(window: Window) -> None:
    """Return to the window from another one."""
    window.page.evaluate("() => dispatchEvent(new Event('focus'))")


def lose_the_next_answer(page: Page, path: re.Pattern[str], method: str) -> list[int]:
    """The service gets the next such request and acts on it, but its answer does not arrive.

    Returns a list that gets the status of that answer.
    """
    lost: list[int] = []

    def handle(route: Route) -> None:
        if lost or route.request.method != method:
            route.fallback()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route(path, handle)
    return lost


# ── Two windows ──────────────────────────────────────────────────────────────


@pytest.fixture
def other(shown: Window, open_window: OpenWindow, service: Service) -> Window:
    """A second window with the same list, of somebody else."""
    window = open_window(service.url)
    window.shows("milk", "bread", "oranges")
    return window


@pytest.fixture
def conflict(shown: Window, other: Window, api: Api, groceries: int) -> Window:
    """A window that shows a conflict: both people changed the title of the same task."""
    shown.expects(412)
    other.rename("bread", "white bread")
    other.eventually(lambda: "white bread" in api.titles(groceries), "it is saved")
    shown.rename("bread", "rye bread")
    expect(shown.conflict).to_be_visible()
    return shown


def test_both_versions_are_shown(conflict: Window) -> None:
    yours = conflict.conflict.get_by_role("region", name=re.compile(r"^Yours at \d\d:\d\d$"))
    theirs = conflict.conflict.get_by_role("region", name=re.compile(r"^Theirs at \d\d:\d\d$"))
    expect(yours).to_contain_text("rye bread")
    expect(theirs).to_contain_text("white bread")


def test_mine_is_kept(conflict: Window, other: Window, api: Api, groceries: int) -> None:
    conflict.decide("Keep mine")
    conflict.shows("milk", "rye bread", "oranges")
    conflict.eventually(lambda: "rye bread" in api.titles(groceries), "mine is saved")
    come_back(other)
    other.shows("milk", "rye bread", "oranges")


def test_theirs_is_taken(conflict: Window, api: Api, groceries: int) -> None:
    conflict.decide("Take theirs")
    conflict.shows("milk", "white bread", "oranges")
    assert api.titles(groceries) == ["milk", "white bread", "oranges"]
    conflict.rename("white bread", "toast")  # based on theirs, so it is no conflict
    conflict.eventually(lambda: "toast" in api.titles(groceries), "it is saved")


@pytest.mark.parametrize("by", ["button", "Escape"])
def test_it_may_be_decided_later(conflict: Window, api: Api, groceries: int, by: str) -> None:
    if by == "Escape":
        conflict.press("Escape")
    else:
        conflict.decide("Decide later")
    conflict.shows("milk", "rye bread", "oranges")
    mark = conflict.page.get_by_role(
        "button", name="Changed elsewhere: choose a version of rye bread"
    )
    expect(mark).to_be_visible()
    assert api.titles(groceries) == ["milk", "white bread", "oranges"]
    come_back(conflict)  # reading everything anew decides nothing
    conflict.add("tea")
    conflict.eventually(lambda: "tea" in api.titles(groceries), "other changes are saved")
    mark.click()
    conflict.decide("Keep mine")
    expect(mark).to_be_hidden()
    conflict.eventually(lambda: "rye bread" in api.titles(groceries), "mine is saved")


@pytest.mark.parametrize("where", ["title", "new task"])
def test_a_conflict_while_something_is_typed_waits(
    shown: Window, api: Api, groceries: int, where: str
) -> None:
    shown.expects(412)
    api.change(groceries, "bread", title="white bread")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.fallback()
        else:
            held.append(route)

    shown.page.route("**/tasks/*", hold)
    shown.rename("bread", "rye bread")
    shown.eventually(lambda: held, "the change is sent")
    field = shown.edit("oranges") if where == "title" else shown.field
    field.fill("oranges and")
    held[0].continue_()
    expect(
        shown.page.get_by_role("button", name="Changed elsewhere: choose a version of rye bread")
    ).to_be_visible()
    expect(shown.conflict).to_be_hidden()
    expect(field).to_be_focused()
    expect(field).to_have_value("oranges and")


def test_what_was_deleted_elsewhere_is_asked_about(shown: Window, api: Api, groceries: int) -> None:
    shown.expects(404, 412)
    api.delete(groceries, "bread")
    shown.rename("bread", "rye bread")
    expect(shown.conflict).to_contain_text("The task was deleted")
    shown.decide("Keep mine")
    shown.shows("milk", "rye bread", "oranges")
    shown.eventually(lambda: "rye bread" in api.titles(groceries), "it is made again")
    api.delete(groceries, "oranges")
    shown.checkbox("oranges").check()
    expect(shown.conflict).to_be_visible()
    shown.decide("Take theirs")
    shown.shows("milk", "rye bread")


def test_a_deletion_of_what_was_changed_elsewhere_is_asked_about(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.expects(412)
    api.change(groceries, "bread", title="white bread")
    shown.delete("bread")
    shown.dismiss()
    expect(shown.conflict).to_contain_text("You deleted the task")
    expect(shown.conflict).to_contain_text("white bread")
    shown.decide("Take theirs")
    shown.shows("milk", "white bread", "oranges")
    api.change(groceries, "oranges", title="lemons")
    shown.delete("oranges")
    shown.dismiss()
    shown.decide("Keep mine")
    shown.shows("milk", "white bread")
    shown.eventually(lambda: api.titles(groceries) == ["milk", "white bread"], "it is deleted")


def test_the_same_change_elsewhere_is_no_conflict(shown: Window, api: Api, groceries: int) -> None:
    shown.expects(412)
    api.change(groceries, "bread", completed=True)
    with shown.page.expect_response(lambda answer: answer.status == 412):
        shown.checkbox("bread").check()
    shown.rename("bread", "rye bread")
    shown.eventually(lambda: "rye bread" in api.titles(groceries), "it is saved")
    expect(shown.conflict).to_be_hidden()


def test_where_a_task_stands_is_no_conflict(shown: Window, api: Api, groceries: int) -> None:
    shown.expects(412)
    api.change(groceries, "oranges", title="lemons")
    shown.checkbox("oranges").focus()
    shown.press("Alt+ArrowUp")
    shown.shows("milk", "lemons", "bread")
    shown.eventually(
        lambda: api.titles(groceries) == ["milk", "lemons", "bread"], "the order is saved"
    )
    expect(shown.conflict).to_be_hidden()


def test_a_list_that_was_renamed_elsewhere(shown: Window, api: Api, groceries: int) -> None:
    shown.expects(412)
    api.request("PATCH", f"/lists/{groceries}", {"name": "Food"})
    shown.list_action("Rename list")
    shown.page.get_by_role("textbox", name="Name of the list").fill("Shopping")
    shown.press("Enter")
    dialog = shown.page.get_by_role("dialog", name="This list was changed elsewhere")
    expect(dialog).to_contain_text("Food")
    dialog.get_by_role("button", name="Keep mine").click()
    shown.eventually(lambda: api.names() == ["Shopping"], "mine is saved")


def test_a_list_that_was_deleted_elsewhere_is_told(shown: Window, api: Api, groceries: int) -> None:
    shown.expects(404)
    api.make_list("Reading", "Middlemarch")
    api.request("DELETE", f"/lists/{groceries}")
    come_back(shown)
    shown.says("“Groceries” was deleted elsewhere")
    expect(shown.heading).to_have_text("Reading")


def test_a_task_in_a_list_that_was_deleted_elsewhere_is_not_lost(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.expects(404, 412)
    api.request("DELETE", f"/lists/{groceries}")
    shown.add("tea")
    dialog = shown.page.get_by_role("dialog", name="This list was deleted elsewhere")
    come_back(shown)  # which reads again that the list has gone
    expect(dialog).to_contain_text("Make the list again, with the tasks that you see?")
    dialog.get_by_role("button", name="Make it again").click()
    shown.eventually(lambda: api.names() == ["Groceries"], "the list is made again")
    made = api.lists()[0]["id"]
    shown.eventually(
        lambda: api.titles(made) == ["milk", "bread", "oranges", "tea"], "with its tasks"
    )
    expect(shown.page).to_have_url(re.compile(rf"#lists/{made}$"))
    shown.shows("milk", "bread", "oranges", "tea")


def test_a_late_answer_about_a_deleted_list_does_not_concern_the_one_made_again(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.expects(404)
    held: list[Route] = []
    shown.page.route(f"**/lists/{groceries}/tasks?*", lambda route: held.append(route))  # noqa: PLW0108
    come_back(shown)
    shown.eventually(lambda: held, "the tasks are read")
    api.request("DELETE", f"/lists/{groceries}")
    shown.add("tea")
    shown.page.get_by_role("button", name="Make it again").click()
    shown.eventually(lambda: len(api.lists()) == 1, "the list is made again")
    with shown.page.expect_response(lambda answer: answer.status == 404):
        held[0].continue_()
    made = api.lists()[0]["id"]
    shown.eventually(
        lambda: api.titles(made) == ["milk", "bread", "oranges", "tea"], "with its tasks"
    )
    shown.settle()
    shown.shows("milk", "bread", "oranges", "tea")


def test_what_others_did_is_seen_when_one_comes_back(
    shown: Window, api: Api, groceries: int
) -> None:
    api.make_task(groceries, "tea")
    api.change(groceries, "milk", title="oat milk")
    api.delete(groceries, "bread")
    api.make_list("Reading", "Middlemarch")
    come_back(shown)
    shown.shows("oat milk", "oranges", "tea")
    expect(shown.list_link("Reading")).to_have_accessible_name("Reading 1 left")


# ── The database ─────────────────────────────────────────────────────────────


@pytest.fixture
def database() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.mark.once(on="postgresql")
@pytest.mark.parametrize("end", [PostgreSQL.stop, PostgreSQL.kill], ids=["stopped", "killed"])
def test_changes_wait_while_the_database_is_away(
    database: PostgreSQL,
    serve: Callable[..., Service],
    open_window: OpenWindow,
    end: Callable[[PostgreSQL], None],
) -> None:
    service = serve(DATABASE_URL=database.url)
    api = Api(service.url)
    groceries = api.make_list("Groceries", "milk", "bread", "oranges", "rice")
    window = open_window(service.url)
    window.shows("milk", "bread", "oranges", "rice")
    window.field.fill("t")
    window.expects(503)
    end(database)
    window.field.press("e")
    window.field.press("a")
    window.field.press("Enter")
    window.says("The database is unreachable: 1 change is waiting and will be sent")
    expect(window.mark("tea")).to_be_visible()
    expect(window.mark("milk")).to_be_hidden()
    window.checkbox("milk").check()
    window.rename("bread", "rye bread")
    window.checkbox("rice").focus()
    window.press("Alt+ArrowDown")
    window.make_list("Reading")
    window.add("Middlemarch")
    window.says("The database is unreachable: 6 changes are waiting and will be sent")
    window.choose_list("Groceries")
    expect(window.mark("milk")).to_be_visible()
    expect(window.mark("rye bread")).to_be_visible()
    expect(window.mark("oranges")).to_be_hidden()
    window.page.get_by_role("button", name="Try now").click()
    window.says("The database is unreachable: 6 changes are waiting and will be sent")
    database.start()
    window.says_no_more("The database is unreachable")
    expect(window.mark("milk")).to_be_hidden()
    expect(window.page.get_by_text("All changes are saved")).to_be_attached()
    assert api.names() == ["Groceries", "Reading"]
    titles = ["milk", "rye bread", "oranges", "tea", "rice"]
    assert api.titles(groceries) == titles
    window.shows(*titles)
    assert api.task(groceries, "milk")["completed"]
    assert api.titles(api.lists()[1]["id"]) == ["Middlemarch"]
    window.page.reload()
    window.shows(*titles)


@pytest.mark.once(on="postgresql")
def test_a_page_that_is_opened_during_an_outage_recovers(
    database: PostgreSQL, serve: Callable[..., Service], open_window: OpenWindow
) -> None:
    service = serve(DATABASE_URL=database.url)
    Api(service.url).make_list("Groceries", "milk")
    window = open_window(service.url)
    window.shows("milk")
    window.expects(503)
    database.stop()
    window.page.reload()
    window.says("The database is unreachable. You can go on working")
    database.start()
    window.shows("milk")
    window.says_no_more("The database is unreachable")


# ── The network ──────────────────────────────────────────────────────────────


def test_tasks_that_could_not_be_read_are_read_again_although_others_are_being_read(
    open_window: OpenWindow, service: Service, api: Api, groceries: int
) -> None:
    reading = api.make_list("Reading", "Middlemarch")
    window = open_window("about:blank")
    window.expects_no_network()
    held: list[Route] = []
    failed: list[Route] = []

    def fail_once(route: Route) -> None:
        if failed:
            route.fallback()
            return
        failed.append(route)
        route.abort()

    window.page.route(f"**/lists/{groceries}/tasks?*", fail_once)
    window.page.route(f"**/lists/{reading}/tasks?*", lambda route: held.append(route))  # noqa: PLW0108
    window.page.goto(service.url)
    window.eventually(lambda: failed and held, "the tasks of both lists are read")
    window.page.get_by_role("button", name="Try now").click()
    window.page.unroute(f"**/lists/{reading}/tasks?*")
    held.pop().continue_()
    window.shows("milk", "bread", "oranges")


def test_changes_wait_while_the_network_is_gone(shown: Window, api: Api, groceries: int) -> None:
    with shown.without_network():
        shown.add("tea")
        shown.says("You are offline: 1 change is waiting and will be sent")
        expect(shown.mark("tea")).to_be_visible()
        shown.rename("tea", "green tea")
        shown.checkbox("green tea").check()
        shown.delete("milk")
        shown.dismiss()
        shown.shows("bread", "oranges", "green tea")
        assert api.titles(groceries) == ["milk", "bread", "oranges"]
    shown.says_no_more("You are offline")
    shown.eventually(
        lambda: api.titles(groceries) == ["bread", "oranges", "green tea"], "all is sent"
    )
    assert api.task(groceries, "green tea")["completed"]


def test_what_others_changed_during_the_time_without_network_is_asked_about(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.expects(412)
    with shown.without_network():
        shown.rename("bread", "rye bread")
        shown.says("You are offline")
        api.change(groceries, "bread", title="white bread")
    expect(shown.conflict).to_be_visible()
    shown.decide("Take theirs")
    shown.shows("milk", "white bread", "oranges")


@pytest.mark.parametrize("what", ["task", "list"])
def test_a_lost_answer_makes_nothing_twice(
    shown: Window, api: Api, groceries: int, what: str
) -> None:
    shown.expects_no_network()
    lost = lose_the_next_answer(shown.page, re.compile("/lists"), "POST")
    if what == "task":
        shown.add("tea")
    else:
        shown.make_list("Reading")
    shown.says(re.compile("The service can’t be reached: 1 change is waiting"))
    assert lost == [201]
    shown.page.get_by_role("button", name="Try now").click()
    shown.says_no_more("The service can’t be reached")
    if what == "task":
        assert api.titles(groceries) == ["milk", "bread", "oranges", "tea"]
        come_back(shown)
        shown.shows("milk", "bread", "oranges", "tea")
    else:
        assert api.names() == ["Groceries", "Reading"]
        expect(shown.side.get_by_role("listitem")).to_have_count(2)


def test_a_lost_answer_to_a_change_is_no_conflict(shown: Window, api: Api, groceries: int) -> None:
    shown.expects_no_network()
    shown.expects(412)
    lost = lose_the_next_answer(shown.page, re.compile("/tasks/"), "PATCH")
    shown.rename("bread", "rye bread")
    shown.says("The service can’t be reached: 1 change is waiting")
    assert lost == [200]
    shown.checkbox("rye bread").check()
    shown.page.get_by_role("button", name="Try now").click()
    shown.says_no_more("The service can’t be reached")
    shown.eventually(lambda: api.task(groceries, "rye bread")["completed"], "both are saved")
    expect(shown.conflict).to_be_hidden()


def test_a_lost_answer_to_a_deletion_is_no_conflict(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.expects_no_network()
    shown.expects(404, 412)
    lost = lose_the_next_answer(shown.page, re.compile("/tasks/"), "DELETE")
    shown.delete("bread")
    shown.dismiss()
    shown.says("The service can’t be reached: 1 change is waiting")
    assert lost == [204]
    shown.page.get_by_role("button", name="Try now").click()
    shown.says_no_more("The service can’t be reached")
    shown.shows("milk", "oranges")
    expect(shown.conflict).to_be_hidden()
    assert api.titles(groceries) == ["milk", "oranges"]


# ── The service ──────────────────────────────────────────────────────────────


def test_the_service_is_killed_and_starts_again_while_somebody_types(
    database_url: str, open_window: OpenWindow
) -> None:
    variables = {"DATABASE_URL": database_url}
    with Service(variables) as service:
        api = Api(service.url)
        groceries = api.make_list("Groceries", "milk")
        window = open_window(service.url)
        window.shows("milk")
        window.field.press_sequentially("te")
        workers = service.workers()
        service.process.kill()
        for worker in workers:
            worker.kill()
        service.process.wait()
        window.expects_no_network()
        window.field.press_sequentially("a")
        window.field.press("Enter")
        window.says("The service can’t be reached: 1 change is waiting and will be sent")
        window.checkbox("milk").check()
        window.field.press_sequentially("ri")
        port = {"PORT": str(service.port)}
    with Service(variables | port):
        window.says_no_more("The service can’t be reached")
        expect(window.field).to_have_value("ri")
        expect(window.field).to_be_focused()
        window.field.press_sequentially("ce")
        window.field.press("Enter")
        window.shows("milk", "tea", "rice")
        window.eventually(lambda: api.titles(groceries) == ["milk", "tea", "rice"], "all is sent")
        assert api.task(groceries, "milk")["completed"]


# ── Closing, and what the service refuses ────────────────────────────────────


def test_a_reload_warns_while_something_is_not_saved(
    shown: Window, api: Api, groceries: int
) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    shown.page.on("dialog", stay)
    with shown.without_network():
        shown.add("tea")
        shown.says("You are offline: 1 change is waiting")
        shown.page.evaluate("() => { location.reload(); }")
        shown.eventually(lambda: asked == ["beforeunload"], "the reader is asked")
        shown.shows("milk", "bread", "oranges", "tea")
    shown.says_no_more("You are offline")
    shown.eventually(lambda: "tea" in api.titles(groceries), "it is saved")
    shown.page.reload()
    shown.shows("milk", "bread", "oranges", "tea")
    assert asked == ["beforeunload"]


def test_a_reload_warns_while_a_conflict_is_undecided(conflict: Window) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    conflict.page.on("dialog", stay)
    conflict.decide("Decide later")
    conflict.page.evaluate("() => { location.reload(); }")
    conflict.eventually(lambda: asked == ["beforeunload"], "the reader is asked")


def let_type_more(field: Locator) -> None:
    """Let a field take more than the service does, which fields of the page don't."""
    field.evaluate("(field) => field.removeAttribute('maxlength')")


def test_a_text_that_the_service_refuses_is_told_and_kept(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.expects(400)
    long = "t" * 256
    let_type_more(shown.field)
    shown.field.fill(long)
    shown.field.press("Enter")
    shown.says(re.compile("“t+” was not saved: .*255"))
    expect(shown.field).to_have_value(long)
    shown.shows("milk", "bread", "oranges")
    shown.dismiss()
    let_type_more(shown.edit("bread"))
    shown.title_field.fill(long)
    shown.press("Enter")
    shown.says(re.compile("“t+” was not saved: .*255"))
    shown.shows("milk", "bread", "oranges")
    shown.rename("bread", "rye bread")
    shown.eventually(
        lambda: api.titles(groceries) == ["milk", "rye bread", "oranges"], "what follows is saved"
    )


def test_a_name_that_the_service_refuses_is_told(shown: Window, api: Api) -> None:
    shown.expects(400)
    field = shown.page.get_by_role("textbox", name="New list")
    let_type_more(field)
    field.fill("n" * 256)
    field.press("Enter")
    shown.says(re.compile("“n+” was not saved: .*255"))
    expect(field).to_have_value("n" * 256)
    expect(shown.heading).to_have_text("Groceries")
    shown.shows("milk", "bread", "oranges")
    assert api.names() == ["Groceries"]
