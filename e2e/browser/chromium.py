"""Chromium, driven by Playwright: Debian's where it is installed, Playwright's own elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

DEBIAN = Path("/usr/bin/chromium")


class MissingChromiumError(Exception):
    """There is no Chromium to test with."""


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=DEBIAN if DEBIAN.exists() else None
            )
        except Error as error:
            if "Executable doesn't exist" not in error.message:
                raise
            raise MissingChromiumError(
                "The tests in a browser need Chromium: Debian's (apt-get install chromium), "
                "or Playwright's (.venv/bin/playwright install chromium)"
            ) from error
        yield browser
        browser.close()
