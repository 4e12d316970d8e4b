"""What people do with their lists and tasks, with a mouse."""

import re
from datetime import datetime

import pytest
from playwright.sync_api import APIResponse, Route, expect

from e2e.browser.api import Api
from e2e.browser.conftest import OpenWindow
from e2e.browser.window import Window
from tests.process import Service

NOON = datetime.fromisoformat("2027-03-10T12:00-03:00")  # a Wednesday


# ── Lists ────────────────────────────────────────────────────────────────────


def test_the_first_use_explains_itself(window: Window, api: Api) -> None:
    expect(window.heading).to_have_text("Start with a list")
    expect(window.page.get_by_text("Name your first one and press Enter.")).to_be_visible()
    window.make_list("Groceries")
    expect(window.page.get_by_role("heading", name="This list is empty")).to_be_visible()
    expect(window.page.get_by_text("and press Enter.")).to_be_visible()
    expect(window.field).to_be_focused()
    window.press("m", "i", "l", "k", "Enter")
    window.shows("milk")
    window.left("1 item left")
    window.eventually(lambda: api.names() == ["Groceries"], "the list is saved")
    window.eventually(lambda: api.titles(api.lists()[0]["id"]) == ["milk"], "the task is saved")


def test_a_list_is_made_by_the_button(window: Window, api: Api) -> None:
    window.page.get_by_role("textbox", name="New list").fill("Groceries")
    window.page.get_by_role("button", name="Add list").click()
    expect(window.heading).to_have_text("Groceries")
    window.eventually(lambda: api.names() == ["Groceries"], "the list is saved")


def test_a_new_list_has_an_address_of_its_own_at_once(window: Window, api: Api) -> None:
    window.make_list("Groceries")
    expect(window.page).to_have_url(re.compile(r"#lists/\d+$"))
    assert window.page.url.endswith(f"#lists/{api.lists()[0]['id']}")


def test_lists_say_how_much_is_left(shown: Window, api: Api, groceries: int) -> None:
    expect(shown.list_link("Groceries")).to_have_accessible_name("Groceries 3 left")
    shown.checkbox("milk").check()
    expect(shown.list_link("Groceries")).to_have_accessible_name("Groceries 2 left")


def test_lists_that_are_not_shown_say_how_much_is_left(
    api: Api, open_window: OpenWindow, service: Service
) -> None:
    api.make_list("Groceries")
    reading = api.make_list("Reading", "one", "two", "three")
    api.change(reading, "two", completed=True)
    window = open_window(service.url)
    expect(window.list_link("Reading")).to_have_accessible_name("Reading 2 left")


def test_a_list_is_renamed(shown: Window, api: Api) -> None:
    shown.page.get_by_role("button", name="Rename list").click()
    field = shown.page.get_by_role("textbox", name="Name of the list")
    expect(field).to_have_value("Groceries")
    field.fill("Shopping")
    field.press("Enter")
    expect(shown.heading).to_have_text("Shopping")
    expect(shown.page).to_have_title("Shopping · Tasklists")
    expect(shown.list_link("Shopping")).to_be_visible()
    shown.eventually(lambda: api.names() == ["Shopping"], "the name is saved")


def test_escape_keeps_the_name_of_a_list(shown: Window, api: Api) -> None:
    shown.list_action("Rename list")
    field = shown.page.get_by_role("textbox", name="Name of the list")
    field.fill("Shopping")
    field.press("Escape")
    expect(shown.heading).to_have_text("Groceries")
    assert api.names() == ["Groceries"]


def test_a_deleted_list_comes_back_by_undo(shown: Window, api: Api, groceries: int) -> None:
    api.make_list("Reading")
    shown.page.reload()
    shown.list_action("Delete list")
    shown.says("“Groceries” deleted")
    expect(shown.heading).to_have_text("Reading")
    expect(shown.list_link("Groceries")).to_be_hidden()
    shown.undo()
    expect(shown.heading).to_have_text("Groceries")
    shown.shows("milk", "bread", "oranges")
    shown.page.reload()
    shown.shows("milk", "bread", "oranges")
    assert api.names() == ["Groceries", "Reading"]


def test_a_list_is_deleted_when_the_time_for_an_undo_is_over(shown: Window, api: Api) -> None:
    shown.page.clock.install()
    shown.page.reload()
    shown.list_action("Delete list")
    shown.says("“Groceries” deleted")
    expect(shown.heading).to_have_text("Start with a list")
    assert api.names() == ["Groceries"]
    shown.page.clock.run_for(11_000)
    shown.says_no_more("“Groceries” deleted")
    shown.eventually(lambda: api.names() == [], "the list is deleted")


def test_all_tasks_of_a_list_are_completed(shown: Window, api: Api, groceries: int) -> None:
    shown.list_action("Complete all tasks")
    for title in ("milk", "bread", "oranges"):
        expect(shown.checkbox(title)).to_be_checked()
    shown.left("0 items left")
    shown.eventually(
        lambda: all(task["completed"] for task in api.tasks(groceries)), "all are saved"
    )


def test_an_address_leads_to_its_list(api: Api, open_window: OpenWindow, service: Service) -> None:
    api.make_list("Groceries", "milk")
    reading = api.make_list("Reading", "Middlemarch")
    window = open_window(service.url, f"#lists/{reading}")
    expect(window.heading).to_have_text("Reading")
    window.shows("Middlemarch")
    window.choose_list("Groceries")
    window.shows("milk")
    window.page.reload()
    expect(window.heading).to_have_text("Groceries")
    window.page.go_back()
    expect(window.heading).to_have_text("Reading")
    expect(window.page).to_have_title("Reading · Tasklists")


@pytest.mark.parametrize("at", ["the start", "a page that is open"])
def test_an_address_without_a_list_is_told(
    api: Api, open_window: OpenWindow, service: Service, at: str
) -> None:
    api.make_list("Groceries", "milk")
    window = open_window(service.url, "#lists/987654321" if at == "the start" else "")
    window.expects(404)
    if at != "the start":
        window.shows("milk")
        window.open("#lists/987654321")
    window.says("This list doesn’t exist any more")
    expect(window.heading).to_have_text("Groceries")
    window.shows("milk")


# ── Tasks ────────────────────────────────────────────────────────────────────


def test_tasks_are_added_in_order(shown: Window, api: Api, groceries: int) -> None:
    shown.add("tea", "rice")
    shown.shows("milk", "bread", "oranges", "tea", "rice")
    expect(shown.field).to_have_value("")
    expect(shown.field).to_be_focused()
    shown.left("5 items left")
    shown.eventually(lambda: api.titles(groceries)[3:] == ["tea", "rice"], "both are saved")
    shown.page.reload()
    shown.shows("milk", "bread", "oranges", "tea", "rice")


def test_spaces_around_a_title_are_not_kept(shown: Window, api: Api, groceries: int) -> None:
    shown.field.fill("  tea ")
    shown.field.press("Enter")
    shown.eventually(lambda: api.titles(groceries)[3:] == ["tea"], "the task is saved")
    shown.field.fill("   ")
    shown.field.press("Enter")
    shown.shows("milk", "bread", "oranges", "tea")


def test_a_title_is_text_and_nothing_else(shown: Window, api: Api, groceries: int) -> None:
    title = "<img src=x onerror=alert(1)> & “{n}”"
    shown.add(title)
    shown.eventually(lambda: api.titles(groceries)[3:] == [title], "the task is saved")
    shown.page.reload()
    shown.shows("milk", "bread", "oranges", title)
    shown.delete(title)
    shown.says(f"“{title}” deleted")


@pytest.mark.parametrize("by", ["double click", "menu"])
def test_a_task_is_renamed(shown: Window, api: Api, groceries: int, by: str) -> None:
    if by == "menu":
        shown.task_menu("bread").get_by_role("button", name="Edit title").click()
        expect(shown.title_field).to_be_focused()
    else:
        shown.edit("bread")
    expect(shown.title_field).to_have_value("bread")
    shown.title_field.fill("rye bread")
    shown.title_field.press("Enter")
    shown.shows("milk", "rye bread", "oranges")
    shown.eventually(lambda: "rye bread" in api.titles(groceries), "the title is saved")


def test_leaving_the_field_saves(shown: Window, api: Api, groceries: int) -> None:
    shown.edit("bread").fill("rye bread")
    shown.field.click()
    shown.shows("milk", "rye bread", "oranges")
    shown.eventually(lambda: "rye bread" in api.titles(groceries), "the title is saved")


def test_escape_discards(shown: Window, api: Api, groceries: int) -> None:
    shown.edit("bread").fill("rye bread")
    shown.press("Escape")
    shown.shows("milk", "bread", "oranges")
    expect(shown.checkbox("bread")).to_be_focused()
    shown.page.reload()
    shown.shows("milk", "bread", "oranges")


def test_an_emptied_title_deletes(shown: Window, api: Api, groceries: int) -> None:
    shown.edit("bread").fill(" ")
    shown.press("Enter")
    shown.shows("milk", "oranges")
    shown.says("“bread” deleted")
    shown.dismiss()
    shown.eventually(lambda: api.titles(groceries) == ["milk", "oranges"], "it is deleted")


def test_tasks_are_completed_and_counted(shown: Window, api: Api, groceries: int) -> None:
    shown.checkbox("milk").check()
    shown.left("2 items left")
    shown.checkbox("bread").check()
    shown.left("1 item left")
    shown.checkbox("milk").uncheck()
    shown.left("2 items left")
    shown.eventually(
        lambda: [task["completed"] for task in api.tasks(groceries)] == [False, True, False],
        "all are saved",
    )


def test_tasks_are_filtered(shown: Window) -> None:
    shown.checkbox("bread").check()
    shown.show("Active")
    shown.shows("milk", "oranges")
    shown.show("Completed")
    shown.shows("bread")
    shown.show("All")
    shown.shows("milk", "bread", "oranges")
    shown.show("Active")
    shown.checkbox("milk").click()
    shown.shows("oranges")
    shown.checkbox("oranges").click()
    expect(shown.page.get_by_role("heading", name="Everything is done")).to_be_visible()
    shown.page.get_by_role("button", name="Show all").click()
    shown.shows("milk", "bread", "oranges")


def test_nothing_completed_is_told(shown: Window) -> None:
    shown.show("Completed")
    expect(shown.page.get_by_role("heading", name="Nothing is completed yet")).to_be_visible()
    shown.field.fill("tea")
    shown.field.press("Enter")
    shown.shows("milk", "bread", "oranges", "tea")  # the new task is seen


def test_completed_tasks_are_cleared_and_come_back_by_undo(
    shown: Window, api: Api, groceries: int
) -> None:
    expect(shown.page.get_by_role("button", name="Clear completed")).to_be_hidden()
    shown.checkbox("milk").check()
    shown.checkbox("oranges").check()
    shown.page.get_by_role("button", name="Clear completed").click()
    shown.says("2 completed tasks deleted")
    shown.shows("bread")
    shown.undo()
    shown.shows("milk", "bread", "oranges")
    expect(shown.checkbox("milk")).to_be_checked()
    shown.page.get_by_role("button", name="Clear completed").click()
    shown.dismiss()
    shown.eventually(lambda: api.titles(groceries) == ["bread"], "two are deleted")


def test_a_deleted_task_comes_back_where_it_was(shown: Window, api: Api, groceries: int) -> None:
    shown.delete("bread")
    shown.says("“bread” deleted")
    shown.shows("milk", "oranges")
    shown.undo()
    shown.shows("milk", "bread", "oranges")
    shown.page.reload()
    shown.shows("milk", "bread", "oranges")


def test_a_task_is_deleted_when_the_time_for_an_undo_is_over(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.page.clock.install()
    shown.page.reload()
    shown.delete("bread")
    shown.page.clock.run_for(9_000)
    shown.says("“bread” deleted")
    assert len(api.titles(groceries)) == 3
    shown.page.clock.run_for(2_000)
    shown.says_no_more("“bread” deleted")
    shown.eventually(lambda: api.titles(groceries) == ["milk", "oranges"], "it is deleted")


def test_the_time_for_an_undo_lasts_while_the_pointer_is_there(shown: Window) -> None:
    shown.page.clock.install()
    shown.page.reload()
    shown.delete("bread")
    shown.page.get_by_role("button", name="Undo").hover()
    shown.page.clock.run_for(60_000)
    shown.says("“bread” deleted")
    shown.undo()
    shown.shows("milk", "bread", "oranges")


def test_a_deletion_ends_the_time_for_an_undo_of_the_one_before(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.delete("bread")
    shown.delete("milk")
    shown.says("“milk” deleted")
    shown.undo()
    shown.shows("milk", "oranges")
    shown.eventually(lambda: api.titles(groceries) == ["milk", "oranges"], "one is deleted")


def test_leaving_the_page_ends_the_time_for_an_undo(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.delete("bread")
    shown.shows("milk", "oranges")
    shown.page.goto("about:blank")
    shown.eventually(lambda: api.titles(groceries) == ["milk", "oranges"], "it is deleted")


def test_a_task_that_is_deleted_before_it_is_saved_is_made_nowhere(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.add("tea")
    shown.delete("tea")
    shown.dismiss()
    shown.add("rice")
    shown.eventually(lambda: "rice" in api.titles(groceries), "what came later is saved")
    shown.eventually(
        lambda: api.titles(groceries) == ["milk", "bread", "oranges", "rice"], "it is deleted"
    )


# ── Dates ────────────────────────────────────────────────────────────────────


@pytest.fixture
def on_wednesday(shown: Window) -> Window:
    """The same window on a Wednesday, March 10, at noon in São Paulo."""
    shown.page.clock.set_fixed_time(NOON)
    shown.page.reload()
    shown.shows("milk", "bread", "oranges")
    return shown


@pytest.mark.parametrize(
    ("choice", "text", "due"),
    [
        ("Today Wed, Mar 10", "Today", "2027-03-10"),
        ("Tomorrow Thu, Mar 11", "Tomorrow", "2027-03-11"),
        ("In a week Wed, Mar 17", "Wed, Mar 17", "2027-03-17"),
    ],
)
def test_a_task_is_dated(
    on_wednesday: Window, api: Api, groceries: int, choice: str, text: str, due: str
) -> None:
    on_wednesday.due_menu("bread").get_by_role("button", name=choice, exact=True).click()
    expect(on_wednesday.due_button("bread")).to_have_text(text)
    on_wednesday.eventually(lambda: api.task(groceries, "bread")["due"] == due, "the date is saved")


def test_a_date_is_typed_and_removed(on_wednesday: Window, api: Api, groceries: int) -> None:
    menu = on_wednesday.due_menu("bread")
    expect(menu.get_by_role("button", name="Remove date")).to_be_hidden()
    menu.get_by_label("Date", exact=True).fill("2028-02-29")
    expect(on_wednesday.due_button("bread")).to_have_text("Tue, Feb 29, 2028")
    on_wednesday.eventually(
        lambda: api.task(groceries, "bread")["due"] == "2028-02-29", "the date is saved"
    )
    on_wednesday.press("Escape")
    menu = on_wednesday.due_menu("bread")
    menu.get_by_role("button", name="Remove date").click()
    expect(on_wednesday.due_button("bread")).to_have_accessible_name("Add a due date to bread")
    on_wednesday.eventually(
        lambda: api.task(groceries, "bread")["due"] is None, "the date is removed"
    )


def test_a_task_is_dated_from_its_menu(on_wednesday: Window) -> None:
    on_wednesday.task_menu("milk").get_by_role("button", name="Due date").click()
    menu = on_wednesday.page.get_by_role("group", name="Due date")
    menu.get_by_role("button", name="Tomorrow").click()
    expect(on_wednesday.due_button("milk")).to_have_text("Tomorrow")


def test_what_is_overdue_says_so_in_words(on_wednesday: Window, api: Api, groceries: int) -> None:
    api.change(groceries, "milk", due="2027-03-09")
    api.change(groceries, "bread", due="2026-12-31")
    api.change(groceries, "oranges", due="2027-03-10")
    on_wednesday.page.reload()
    expect(on_wednesday.due_button("milk")).to_have_text("Overdue · Mar 9")
    expect(on_wednesday.due_button("bread")).to_have_text("Overdue · Dec 31, 2026")
    expect(on_wednesday.due_button("oranges")).to_have_text("Today")


def test_today_is_the_day_where_the_reader_is(
    api: Api, groceries: int, open_window: OpenWindow, service: Service
) -> None:
    api.change(groceries, "milk", due="2027-03-11")
    window = open_window(service.url, timezone_id="Asia/Tokyo")
    window.page.clock.set_fixed_time(datetime.fromisoformat("2027-03-10T20:00+00:00"))
    window.page.reload()
    expect(window.due_button("milk")).to_have_text("Today")


# ── Order ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("title", "other", "above", "order"),
    [
        ("milk", "oranges", False, ["bread", "oranges", "milk"]),
        ("milk", "bread", False, ["bread", "milk", "oranges"]),
        ("oranges", "milk", True, ["oranges", "milk", "bread"]),
        ("oranges", "bread", True, ["milk", "oranges", "bread"]),
    ],
)
def test_a_task_is_dragged(
    shown: Window, api: Api, groceries: int, title: str, other: str, above: bool, order: list[str]
) -> None:
    shown.drag(title, other, above=above)
    shown.shows(*order)
    shown.eventually(lambda: api.titles(groceries) == order, "the order is saved")
    shown.page.reload()
    shown.shows(*order)


def test_escape_ends_a_drag(shown: Window, api: Api, groceries: int) -> None:
    shown.drag("milk", "oranges", above=False, drop=False)
    shown.shows("bread", "oranges", "milk")
    shown.press("Escape")
    shown.shows("milk", "bread", "oranges")
    shown.page.mouse.up()
    shown.shows("milk", "bread", "oranges")
    assert api.titles(groceries) == ["milk", "bread", "oranges"]


def test_a_task_is_moved_by_its_menu(shown: Window, api: Api, groceries: int) -> None:
    shown.task_menu("milk").get_by_role("button", name="Move down").click()
    shown.shows("bread", "milk", "oranges")
    shown.task_menu("oranges").get_by_role("button", name="Move up").click()
    shown.shows("bread", "oranges", "milk")
    shown.eventually(
        lambda: api.titles(groceries) == ["bread", "oranges", "milk"], "the order is saved"
    )


def test_many_moves_leave_the_order_that_was_shown(shown: Window, api: Api, groceries: int) -> None:
    """Between neighbours is not always room for another integer."""
    shown.add("tea", "rice")
    shown.checkbox("rice").focus()
    shown.press(*["Alt+ArrowUp"] * 4)
    shown.shows("rice", "milk", "bread", "oranges", "tea")
    shown.checkbox("tea").focus()
    shown.press(*["Alt+ArrowUp"] * 3)
    shown.shows("rice", "tea", "milk", "bread", "oranges")
    shown.checkbox("oranges").focus()
    shown.press(*["Alt+ArrowUp"] * 2, *["Alt+ArrowDown"] * 2, *["Alt+ArrowUp"] * 3)
    shown.shows("rice", "oranges", "tea", "milk", "bread")
    shown.eventually(
        lambda: api.titles(groceries) == ["rice", "oranges", "tea", "milk", "bread"],
        "the order is saved",
    )
    shown.page.reload()
    shown.shows("rice", "oranges", "tea", "milk", "bread")


def test_moving_among_the_active_ones_leaves_the_others(
    shown: Window, api: Api, groceries: int
) -> None:
    shown.checkbox("bread").check()
    shown.show("Active")
    shown.checkbox("oranges").focus()
    shown.press("Alt+ArrowUp")
    shown.shows("oranges", "milk")
    shown.show("All")
    shown.shows("oranges", "milk", "bread")


def test_a_task_is_moved_to_another_list_and_back(shown: Window, api: Api, groceries: int) -> None:
    reading = api.make_list("Reading", "Middlemarch")
    shown.page.reload()
    move_to = shown.task_menu("bread").get_by_role("combobox", name="Move to")
    move_to.select_option("Reading")
    shown.says("“bread” moved to Reading")
    shown.shows("milk", "oranges")
    shown.eventually(lambda: api.titles(reading) == ["Middlemarch", "bread"], "it is moved")
    expect(shown.list_link("Reading")).to_have_accessible_name("Reading 2 left")
    shown.undo()
    shown.shows("milk", "bread", "oranges")
    shown.eventually(lambda: api.titles(groceries) == ["milk", "bread", "oranges"], "it is back")
    assert api.titles(reading) == ["Middlemarch"]
    expect(shown.list_link("Reading")).to_have_accessible_name("Reading 1 left")


@pytest.mark.parametrize("saved", [False, True], ids=["waiting", "saved"])
def test_a_task_that_is_moved_while_the_other_list_is_counted(
    shown: Window, api: Api, groceries: int, saved: bool
) -> None:
    reading = api.make_list("Reading", "Middlemarch")
    counts: list[tuple[Route, APIResponse]] = []
    moves: list[Route] = []
    counting = re.compile(rf"/lists/{reading}/tasks\?completed=false")
    shown.page.route(counting, lambda route: counts.append((route, route.fetch())), times=1)
    shown.page.reload()
    shown.eventually(lambda: counts, "the answer with the other list's tasks is on its way")
    if not saved:
        shown.page.route("**/tasks/*", lambda route: moves.append(route))  # noqa: PLW0108
    shown.task_menu("bread").get_by_role("combobox", name="Move to").select_option("Reading")
    shown.shows("milk", "oranges")
    if saved:
        shown.eventually(lambda: api.titles(reading) == ["Middlemarch", "bread"], "it is moved")
        shown.saved()
    route, answer = counts[0]
    route.fulfill(response=answer)
    expect(shown.list_link("Reading")).to_have_accessible_name("Reading 2 left")
    if not saved:
        moves[0].continue_()
        shown.saved()
        expect(shown.list_link("Reading")).to_have_accessible_name("Reading 2 left")


# ── Much ─────────────────────────────────────────────────────────────────────


def test_all_of_1100_tasks_are_there(api: Api, open_window: OpenWindow, service: Service) -> None:
    """More than a page of the API's."""
    titles = [f"task {number}" for number in range(1100)]
    many = api.make_list("Many", *titles)
    window = open_window(service.url, f"#lists/{many}")
    window.left("1,100 items left")
    expect(window.list_link("Many")).to_have_accessible_name("Many 1,100 left")
    shown = window.tasks.get_by_role("listitem").all_text_contents()
    assert [text.strip() for text in shown] == titles
    window.add("the last")
    window.left("1,101 items left")


def test_all_of_1100_lists_can_be_reached(
    api: Api, open_window: OpenWindow, service: Service
) -> None:
    """More than a page of the API's."""
    ids = api.make_lists([f"list {number}" for number in range(1100)])
    window = open_window(service.url, f"#lists/{ids[-2]}")  # on a page that isn't read yet
    expect(window.heading).to_have_text("list 1098")
    window.side.get_by_role("button", name="Show more lists").click()
    links = window.side.get_by_role("listitem")
    expect(links).to_have_count(1100)
    links.nth(1099).get_by_role("link").click()
    expect(window.heading).to_have_text("list 1099")
    expect(window.side.get_by_role("button", name="Show more lists")).to_be_hidden()
