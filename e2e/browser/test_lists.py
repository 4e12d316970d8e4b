from playwright.sync_api import expect

from e2e.browser.window import Window


def test_the_page_opens(window: Window) -> None:
    expect(
        window.page.get_by_role("navigation", name="Views").get_by_role("link", name="Lists")
    ).to_be_visible()
