"""The pictures of the page in docs/, which `make screenshots` takes."""

from datetime import datetime, timedelta

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


@pytest.fixture
def course(api: Api) -> int:
    """The id of the list that is shown, among others."""
    api.make_list("Groceries", "Coffee", "Bread", "Oranges", "Black beans")
    made = api.make_list("Kubernetes course")
    for title in ("Build the image and run it on SQLite", "Start a pod and follow its logs"):
        api.make_task(made, title, completed=True)
    for title, days in TASKS:
        due = str((NOON + timedelta(days=days)).date()) if days is not None else None
        api.make_task(made, title, due=due)
    api.make_list("Release 0.2.0", "Write the release notes", "Sign the chart")
    api.make_list("Reading")
    return made


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("page-light", DESKTOP),
        ("page-dark", DESKTOP | {"color_scheme": "dark"}),
        ("page-phone", PHONE),
    ],
)
def test_the_lists(
    open_window: OpenWindow, service: Service, course: int, name: str, options: dict[str, object]
) -> None:
    window = open_window(service.url, **options)
    window.page.clock.set_fixed_time(NOON)
    window.open(f"#lists/{course}")
    window.page.reload()
    expect(window.heading).to_have_text("Kubernetes course")
    window.left("5 items left")
    if options is not PHONE:
        expect(window.list_link("Release 0.2.0")).to_have_accessible_name("Release 0.2.0 2 left")
    window.picture(name)


def test_a_conflict(open_window: OpenWindow, service: Service, api: Api, course: int) -> None:
    window = open_window(service.url, **DESKTOP)
    window.page.clock.set_fixed_time(NOON)
    window.open(f"#lists/{course}")
    window.page.reload()
    title = "Isolate PostgreSQL in a StatefulSet"
    expect(window.checkbox(title)).to_be_visible()
    window.expects(412)
    api.change(course, title, due=str((NOON + timedelta(days=2)).date()))
    window.rename(title, f"{title} with a volume")
    expect(window.conflict).to_be_visible()
    window.picture("page-conflict")
