"""The page for everybody: screen readers, phones, dark rooms, Portuguese, who has to log in."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from e2e.browser.api import Api
from e2e.browser.conftest import DESKTOP, PHONE, OpenWindow
from e2e.browser.window import Window
from tests.process import Service, manage

pytestmark = pytest.mark.once(on="postgresql")

NOON = datetime.fromisoformat("2027-03-10T12:00-03:00")
ADMIN = {"ADMIN_USERNAME": "admin", "ADMIN_PASSWORD": "correct-horse-battery"}
LONG = "Write down why the lists vanished with the container, and what would have kept them " * 2

Serve = Callable[..., Service]


# ── Screen readers ───────────────────────────────────────────────────────────


def finds_nothing(window: Window, state: str) -> None:
    """Expect axe-core to find nothing serious in what is shown now."""
    window.page.evaluate(
        "() => Promise.allSettled(document.getAnimations().map((each) => each.finished))"
    )
    report: dict[str, Any] = Axe().run(window.page).response
    found = [
        f"{state}: {each['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for each in report["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    assert not found, "\n".join(found)


@pytest.fixture(params=["desktop", "phone"])
def device(request: pytest.FixtureRequest) -> dict[str, Any]:
    devices: dict[str, dict[str, Any]] = {"desktop": DESKTOP, "phone": PHONE}
    return devices[request.param]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_state(  # noqa: PLR0915
    open_window: OpenWindow, service: Service, api: Api, device: dict[str, Any], scheme: str
) -> None:
    window = open_window(
        service.url, color_scheme=scheme, reduced_motion="reduce", locale="en-US", **device
    )
    window.page.clock.set_fixed_time(NOON)
    window.page.reload()
    expect(window.heading).to_have_text("Start with a list")
    finds_nothing(window, "the first use")

    course = api.make_list("Kubernetes course", "one", "two", "three", LONG.strip())
    api.make_list("Empty")
    api.change(course, "one", due="2027-03-01")
    api.change(course, "two", due="2027-03-11")
    api.change(course, "three", completed=True, due="2027-03-01")
    held: list[Route] = []
    window.page.route("**/lists/*/tasks*", lambda route: held.append(route))  # noqa: PLW0108
    window.open(f"#lists/{course}")
    window.page.reload()
    expect(window.page.get_by_role("region", name="Kubernetes course")).to_have_attribute(
        "aria-busy", "true"
    )
    finds_nothing(window, "loading")
    window.page.unroute("**/lists/*/tasks*")
    window.page.reload()
    expect(window.checkbox("one")).to_be_visible()
    finds_nothing(window, "the list")

    window.show("Completed")
    finds_nothing(window, "completed")
    window.checkbox("three").click()
    finds_nothing(window, "nothing is completed")
    window.page.get_by_role("button", name="Show all").click()

    window.edit("two")
    finds_nothing(window, "a title is edited")
    window.press("Escape")
    window.page.get_by_role("button", name="Rename list").click()
    finds_nothing(window, "the name is edited")
    window.press("Escape")
    window.page.get_by_role("button", name="List actions").click()
    finds_nothing(window, "the menu of the list")
    window.press("Escape")
    window.task_menu("one")
    finds_nothing(window, "the menu of a task")
    window.press("Escape")
    window.due_menu("one")
    finds_nothing(window, "the menu of dates")
    window.press("Escape")

    if device is PHONE:
        window.page.get_by_role("button", name="Your lists").click()
        finds_nothing(window, "the sheet of the lists")
        window.press("Escape")

    window.checkbox("three").focus()
    window.press("Delete")
    window.says("“three” deleted")
    finds_nothing(window, "the toast")
    window.dismiss()

    with window.without_network():
        window.checkbox("two").check()
        window.says("You are offline")
        finds_nothing(window, "the banner")
        api.change(course, "two", title="a second")
        window.expects(412)
    expect(window.conflict).to_be_visible()
    finds_nothing(window, "a conflict")
    window.decide("Decide later")
    finds_nothing(window, "an undecided conflict")
    window.page.get_by_role(
        "button", name="Changed elsewhere: choose a version of a second"
    ).click()
    window.decide("Take theirs")

    window.expects(404)
    api.delete(course, "one")
    window.checkbox("one").check()
    expect(window.conflict).to_contain_text("The task was deleted")
    finds_nothing(window, "a conflict with a deletion")
    window.decide("Take theirs")

    window.open("#cluster")
    finds_nothing(window, "the cluster view")
    window.open(f"#lists/{api.lists()[1]['id']}")
    expect(window.heading).to_have_text("Empty")
    finds_nothing(window, "an empty list")


def test_what_changes_is_said(window: Window) -> None:
    """Where a screen reader is told of what it does not see: live regions."""
    window.make_list("Groceries")
    window.add("milk", "bread")
    left = window.page.get_by_text("2 items left")
    assert left.evaluate("(element) => element.closest('[aria-live=polite]') !== null")
    window.checkbox("milk").focus()
    window.press("Alt+ArrowDown")
    said = window.page.get_by_text("milk: position 2 of 2")
    assert said.evaluate("(element) => element.closest('[aria-live=polite]') !== null")
    expect(window.page.get_by_role("link", name="Lists", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    expect(window.list_link("Groceries")).to_have_attribute("aria-current", "page")


# ── Phones, dark, motion ─────────────────────────────────────────────────────


def test_on_a_phone(open_window: OpenWindow, service: Service, api: Api) -> None:
    groceries = api.make_list("Groceries", "milk", LONG.strip(), "oranges")
    api.make_list("Reading", "Middlemarch")
    window = open_window(service.url, **PHONE)
    window.shows("milk", LONG.strip(), "oranges")
    assert window.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    expect(window.side).to_be_hidden()
    expect(window.page.get_by_role("button", name="Delete milk")).to_be_hidden()
    window.page.get_by_role("button", name="Your lists").tap()
    window.list_link("Reading").tap()
    expect(window.heading).to_have_text("Reading")
    expect(window.side).to_be_hidden()
    window.page.get_by_role("button", name="Your lists").tap()
    window.page.get_by_role("textbox", name="New list").fill("Course")
    window.page.get_by_role("button", name="Add list").tap()
    expect(window.heading).to_have_text("Course")
    expect(window.side).to_be_hidden()
    window.page.get_by_role("button", name="Your lists").tap()
    window.list_link("Groceries").tap()
    window.page.get_by_role("button", name="Actions for milk").tap()
    window.page.get_by_role("group", name="Task actions").get_by_role(
        "button", name="Move down"
    ).tap()
    window.shows(LONG.strip(), "milk", "oranges")
    window.page.get_by_role("button", name="Actions for milk").tap()
    window.page.get_by_role("group", name="Task actions").get_by_role("button", name="Delete").tap()
    window.says("“milk” deleted")
    window.page.get_by_role("button", name="Undo").tap()
    window.checkbox("oranges").tap()
    window.left("2 items left")
    window.eventually(lambda: api.task(groceries, "oranges")["completed"], "it is saved")


def test_everything_to_touch_is_large_enough(
    open_window: OpenWindow, service: Service, api: Api
) -> None:
    """44 pixels on a touch screen, as both makers of phones ask for."""
    api.make_list("Groceries", "milk", "bread")
    window = open_window(service.url, **PHONE)
    window.shows("milk", "bread")
    for control in (
        window.page.get_by_role("button", name="Your lists"),
        window.page.get_by_role("button", name="List actions"),
        window.page.get_by_role("button", name="Actions for milk"),
        window.field,
    ):
        box = control.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44, control


def test_a_task_is_dragged_with_a_finger(
    open_window: OpenWindow, service: Service, api: Api
) -> None:
    groceries = api.make_list("Groceries", "milk", "bread", "oranges")
    window = open_window(service.url, **PHONE)
    window.shows("milk", "bread", "oranges")
    handle = window.page.get_by_role("button", name="Reorder milk").bounding_box()
    target = window.row("oranges").bounding_box()
    assert handle
    assert target
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    finger = window.context.new_cdp_session(window.page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    end = target["y"] + target["height"] - 4
    for step in range(1, 9):
        touch("touchMove", {"x": x, "y": y + (end - y) * step / 8})
    touch("touchEnd")
    window.shows("bread", "oranges", "milk")
    window.eventually(
        lambda: api.titles(groceries) == ["bread", "oranges", "milk"], "the order is saved"
    )


def test_light_and_dark_are_the_readers(open_window: OpenWindow, service: Service) -> None:
    lightness = []
    for scheme in ("light", "dark"):
        window = open_window(service.url, color_scheme=scheme)
        color = window.page.evaluate(
            "() => getComputedStyle(document.documentElement).backgroundColor"
        )
        numbers = [float(each) for each in re.findall(r"[\d.]+", color)][:3]
        lightness.append(sum(numbers))
    assert lightness[0] > 2 * lightness[1]


def test_nothing_moves_for_who_wants_no_motion(
    open_window: OpenWindow, service: Service, api: Api
) -> None:
    api.make_list("Groceries", "milk", "bread")
    window = open_window(service.url, reduced_motion="reduce")
    window.shows("milk", "bread")
    window.task_menu("milk")
    window.press("Escape")
    window.delete("milk")
    moving = window.page.evaluate(
        "() => document.getAnimations().filter((each) => each.effect.getComputedTiming().duration > 1).length"
    )
    assert moving == 0


# ── Portuguese ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("locale", ["pt-BR", "pt-PT"])
def test_in_portuguese(open_window: OpenWindow, service: Service, api: Api, locale: str) -> None:
    window = open_window(service.url, locale=locale)
    page = window.page
    page.clock.set_fixed_time(NOON)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "pt-BR")
    expect(window.heading).to_have_text("Comece com uma lista")
    page.get_by_role("textbox", name="Nova lista").fill("Mercado")
    page.get_by_role("button", name="Adicionar lista").click()
    expect(page).to_have_title("Mercado · Tasklists")
    field = page.get_by_role("textbox", name="O que precisa ser feito?")
    for title in ("café", "pão"):
        field.fill(title)
        field.press("Enter")
    expect(page.get_by_text("Faltam 2 itens")).to_be_visible()
    tasks = page.get_by_role("list", name="Tarefas")
    tasks.get_by_role("checkbox", name="café").check()
    expect(page.get_by_text("Falta 1 item")).to_be_visible()
    tasks.get_by_role("listitem").filter(has_text="pão").hover()
    page.get_by_role("button", name="Definir um prazo para pão").click()
    prazo = page.get_by_role("group", name="Prazo")
    prazo.get_by_role("button", name=re.compile(r"^Em uma semana qua, 17 de mar$")).click()
    expect(
        page.get_by_role("button", name=re.compile("Alterar o prazo de pão, qua, 17 de mar"))
    ).to_be_visible()
    page.get_by_role("button", name="Limpar concluídas").click()
    expect(
        page.get_by_role("status").filter(has_text="1 tarefa concluída foi excluída")
    ).to_be_visible()
    page.get_by_role("button", name="Desfazer").click()
    expect(tasks.get_by_role("checkbox", name="café")).to_be_checked()


def test_other_languages_get_english(open_window: OpenWindow, service: Service) -> None:
    window = open_window(service.url, locale="ja-JP")
    expect(window.page.locator("html")).to_have_attribute("lang", "en")
    expect(window.heading).to_have_text("Start with a list")


# ── Who may do what ──────────────────────────────────────────────────────────


def log_in(window: Window) -> None:
    """Fill in the login form that is shown."""
    window.page.get_by_label("Username").fill(ADMIN["ADMIN_USERNAME"])
    window.page.get_by_label("Password").fill(ADMIN["ADMIN_PASSWORD"])
    window.page.get_by_role("button", name="Log in").click()


@pytest.fixture
def restricted(serve: Serve, database_url: str) -> Callable[[str], str]:
    """Starts a service with this API_ACCESS, a user and a list; returns its address."""

    def start(access: str) -> str:
        open_to_all = serve(DATABASE_URL=database_url)
        Api(open_to_all.url).make_list("Groceries", "milk", "bread")
        manage("ensure_admin", DATABASE_URL=database_url, **ADMIN)
        return serve(API_ACCESS=access).url

    return start


def test_who_may_only_read_sees_no_control_that_would_fail(
    restricted: Callable[[str], str], open_window: OpenWindow
) -> None:
    window = open_window(restricted("read_only"))
    window.shows("milk", "bread")
    page = window.page
    names = page.locator("button:visible, input:visible, select:visible").evaluate_all(
        "(all) => all.filter((each) => !each.disabled).map((each) => each.ariaLabel || each.textContent.trim() || each.value)"
    )
    assert names == ["all", "active", "completed"]
    expect(window.checkbox("milk")).to_be_disabled()
    window.row("milk").get_by_text("milk").dblclick()
    expect(window.title_field).to_be_hidden()
    window.show("Active")
    window.press("Delete", "F2", "Alt+ArrowDown")
    window.shows("milk", "bread")
    finds_nothing(window, "read only")

    page.get_by_role("link", name="Log in").click()
    log_in(window)
    window.shows("milk", "bread")
    window.add("tea")
    window.page.reload()
    window.shows("milk", "bread", "tea")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_who_has_to_log_in_is_led_there_and_back(
    restricted: Callable[[str], str], open_window: OpenWindow
) -> None:
    url = restricted("authenticated")
    window = open_window(url)
    expect(window.page.get_by_label("Password")).to_be_visible()
    log_in(window)
    window.shows("milk", "bread")
    window.add("tea")
    window.rename("milk", "oat milk")
    window.checkbox("bread").check()
    window.delete("tea")
    window.dismiss()
    window.make_list("Reading")
    window.add("Middlemarch")
    window.saved()
    window.page.reload()
    expect(window.list_link("Groceries")).to_be_visible()
    window.shows("Middlemarch")
    window.choose_list("Groceries")
    window.shows("oat milk", "bread")
    expect(window.checkbox("bread")).to_be_checked()

    window.page.get_by_role("button", name="Log out").click()
    window.open()
    expect(window.page.get_by_label("Password")).to_be_visible()


def test_a_session_that_ends_under_the_page_loses_nothing(
    restricted: Callable[[str], str], open_window: OpenWindow
) -> None:
    url = restricted("authenticated")
    window = open_window(url)
    log_in(window)
    window.shows("milk", "bread")
    window.expects(401, 403)
    window.context.clear_cookies()
    window.add("tea")
    window.says("You are logged out: 1 change is waiting")
    expect(window.mark("tea")).to_be_visible()
    with window.context.expect_page() as opened:
        window.page.get_by_role("status").get_by_role("link", name="Log in").click()
    login = Window.of(opened.value, window)
    log_in(login)
    expect(login.heading).to_have_text("Groceries")
    window.page.bring_to_front()  # which is enough to try again
    window.says_no_more("You are logged out")
    window.page.reload()
    window.shows("milk", "bread", "tea")


def test_a_login_in_another_window_changes_the_token_and_nothing_else(
    restricted: Callable[[str], str], open_window: OpenWindow
) -> None:
    window = open_window(restricted("read_only"))
    window.page.get_by_role("link", name="Log in").click()
    log_in(window)
    window.shows("milk", "bread")
    token = {each["name"]: each["value"] for each in window.context.cookies()}
    other = Window.of(window.context.new_page(), window)
    other.open()
    other.page.get_by_role("button", name="Log out").click()
    other.open()
    other.page.get_by_role("link", name="Log in").click()
    log_in(other)
    other.shows("milk", "bread")
    assert token != {each["name"]: each["value"] for each in window.context.cookies()}
    window.page.bring_to_front()
    window.add("tea")
    window.page.reload()
    window.shows("milk", "bread", "tea")


def test_under_a_path_of_its_own(serve: Serve, open_window: OpenWindow) -> None:
    service = serve(URL_PREFIX="/todo", SERVED_BY="pod")
    api = Api(f"{service.url}/todo")
    groceries = api.make_list("Groceries", "milk", "bread")
    window = open_window(f"{service.url}/todo")
    window.shows("milk", "bread")
    window.add("tea")
    window.checkbox("milk").check()
    window.eventually(lambda: api.titles(groceries) == ["milk", "bread", "tea"], "it is saved")
    window.page.reload()
    window.shows("milk", "bread", "tea")
    assert window.page.url == f"{service.url}/todo/#lists/{groceries}"
    expect(window.page.get_by_role("link", name="API")).to_have_attribute("href", "/todo/docs")
