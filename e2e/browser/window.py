"""What a person does in a browser window, by the roles and names that a screen reader says."""

import copy
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

ROOT = Path(__file__).resolve().parent.parent.parent
HANG = 20  # seconds; a guard, since a page on an idle machine takes a tenth of one

expect.set_options(timeout=HANG * 1000)

COUNT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (e) =>
  console.error(`Content Security Policy: ${e.effectiveDirective} forbids ${e.blockedURI}`));
"""


class Window:
    """A window with the page, in a browser context of its own: nobody is logged in.

    ``problems`` are errors in the console, exceptions that nothing caught, and violations of the
    Content Security Policy. A test fails on each that it has not announced by ``expects()``.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url.rstrip("/")
        # Chromium drops what it is loading when an interface of the machine comes or goes, such
        # as a container's.
        self.expected = ["net::ERR_NETWORK_CHANGED"]
        self.seen: list[str] = []
        context.set_default_timeout(HANG * 1000)
        context.add_init_script(COUNT_VIOLATIONS)
        context.on("console", self.note)
        context.on("weberror", lambda error: self.seen.append(f"exception: {error.error}"))
        self.unanswered: set[Request] = set()
        context.on("request", lambda request: self.unanswered.add(request))  # noqa: PLW0108
        context.on("requestfinished", self.answered)
        context.on("requestfailed", self.answered)
        self.page = context.new_page()

    @classmethod
    def of(cls, page: Page, window: "Window") -> "Window":
        """Another page of the same person, whose problems count for ``window``."""
        other = copy.copy(window)
        other.page = page
        return other

    def answered(self, request: Request) -> None:
        self.unanswered.discard(request)

    def note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.seen.append(message.text)

    # ── The page ─────────────────────────────────────────────────────────────

    def open(self, fragment: str = "") -> None:
        self.page.goto(f"{self.url}/{fragment}")

    def close(self) -> None:
        """Close all pages, but not while a list is being made, which the next test would find."""
        self.eventually(lambda: not self.new_lists(), "new lists are answered")
        self.context.close()

    def new_lists(self) -> list[Request]:
        return [
            each
            for each in self.unanswered
            if each.method == "POST" and each.url.endswith("/lists")
        ]

    def expects(self, *problems: int | str) -> None:
        """Announce answers with these statuses, or problems that contain these texts.

        Chromium reports each failed request in the console, whatever the page makes of it.
        """
        self.expected += [
            f"status of {each} " if isinstance(each, int) else each for each in problems
        ]

    def expects_no_network(self) -> None:
        self.expects("net::ERR_")

    @property
    def problems(self) -> list[str]:
        return [each for each in self.seen if not any(text in each for text in self.expected)]

    def eventually(self, holds: Callable[[], object], what: str) -> None:
        """Wait until ``holds()`` is true of something outside of the page, such as the service.

        Playwright's own expect() waits for what is in the page. The events of the page are handled
        meanwhile.
        """
        end = time.monotonic() + HANG
        while not holds():
            assert time.monotonic() < end, f"not in {HANG} s: {what}"
            self.page.wait_for_timeout(50)

    def saved(self) -> None:
        """Wait until the page may be closed without a warning."""
        ask = "() => dispatchEvent(new Event('beforeunload', { cancelable: true }))"
        self.eventually(lambda: self.page.evaluate(ask), "everything is saved")

    def settle(self) -> None:
        """Wait for the next two frames: what an event has changed is drawn then."""
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self) -> Locator:
        return self.page.locator(":focus")

    # ── Lists ────────────────────────────────────────────────────────────────

    @property
    def side(self) -> Locator:
        return self.page.get_by_role("complementary", name="Your lists")

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def list_link(self, name: str) -> Locator:
        return self.side.get_by_role("link", name=re.compile(rf"^{re.escape(name)} [\d.,]+ left$"))

    def make_list(self, name: str) -> None:
        field = self.page.get_by_role("textbox", name="New list", exact=True)
        field.fill(name)
        field.press("Enter")
        expect(self.heading).to_have_text(name)

    def choose_list(self, name: str) -> None:
        self.list_link(name).click()
        expect(self.heading).to_have_text(name)

    def list_action(self, name: str) -> None:
        self.page.get_by_role("button", name="List actions").click()
        self.page.get_by_role("group", name="List actions").get_by_role("button", name=name).click()

    # ── Tasks ────────────────────────────────────────────────────────────────

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="What needs to be done?")

    @property
    def tasks(self) -> Locator:
        return self.page.get_by_role("list", name="Tasks")

    @property
    def title_field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Title of the task")

    def add(self, *titles: str) -> None:
        for title in titles:
            self.field.fill(title)
            self.field.press("Enter")
            expect(self.checkbox(title)).to_be_visible()

    def checkbox(self, title: str) -> Locator:
        return self.tasks.get_by_role("checkbox", name=title, exact=True)

    def row(self, title: str) -> Locator:
        return self.tasks.get_by_role("listitem").filter(
            has=self.page.get_by_role("checkbox", name=title, exact=True)
        )

    def shows(self, *titles: str) -> None:
        """Expect the tasks with these titles, in this order, and no other."""
        boxes = self.tasks.get_by_role("checkbox")
        expect(boxes).to_have_count(len(titles))
        for place, title in enumerate(titles):
            expect(boxes.nth(place)).to_have_accessible_name(title)

    def left(self, text: str) -> None:
        expect(self.page.get_by_text(text, exact=True)).to_be_visible()

    def edit(self, title: str) -> Locator:
        """Begin to edit by a double click; returns the field."""
        self.row(title).get_by_text(title, exact=True).dblclick()
        expect(self.title_field).to_be_focused()
        return self.title_field

    def rename(self, title: str, to: str) -> None:
        self.edit(title).fill(to)
        self.title_field.press("Enter")

    def delete(self, title: str) -> None:
        self.row(title).hover()
        self.page.get_by_role("button", name=f"Delete {title}", exact=True).click()

    def task_menu(self, title: str) -> Locator:
        """Open the menu of a task."""
        self.row(title).hover()
        self.page.get_by_role("button", name=f"Actions for {title}", exact=True).click()
        menu = self.page.get_by_role("group", name="Task actions")
        expect(menu).to_be_visible()
        return menu

    def due_button(self, title: str) -> Locator:
        name = re.compile(
            rf"^(Add a due date to {re.escape(title)}|Change the due date of {re.escape(title)}, .+)$"
        )
        return self.page.get_by_role("button", name=name)

    def due_menu(self, title: str) -> Locator:
        self.row(title).hover()
        self.due_button(title).click()
        menu = self.page.get_by_role("group", name="Due date")
        expect(menu).to_be_visible()
        return menu

    def drag(self, title: str, other: str, *, above: bool, drop: bool = True) -> None:
        """Drag a task by its handle over another one, to its upper or its lower half."""
        self.row(title).hover()
        self.page.get_by_role("button", name=f"Reorder {title}", exact=True).hover()
        self.page.mouse.down()
        box = self.row(other).bounding_box()
        assert box
        y = box["y"] + (4 if above else box["height"] - 4)
        self.page.mouse.move(box["x"] + 60, y, steps=8)
        if drop:
            self.page.mouse.up()

    def show(self, name: str) -> None:
        """Show "All", "Active" or "Completed" tasks."""
        self.page.get_by_role("radio", name=name, exact=True).check()

    def mark(self, title: str) -> Locator:
        """The mark on a task whose change waits."""
        return self.row(title).get_by_text("Not saved")

    # ── What the page says ───────────────────────────────────────────────────

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    def says(self, text: str | re.Pattern[str]) -> None:
        """Expect a status, such as the banner or the toast, with this text."""
        expect(self.status.filter(has_text=text)).to_be_visible()

    def says_no_more(self, text: str | re.Pattern[str]) -> None:
        expect(self.status.filter(has_text=text)).to_be_hidden()

    def undo(self) -> None:
        self.page.get_by_role("button", name="Undo", exact=True).click()

    def dismiss(self) -> None:
        self.page.get_by_role("button", name="Dismiss", exact=True).click()

    @property
    def conflict(self) -> Locator:
        return self.page.get_by_role("dialog", name="This task was changed elsewhere")

    def decide(self, name: str) -> None:
        """Choose "Keep mine", "Take theirs" or "Decide later"."""
        self.conflict.get_by_role("button", name=name, exact=True).click()
        expect(self.conflict).to_be_hidden()

    # ── Network ──────────────────────────────────────────────────────────────

    @contextmanager
    def without_network(self) -> Iterator[None]:
        self.expects_no_network()
        self.context.set_offline(True)
        yield
        self.context.set_offline(False)

    # ── Pictures ─────────────────────────────────────────────────────────────

    def picture(self, name: str) -> None:
        """Take docs/``name``.png, if `make screenshots` runs."""
        self.settle()
        if "SCREENSHOTS" in os.environ:
            self.page.screenshot(
                path=ROOT / "docs" / f"{name}.png", animations="disabled", caret="hide"
            )
