"""The pictures of the page in docs/, which `make screenshots` takes."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from e2e.browser.api import Api
from e2e.browser.conftest import DESKTOP, PHONE, OpenWindow
from tests.process import Service

pytestmark = [pytest.mark.screenshot, pytest.mark.once(on="sqlite")]

NOON = datetime.fromisoformat("2027-03-10T12:00-03:00")
TASKS: list[tuple[str, int | None]] = [
    ("Write down why the lists vanished with the container", -2),
    ("Isolate PostgreSQL in a StatefulSet", 0),
    ("Scale to three replicas", 1),
    ("Delete a pod while the cluster view runs", 4),
    ("Upgrade to 0.2.0 without a failed request", None),
]


def make_lists(api: Api, today: date) -> int:
    """Returns the id of the list that is shown, among others."""
    api.make_list("Groceries", "Coffee", "Bread", "Oranges", "Black beans")
    course = api.make_list("Kubernetes course")
    for title in ("Build the image and run it on SQLite", "Start a pod and follow its logs"):
        api.make_task(course, title, completed=True)
    for title, days in TASKS:
        due = None if days is None else str(today + timedelta(days=days))
        api.make_task(course, title, due=due)
    api.make_list("Release 0.2.0", "Write the release notes", "Sign the chart")
    api.make_list("Reading")
    return course


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("page-light", DESKTOP),
        ("page-dark", DESKTOP | {"color_scheme": "dark"}),
        ("page-phone", PHONE),
    ],
)
def test_the_lists(
    open_window: OpenWindow, service: Service, api: Api, name: str, options: dict[str, object]
) -> None:
    course = make_lists(api, NOON.date())
    window = open_window(service.url, **options)
    window.page.clock.set_fixed_time(NOON)
    window.open(f"#lists/{course}")
    window.page.reload()
    expect(window.heading).to_have_text("Kubernetes course")
    window.left("5 items left")
    if options is not PHONE:
        expect(window.list_link("Release 0.2.0")).to_have_accessible_name("Release 0.2.0 2 left")
        window.row("Scale to three replicas").hover()
    window.picture(name)


def test_a_conflict(open_window: OpenWindow, service: Service, api: Api) -> None:
    # The dialog shows when the service saved theirs, so that this picture has the time of today.
    course = make_lists(api, datetime.now(ZoneInfo("America/Sao_Paulo")).date())
    window = open_window(service.url, f"#lists/{course}", **DESKTOP)
    title = "Isolate PostgreSQL in a StatefulSet"
    expect(window.checkbox(title)).to_be_visible()
    window.expects(412)
    api.change(course, title, title=f"{title} of its own")
    window.rename(title, f"{title} with a volume")
    expect(window.conflict).to_be_visible()
    window.picture("page-conflict")
