"""During an upgrade, the page of a new pod may ask an old one for files that only new ones have."""

import re

import pytest
from playwright.sync_api import Route, expect

from e2e.browser.window import Window


@pytest.mark.parametrize("file", ["page.js", "words.js", "page.css"])
def test_a_page_without_all_of_its_files_is_loaded_again(window: Window, file: str) -> None:
    asked: list[str] = []
    name, kind = file.split(".")

    def fail_twice(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) <= 2:
            route.fulfill(status=404)
        else:
            route.continue_()

    window.expects(404)
    window.page.route(re.compile(rf"/tasklists/{name}\.[^/]*{kind}$"), fail_twice)
    window.page.reload()
    window.eventually(lambda: len(asked) > 2, "the page is loaded a third time")
    expect(window.page.get_by_role("heading", name="Start with a list")).to_be_visible()
    window.make_list("Groceries")


def test_a_page_without_any_of_its_scripts_is_loaded_again(window: Window) -> None:
    loads: list[str] = []
    window.page.on("request", lambda request: loads.append(request.resource_type))

    def fail_at_first(route: Route) -> None:
        if loads.count("document") == 1:
            route.fulfill(status=404)
        else:
            route.continue_()

    window.expects(404)
    window.page.route(re.compile(r"/tasklists/[^/]*\.js$"), fail_at_first)
    window.page.reload()
    window.make_list("Groceries")
