"""Everything by keyboard alone: no test here uses the mouse."""

from datetime import datetime

import pytest
from playwright.sync_api import Locator, expect

from e2e.browser.api import Api
from e2e.browser.window import Window

pytestmark = pytest.mark.once(on="postgresql")

STEPS = 60  # more than the page with three tasks has controls


def tab_to(window: Window, control: Locator, key: str = "Tab") -> None:
    """Press Tab until the control has the focus."""
    expect(control).to_be_visible()
    for _ in range(STEPS):
        window.press(key)
        if control.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{key} does not lead to {control}")


def button(window: Window, name: str) -> Locator:
    return window.page.get_by_role("button", name=name, exact=True)


def test_a_first_list_and_its_first_task(window: Window, api: Api) -> None:
    tab_to(window, window.page.get_by_role("textbox", name="New list"))
    window.page.keyboard.type("Groceries")
    window.press("Enter")
    expect(window.field).to_be_focused()
    window.page.keyboard.type("milk")
    window.press("Enter")
    window.page.keyboard.type("bread")
    window.press("Enter")
    window.shows("milk", "bread")
    window.eventually(lambda: api.names() == ["Groceries"], "the list is saved")
    window.eventually(
        lambda: api.titles(api.lists()[0]["id"]) == ["milk", "bread"], "both are saved"
    )


def test_escape_empties_the_field(shown: Window) -> None:
    tab_to(shown, shown.field)
    shown.page.keyboard.type("tea")
    shown.press("Escape")
    expect(shown.field).to_have_value("")
    shown.press("Enter")
    shown.shows("milk", "bread", "oranges")


def test_the_link_to_the_content_is_the_first(shown: Window) -> None:
    shown.press("Tab")
    skip = shown.page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    shown.press("Enter")
    expect(shown.page.get_by_role("main")).to_be_focused()
    expect(shown.heading).to_have_text("Groceries")


def test_tab_reaches_every_control_but_the_handles(shown: Window) -> None:
    reached = set()
    for _ in range(STEPS):
        shown.press("Tab")
        reached.add(
            shown.page.evaluate(
                "() => { const e = document.activeElement; return e.ariaLabel || e.textContent.trim() "
                "|| (e.type === 'radio' && e.value) "
                "|| document.getElementById(e.getAttribute('aria-labelledby'))?.textContent }"
            )
        )
    expected = {"Skip to content", "Tasklists", "Lists", "Cluster", "API", "New list", "Add list"}
    expected |= {"Rename list", "List actions", "What needs to be done?", "all"}
    for title in ("milk", "bread", "oranges"):
        expected |= {title, f"Add a due date to {title}", f"Delete {title}", f"Actions for {title}"}
    assert expected - reached == set()
    assert not [name for name in reached if name and name.startswith("Reorder")]


def test_arrows_lead_from_task_to_task(shown: Window) -> None:
    tab_to(shown, shown.checkbox("milk"))
    shown.press("ArrowDown")
    expect(shown.checkbox("bread")).to_be_focused()
    shown.press("ArrowDown", "ArrowDown")
    expect(shown.checkbox("oranges")).to_be_focused()
    shown.press("ArrowUp")
    expect(shown.checkbox("bread")).to_be_focused()


def test_space_completes(shown: Window, api: Api, groceries: int) -> None:
    tab_to(shown, shown.checkbox("bread"))
    shown.press("Space")
    expect(shown.checkbox("bread")).to_be_checked()
    expect(shown.checkbox("bread")).to_be_focused()
    shown.eventually(lambda: api.task(groceries, "bread")["completed"], "it is saved")
    shown.press("Space")
    expect(shown.checkbox("bread")).not_to_be_checked()


def test_the_neighbour_gets_the_focus_of_a_task_that_is_shown_no_more(shown: Window) -> None:
    tab_to(shown, shown.page.get_by_role("radio", name="All"))
    shown.press("ArrowRight")
    expect(shown.page.get_by_role("radio", name="Active")).to_be_checked()
    tab_to(shown, shown.checkbox("bread"))
    shown.press("Space")
    shown.shows("milk", "oranges")
    expect(shown.checkbox("oranges")).to_be_focused()
    shown.press("Space")
    expect(shown.checkbox("milk")).to_be_focused()


@pytest.mark.parametrize("key", ["Enter", "F2"])
def test_a_title_is_edited(shown: Window, api: Api, groceries: int, key: str) -> None:
    tab_to(shown, shown.checkbox("bread"))
    shown.press(key)
    expect(shown.title_field).to_be_focused()
    shown.page.keyboard.type("rye bread")  # in place of the title, which is selected
    shown.press("Enter")
    shown.shows("milk", "rye bread", "oranges")
    expect(shown.checkbox("rye bread")).to_be_focused()
    shown.eventually(lambda: "rye bread" in api.titles(groceries), "it is saved")


def test_escape_discards_a_title(shown: Window, api: Api, groceries: int) -> None:
    tab_to(shown, shown.checkbox("bread"))
    shown.press("F2")
    shown.page.keyboard.type("rye bread")
    shown.press("Escape")
    shown.shows("milk", "bread", "oranges")
    expect(shown.checkbox("bread")).to_be_focused()
    assert api.titles(groceries) == ["milk", "bread", "oranges"]


def test_an_emptied_title_deletes_and_ctrl_z_brings_it_back(shown: Window) -> None:
    tab_to(shown, shown.checkbox("bread"))
    shown.press("F2", "Backspace", "Enter")
    shown.shows("milk", "oranges")
    expect(shown.checkbox("oranges")).to_be_focused()
    shown.press("Control+z")
    shown.shows("milk", "bread", "oranges")


def test_delete_deletes_and_the_neighbour_gets_the_focus(
    shown: Window, api: Api, groceries: int
) -> None:
    tab_to(shown, shown.checkbox("bread"))
    shown.press("Delete")
    shown.shows("milk", "oranges")
    expect(shown.checkbox("oranges")).to_be_focused()
    shown.press("Delete")
    shown.shows("milk")
    expect(shown.checkbox("milk")).to_be_focused()
    shown.press("Delete")
    expect(shown.tasks).to_be_hidden()
    expect(shown.field).to_be_focused()
    shown.press("Shift+Tab")
    tab_to(shown, button(shown, "Undo"))
    shown.press("Enter")
    shown.shows("milk")
    shown.eventually(lambda: api.titles(groceries) == ["milk"], "two are deleted")


def test_ctrl_z_in_a_field_undoes_there(shown: Window) -> None:
    tab_to(shown, shown.checkbox("bread"))
    shown.press("Delete")
    shown.shows("milk", "oranges")
    tab_to(shown, shown.field, "Shift+Tab")
    shown.page.keyboard.type("tea")
    shown.press("Control+z")
    shown.shows("milk", "oranges")
    shown.says("“bread” deleted")


def test_alt_and_arrows_move_a_task_and_say_where_it_is(
    shown: Window, api: Api, groceries: int
) -> None:
    tab_to(shown, shown.checkbox("milk"))
    shown.press("Alt+ArrowDown")
    shown.shows("bread", "milk", "oranges")
    expect(shown.checkbox("milk")).to_be_focused()
    expect(shown.page.get_by_text("milk: position 2 of 3")).to_be_attached()
    shown.press("Alt+ArrowDown", "Alt+ArrowDown")
    shown.shows("bread", "oranges", "milk")
    expect(shown.page.get_by_text("milk: position 3 of 3")).to_be_attached()
    shown.press("Alt+ArrowUp")
    shown.shows("bread", "milk", "oranges")
    shown.eventually(
        lambda: api.titles(groceries) == ["bread", "milk", "oranges"], "the order is saved"
    )


def test_the_menu_of_a_task(shown: Window, api: Api, groceries: int) -> None:
    reading = api.make_list("Reading")
    shown.page.reload()
    menu = shown.page.get_by_role("group", name="Task actions")
    tab_to(shown, button(shown, "Actions for bread"))
    shown.press("Enter")
    expect(menu.get_by_role("button", name="Edit title")).to_be_focused()
    shown.press("Escape")
    expect(menu).to_be_hidden()
    expect(button(shown, "Actions for bread")).to_be_focused()
    shown.press("Enter")
    tab_to(shown, menu.get_by_role("button", name="Move up"))
    shown.press("Enter")
    shown.shows("bread", "milk", "oranges")
    tab_to(shown, button(shown, "Actions for bread"))
    shown.press("Enter")
    move_to = menu.get_by_role("combobox", name="Move to")
    tab_to(shown, move_to)
    shown.page.keyboard.type("Reading")
    shown.says("“bread” moved to Reading")
    shown.shows("milk", "oranges")
    shown.eventually(lambda: api.titles(reading) == ["bread"], "it is moved")


def test_a_date_by_the_menu(shown: Window, api: Api, groceries: int) -> None:
    shown.page.clock.set_fixed_time(datetime.fromisoformat("2027-03-10T12:00-03:00"))
    shown.page.reload()
    menu = shown.page.get_by_role("group", name="Due date")
    tab_to(shown, shown.due_button("bread"))
    shown.press("Enter")
    expect(menu.get_by_role("button", name="Today")).to_be_focused()
    shown.press("Tab", "Enter")
    expect(menu).to_be_hidden()
    expect(shown.due_button("bread")).to_have_text("Tomorrow")
    expect(shown.due_button("bread")).to_be_focused()
    shown.press("Enter")
    tab_to(shown, menu.get_by_label("Date", exact=True))
    shown.page.keyboard.type("04022027")
    shown.press("Enter")
    expect(menu).to_be_hidden()
    expect(shown.due_button("bread")).to_have_text("Fri, Apr 2")
    shown.eventually(
        lambda: api.task(groceries, "bread")["due"] == "2027-04-02", "the date is saved"
    )


def test_the_actions_of_a_list(shown: Window, api: Api) -> None:
    tab_to(shown, button(shown, "Rename list"))
    shown.press("Enter")
    shown.page.keyboard.type("Shopping")
    shown.press("Enter")
    expect(shown.heading).to_have_text("Shopping")
    expect(button(shown, "Rename list")).to_be_focused()
    shown.press("Tab", "Enter")
    menu = shown.page.get_by_role("group", name="List actions")
    tab_to(shown, menu.get_by_role("button", name="Delete list"))
    shown.press("Enter")
    expect(shown.heading).to_have_text("Start with a list")
    shown.press("Shift+Tab")  # out of the field, where the keys undo what is typed
    shown.press("Control+z")
    expect(shown.heading).to_have_text("Shopping")
    shown.shows("milk", "bread", "oranges")
    shown.eventually(lambda: api.names() == ["Shopping"], "the name is saved")


def test_another_list_is_chosen(shown: Window, api: Api) -> None:
    api.make_list("Reading", "Middlemarch")
    shown.page.reload()
    tab_to(shown, shown.list_link("Reading"))
    shown.press("Enter")
    expect(shown.heading).to_have_text("Reading")
    shown.shows("Middlemarch")


def test_what_was_completed_is_cleared(shown: Window) -> None:
    tab_to(shown, shown.checkbox("bread"))
    shown.press("Space")
    tab_to(shown, button(shown, "Clear completed"), "Shift+Tab")
    shown.press("Enter")
    shown.shows("milk", "oranges")
    expect(shown.field).to_be_focused()


def test_a_conflict_is_decided(shown: Window, api: Api, groceries: int) -> None:
    shown.expects(412)
    api.change(groceries, "bread", title="white bread")
    tab_to(shown, shown.checkbox("bread"))
    shown.press("F2")
    shown.page.keyboard.type("rye bread")
    shown.press("Enter")
    expect(shown.conflict).to_be_visible()
    assert shown.conflict.evaluate("(dialog) => dialog.contains(document.activeElement)")
    for _ in range(10):  # the focus stays in the dialog
        shown.press("Tab")
        assert shown.page.evaluate(
            "() => document.activeElement === document.body || document.activeElement.closest('dialog') !== null"
        )
    shown.press("Escape")
    expect(shown.conflict).to_be_hidden()
    tab_to(shown, button(shown, "Changed elsewhere: choose a version of rye bread"))
    shown.press("Enter")
    tab_to(shown, shown.conflict.get_by_role("button", name="Keep mine"))
    shown.press("Enter")
    expect(shown.conflict).to_be_hidden()
    shown.shows("milk", "rye bread", "oranges")
    shown.eventually(lambda: "rye bread" in api.titles(groceries), "it is saved")


def test_every_focus_is_seen(shown: Window) -> None:
    """Each control with the focus has an outline or a border that it hasn't without."""
    unseen = []
    for _ in range(STEPS):
        shown.press("Tab")
        name, seen = shown.page.evaluate(
            """() => {
              const e = document.activeElement;
              if (e === document.body) return ["body", true];
              const ring = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
              const around = [e, e.parentElement, e.nextElementSibling].filter(Boolean);
              return [e.outerHTML.slice(0, 120), around.some((each) => ring(getComputedStyle(each)) || getComputedStyle(each).boxShadow !== "none")];
            }"""
        )
        if not seen:
            unseen.append(name)
    assert unseen == []
