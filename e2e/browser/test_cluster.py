"""The cluster view, with several processes of the service in place of pods."""

import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from e2e.browser.api import Api
from e2e.browser.cluster_view import ClusterView
from e2e.browser.conftest import DESKTOP, PHONE, OpenWindow
from e2e.browser.pods import Pods, older_pod
from tests.postgresql import PostgreSQL
from tests.process import Service, manage, sqlite_url

# The tests choose their databases themselves.
pytestmark = pytest.mark.once(on="sqlite")

OpenView = Callable[..., ClusterView]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def pods() -> Iterator[Pods]:
    with Pods() as pods:
        yield pods


@pytest.fixture
def open_view(open_window: OpenWindow, pods: Pods) -> OpenView:
    """Opens the cluster view of the pods in a new window."""
    return lambda **options: ClusterView(open_window(pods.url, "#cluster", **options))


@pytest.fixture
def sqlite(tmp_path: Path) -> Callable[[str], str]:
    """The URL of a database of that name, which is an SQLite file of its own."""
    return lambda name: sqlite_url(tmp_path / f"{name}.sqlite3")


def test_pods_that_share_a_database(
    pods: Pods, postgresql: PostgreSQL, open_view: OpenView
) -> None:
    for name in ("app-x2lkq", "app-m9zvd", "app-7hbtw"):
        pods.start(name, postgresql.url)
    api = Api(pods.url)
    api.delete_all()
    api.make_lists(["Groceries", "Course"])
    view = open_view()
    expect(view.page).to_have_title("Cluster · Tasklists")
    view.says(re.compile("^Press Start to send small requests, each on a new connection"))
    expect(view.strip).to_have_accessible_name("Last 0 answers: –; 0 were 503; 0 failed")
    view.start()
    view.says(
        "Three pods answer and all know the same 2 lists: they share one PostgreSQL database."
    )
    view.answered(210)  # more than the strip has cells
    view.stop()
    expect(view.strip).to_have_accessible_name(
        re.compile(r"^Last 200 answers: A \d+, B \d+, C \d+; 0 were 503; 0 failed$")
    )
    assert view.count("failed") == view.count("503 unavailable") == 0
    rows = view.table.get_by_role("row").all_inner_texts()[1:]
    assert [row.split()[0] for row in rows] == ["A", "B", "C"]
    for name in ("app-x2lkq", "app-m9zvd", "app-7hbtw"):
        view.has_row(name, version="0.2.0", database="postgresql", lists_known="2")
        view.has_row(name, median=re.compile(r"^\d+ ms$"), up_since=re.compile(r"^\d\d:\d\d$"))
    # The page updates the totals and the table twice a second.
    view.window.eventually(
        lambda: sum(answers(view)) == view.count("answered"), "the table is about all answers"
    )
    assert min(answers(view)) > 30, "each connection reaches the next pod"
    # The strip's oldest row left as a whole, and only the newest answer is ringed.
    filled = view.strip.locator(".cell[data-pod]")
    view.window.eventually(
        lambda: filled.count() == 151 + (view.count("answered") - 1) % 50,
        "the strip is about all answers",
    )
    assert view.strip.locator(".now").count() == 1
    expect(filled.last).to_have_class(re.compile(r"\bnow\b"))
    api.make_list("Reading")
    view.start()
    view.says(re.compile("the same 3 lists"))
    assert view.count("answered") < 200, "Start counts anew"


def test_sqlite_replicas_disagree(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView
) -> None:
    first = pods.start("app-x2lkq", sqlite("first"))
    pods.start("app-m9zvd", sqlite("second"))
    view = open_view()
    view.start()
    view.says(
        "Two pods answer. Each has its own SQLite database; so far they hold the same number of lists."
    )
    Api(first.url).make_lists(["Groceries", "Course"])
    view.says(
        "Two pods answer and each knows other lists: with SQLite every replica has its own database."
    )
    view.has_row("app-x2lkq", database="sqlite", lists_known="2")
    view.has_row("app-m9zvd", database="sqlite", lists_known="0")
    for pod in ("app-x2lkq", "app-m9zvd"):
        expect(view.row(pod).locator(".differs")).to_be_visible()


def test_one_pod_alone(pods: Pods, sqlite: Callable[[str], str], open_view: OpenView) -> None:
    pods.start("app-x2lkq", sqlite("only"))
    view = open_view()
    view.start()
    view.says(re.compile("^Only one pod has answered: there may be one replica, kubectl port-forw"))
    assert view.sentence.locator("code").inner_text() == "kubectl port-forward"


def test_a_pod_that_dies(pods: Pods, postgresql: PostgreSQL, open_view: OpenView) -> None:
    pods.start("app-x2lkq", postgresql.url)
    victim = pods.start("app-m9zvd", postgresql.url)
    view = open_view()
    view.start()
    view.has_row("app-m9zvd", version="0.2.0")
    view.window.expects_no_network()
    kill(victim)
    view.says(
        re.compile(r"^\d+ requests failed\. Look at kubectl get pods and kubectl get events\.$")
    )
    expect(view.strip).to_have_accessible_name(re.compile(r"; [1-9]\d* failed$"))
    expect(view.legend.get_by_role("listitem").filter(has_text="Failed")).to_be_visible()
    pods.remove(victim)
    view.is_gone("app-m9zvd")
    view.says(re.compile(rf"^{view.count('failed')} requests? failed"))
    assert view.sentence.get_attribute("data-tone") == "fail"


def test_failures_are_marked_in_the_strip(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView
) -> None:
    pod = pods.start("app-x2lkq", sqlite("only"))
    view = open_view()
    view.start()
    view.answered(5)
    view.window.expects_no_network()
    kill(pod)
    expect(view.total("failed")).not_to_have_text("0")
    view.stop()
    expect(view.region.get_by_role("button", name="Start")).to_be_visible()
    # Requests in flight still fail after Stop, and the page updates the totals after the strip.
    view.window.eventually(
        lambda: view.cells.filter(has_text="×").count() == view.count("failed"),
        "each failure has a mark",
    )
    assert view.count("failed") < 180


def test_an_outage_of_the_database(pods: Pods, postgresql: PostgreSQL, open_view: OpenView) -> None:
    pods.start("app-x2lkq", postgresql.url)
    pods.start("app-m9zvd", postgresql.url)
    view = open_view()
    view.start()
    view.has_row("app-m9zvd", version="0.2.0")
    view.window.expects(503)
    postgresql.stop()
    try:
        view.says(
            "The database is unreachable: the pods answer 503 and recover by themselves. "
            "0 requests failed."
        )
        assert view.sentence.get_attribute("data-tone") == "wait"
        # Who answers 503 is known by Served-By.
        for letter in ("A", "B"):
            expect(view.strip.locator(".out").filter(has_text=letter).first).to_be_visible()
        expect(view.legend).to_contain_text("503: the database is unreachable")
    finally:
        postgresql.start()
    view.says(
        re.compile(
            r"^The database is back after \d+ s: \d+ requests were answered with 503; 0 failed\.$"
        )
    )
    assert view.count("503 unavailable") > 0
    assert view.count("failed") == 0


@pytest.mark.screenshot
def test_an_upgrade(pods: Pods, postgresql: PostgreSQL, open_view: OpenView) -> None:
    first = pods.start("app-7c9d6b5f4-x2lkq", postgresql.url)
    second = pods.start("app-7c9d6b5f4-m9zvd", postgresql.url)
    for number in range(12):
        Api(first.url).make_list(f"List {number}")
    view = open_view(**DESKTOP)
    view.start()
    view.answered(60)
    expect(view.strip.locator(".old")).to_have_count(0)
    version = {"DJANGO_SETTINGS_MODULE": "e2e.browser.next_version"}
    pods.start("app-5f6b8d9c7-q4s6c", postgresql.url, **version)
    pods.remove(first)
    why = "0 requests failed, because a pod leaves only when its successor is ready."
    view.says(f"Version 0.2.0 is being replaced by 0.3.0; {why}")
    expect(view.legend).to_have_text(
        re.compile(r"^[AB]Version 0\.2\.0, outlinedCVersion 0\.3\.0, filled×Failed$")
    )
    # Every answer of the old version is outlined now, and none of the new one.
    expect(view.strip.locator(".old").filter(has_text="A").first).to_be_visible()
    expect(
        view.strip.locator("[data-pod]:not(.old)").filter(has_text=re.compile("A|B"))
    ).to_have_count(0)
    expect(view.strip.locator(".old").filter(has_text="C")).to_have_count(0)
    view.answers_of("app-5f6b8d9c7-q4s6c", 20)
    view.window.picture("page-cluster")
    pods.remove(second)
    view.says(f"Version 0.2.0 was replaced by 0.3.0; {why}")
    view.is_gone("app-7c9d6b5f4-m9zvd")
    # A rollback: the pod that started last is of the lower version.
    pods.start("app-7c9d6b5f4-7hbtw", postgresql.url)
    view.says(f"Version 0.3.0 is being replaced by 0.2.0; {why}")


def test_pods_of_a_version_without_the_view(
    pods: Pods, postgresql: PostgreSQL, open_view: OpenView
) -> None:
    pods.start("app-new", postgresql.url)
    view = open_view()
    view.window.expects(404)
    with older_pod("app-old") as port:
        pods.ports.append(port)
        view.start()
        view.says(re.compile(r"^Version \? is being replaced by 0\.2\.0; 0 requests failed"))
        view.has_row("app-old", version="?", database="–", lists_known="–", up_since="–")
        view.has_row("app-new", version="0.2.0", database="postgresql")
        # From now on no other pod answers, which doesn't mean that the new version is gone.
        view.says(
            "Only one pod answers now: version ? keeps the browser’s connection until the "
            "pod stops. 0 requests failed."
        )
        letter = view.row("app-old").locator(".cell").inner_text()
        outlined = view.strip.locator(".old").filter(has_text=letter)
        expect(outlined.nth(50)).to_be_visible()
        expect(view.strip.locator("[data-pod]:not(.old)").filter(has_text=letter)).to_have_count(0)
        view.stop()


def test_every_fifth_request_writes_and_leaves_nothing(
    pods: Pods, tmp_path: Path, open_view: OpenView
) -> None:
    pods.start("app-x2lkq", sqlite_url(tmp_path / "only.sqlite3"))
    view = open_view()
    methods = requests_of(view)
    view.start()
    view.answered(25)
    view.stop()
    assert methods[:25] == ["GET", "GET", "GET", "GET", "POST"] * 5
    with sqlite3.connect(tmp_path / "only.sqlite3") as database:
        for table in ("django_session", "tasklists_tasklist"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    database.close()


def test_who_may_only_read_sends_no_writes(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView
) -> None:
    pods.start("app-x2lkq", sqlite("only"), API_ACCESS="read_only")
    view = open_view()
    methods = requests_of(view)
    view.start()
    view.answered(12)
    assert set(methods) == {"GET"}
    assert view.count("failed") == 0


def test_a_login_that_has_ended_stops_the_requests(
    pods: Pods, sqlite: Callable[[str], str], open_window: OpenWindow
) -> None:
    url, key = sqlite("only"), "k" * 50
    pods.start("app-x2lkq", url, API_ACCESS="authenticated", SECRET_KEY=key)
    account = {"DJANGO_SUPERUSER_USERNAME": "ana", "DJANGO_SUPERUSER_PASSWORD": "correct horse"}
    made = manage(
        "createsuperuser", "--no-input", "--email=", DATABASE_URL=url, SECRET_KEY=key, **account
    )
    assert made.returncode == 0, made.stderr
    window = open_window(pods.url)
    window.expects(404)  # the login has no icon
    window.page.get_by_label("Username").fill("ana")
    window.page.get_by_label("Password").fill("correct horse")
    window.page.get_by_role("button", name="Log in").click()
    window.page.get_by_role("link", name="Cluster").click()
    view = ClusterView(window)
    view.start()
    view.answered(6)
    window.expects(401, 403)
    window.context.clear_cookies()
    view.says(re.compile("reload the page, log in and press Start again"))
    expect(view.region.get_by_role("button", name="Start")).to_be_visible()
    assert view.count("failed") == 0


def test_a_service_that_does_not_know_its_pod(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView
) -> None:
    pods.start("", sqlite("only"))
    view = open_view()
    view.says(re.compile("the service doesn’t know which pod it is. Set SERVED_BY to the pod’s n"))
    expect(view.region.get_by_role("button")).to_have_count(0)
    for part in (view.strip, view.table, view.total("failed")):
        expect(part).to_be_hidden()


def test_stop_stops(pods: Pods, sqlite: Callable[[str], str], open_view: OpenView) -> None:
    pods.start("app-x2lkq", sqlite("only"))
    view = open_view()
    methods = requests_of(view)
    view.page.clock.install()
    view.start(rate=1)
    view.page.clock.run_for(3000)
    view.answered(4)
    view.stop()
    view.page.clock.run_for(60_000)
    assert len(methods) == view.count("answered") == 4


def test_requests_do_not_pile_up(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView
) -> None:
    pod = pods.start("app-x2lkq", sqlite("only"))
    view = open_view()
    view.page.clock.install()
    view.start(rate=20)
    view.page.clock.run_for(1000)
    view.answered(4)
    processes = [psutil.Process(pod.process.pid), *pod.workers()]
    for process in processes:
        process.suspend()
    try:
        # Playwright delivers events in order: when this returns, it has delivered those of the
        # requests that were sent before.
        view.page.evaluate("0")
        methods = requests_of(view)
        view.page.clock.run_for(2000)
        assert len(methods) <= 4
    finally:
        for process in processes:
            process.resume()
    view.page.clock.run_for(2000)
    view.answered(12)
    assert view.count("failed") == 0


def test_requests_go_on_while_the_lists_are_shown(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView
) -> None:
    pods.start("app-x2lkq", sqlite("only"))
    view = open_view()
    view.start()
    view.answered(5)
    methods = requests_of(view)
    view.page.get_by_role("link", name="Lists", exact=True).click()
    expect(view.region).to_be_hidden()
    before = len(methods)
    view.window.eventually(lambda: len(methods) > before + 10, "more requests are sent")
    view.page.get_by_role("link", name="Cluster").click()
    assert view.count("answered") > 10
    expect(view.strip.locator("[data-pod]").nth(10)).to_be_visible()


def test_on_a_phone_nothing_scrolls_sideways(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView
) -> None:
    pods.start("a-release-with-a-long-name-tasklists-app-7c9d6b5f4d-x2lkq", sqlite("first"))
    pods.start("a-release-with-a-long-name-tasklists-app-7c9d6b5f4d-m9zvd", sqlite("second"))
    view = open_view(**PHONE)
    view.start()
    view.answered(30)
    view.has_row("m9zvd", version="0.2.0")
    assert view.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    columns = "getComputedStyle(document.getElementById('strip')).gridTemplateColumns.split(' ')"
    assert len(view.page.evaluate(columns)) == 20


@pytest.mark.parametrize("options", [{}, PHONE, {"color_scheme": "dark"}])
def test_axe_finds_nothing_serious(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView, options: dict[str, Any]
) -> None:
    first = pods.start("app-x2lkq", sqlite("first"))
    pods.start("app-m9zvd", sqlite("second"), DJANGO_SETTINGS_MODULE="e2e.browser.next_version")
    Api(first.url).make_list("Groceries")
    view = open_view(**options)
    view.start()
    view.has_row("app-m9zvd", version="0.3.0")
    view.answered(30)
    view.stop()
    found = Axe().run(view.page).response["violations"]
    assert [each["help"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_in_portuguese(pods: Pods, sqlite: Callable[[str], str], open_view: OpenView) -> None:
    pods.start("app-x2lkq", sqlite("first"))
    pods.start("app-m9zvd", sqlite("second"))
    view = open_view(locale="pt-BR")
    view.says(re.compile("^Clique em Iniciar para enviar pequenas requisições"))
    view.page.get_by_role("button", name="Iniciar").click()
    view.says(
        "Dois pods respondem. Cada um tem o próprio banco SQLite; por enquanto, todos têm o mesmo "
        "número de listas."
    )
    expect(view.strip).to_have_accessible_name(
        re.compile(r"^Últimas \d+ respostas: A \d+, B \d+; 0 foram 503; 0 falharam$")
    )
    expect(view.legend).to_have_text("×Falha")


# The modules themselves, for what takes hours.

RECORD = """
async ([source, rollouts]) => {
  const { Run } = await import(source);
  const run = new Run();
  let at = Date.now();
  for (let rollout = 0; rollout < rollouts; rollout++) {
    for (let n = 0; n < 300; n++) {
      const name = `app-${rollout}-${n % 3}`, started_at = new Date(at).toISOString();
      const data = { name, version: `${rollout}.0`, database: "postgresql", lists: 1, started_at };
      run.record({ status: 200, data, headers: new Headers() }, 5, at += 100);
    }
  }
  const pods = [...run.pods.values()];
  const sizes = [run.answers, pods, [...run.versions], pods.at(-1).times].map((each) => each.length);
  return { sizes, total: run.total, last: pods.at(-1).name, rollout: run.rollout };
}
"""


def test_a_run_of_hours_takes_no_more_memory(
    pods: Pods, sqlite: Callable[[str], str], open_view: OpenView
) -> None:
    pods.start("app-x2lkq", sqlite("only"))
    view = open_view()
    source = view.page.locator("link[rel=modulepreload][href*='run.']").get_attribute("href")
    result = view.page.evaluate(RECORD, [source, 40])
    assert result["sizes"] == [200, 50, 10, 100]
    assert result["total"] == 12_000
    assert result["last"] == "app-39-2", "pods that answered lately are kept"
    assert (result["rollout"]["newest"], result["rollout"]["old"]["name"]) == ("39.0", "38.0")


def kill(pod: Service) -> None:
    """As the kernel does when memory is short: no process of the pod says goodbye."""
    process = psutil.Process(pod.process.pid)
    for each in [process, *process.children(recursive=True)]:
        each.send_signal(signal.SIGKILL)
    pod.process.wait()


def answers(view: ClusterView) -> list[int]:
    """How many each pod has given, by the table."""
    cells = [row.get_by_role("cell").nth(4) for row in view.table.get_by_role("row").all()[1:]]
    return [int(cell.inner_text()) for cell in cells]


def requests_of(view: ClusterView) -> list[str]:
    """The methods of the requests that the view sends from now on."""
    methods: list[str] = []
    view.page.on(
        "request",
        lambda request: methods.append(request.method) if "/instance" in request.url else None,
    )
    return methods
