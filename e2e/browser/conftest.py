from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from e2e.browser.api import Api
from e2e.browser.chromium import MissingChromiumError, chromium
from e2e.browser.window import Window
from tests.conftest import database_url, empty_database, execute, serve, static_files
from tests.process import Service

__all__ = ["database_url", "execute", "serve", "static_files"]  # fixtures, as they are

OpenWindow = Callable[..., Window]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as browser:
            yield browser
    except MissingChromiumError as error:
        pytest.exit(str(error), 1)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that need no settings of their own, on the database under test.

    None of them may leave an error in its log.
    """
    folder = tmp_path_factory.mktemp("service")
    with empty_database(folder) as url, Service({"DATABASE_URL": url}) as started:
        yield started
        assert not [line for line in started.records() if line["level"] in ("error", "critical")]


@pytest.fixture
def service(running: Service) -> Service:
    """That service, without a list."""
    Api(running.url).delete_all()
    return running


@pytest.fixture
def api(service: Service) -> Api:
    return Api(service.url)


@pytest.fixture
def open_window(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenWindow]:
    """Opens the page at ``url`` in a new window; keywords are options of a browser context.

    Each has cookies of its own. The test fails on what goes wrong in a window without being
    expected.
    """
    windows: list[Window] = []

    def open_one(url: str, fragment: str = "", /, **options: Any) -> Window:
        options = {"locale": "en-US", "timezone_id": "America/Sao_Paulo"} | options
        window = Window(browser.new_context(**options), url)
        windows.append(window)
        window.open(fragment)
        return window

    yield open_one
    for window in windows:
        window.close()
    assert [problem for window in windows for problem in window.problems] == []


@pytest.fixture
def window(open_window: OpenWindow, service: Service) -> Window:
    """A window with the page of a service without a list."""
    return open_window(service.url)


@pytest.fixture
def groceries(api: Api) -> int:
    """The id of a list with three tasks."""
    return api.make_list("Groceries", "milk", "bread", "oranges")


@pytest.fixture
def shown(groceries: int, open_window: OpenWindow, service: Service) -> Window:
    """A window with that list."""
    window = open_window(service.url)
    window.shows("milk", "bread", "oranges")
    return window


PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
