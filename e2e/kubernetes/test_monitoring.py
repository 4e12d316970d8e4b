"""Prometheus scrapes a release: the counters match the requests sent, and alerts fire and resolve."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from e2e.kubernetes import monitoring
from e2e.kubernetes.backup import back_up
from e2e.kubernetes.client import Client
from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.conftest import require_built_images
from e2e.kubernetes.monitoring import IMAGE, LABELS, Prometheus, accelerated, rules
from e2e.kubernetes.release import CHART, SMALL, Release, Values, merge
from e2e.kubernetes.writer import Writer

NEXT = "next"  # the tag of what `make image-next` builds
METRICS_PORT = 9464
REQUESTS = "http_server_request_duration_seconds_count"
ROLLOUT = 180  # seconds

# Prints the process ids of the workers, which are the children of process 1.
WORKERS = """\
import os
stats = [open(f"/proc/{id}/stat").read().rpartition(")") for id in os.listdir("/proc") if id.isdigit()]
workers = [int(head.split()[0]) for head, _, tail in stats if tail.split()[1] == "1"]
print(*workers)
"""
# Prints the status of the answer, or the error if there is no answer for so many seconds.
FETCH = """\
import sys, time, urllib.request, urllib.error
request = urllib.request.Request(sys.argv[1], headers={"Host": "localhost"})
end = time.monotonic() + float(sys.argv[2])
while True:
    try:
        said = urllib.request.urlopen(request, timeout=3).status
    except urllib.error.HTTPError as error:
        said = error.code
    except OSError as error:
        said = error
        if time.monotonic() < end:
            time.sleep(0.2)
            continue
    print(said)
    break
"""

# The pod that answered, the method, the route and the status.
Kind = tuple[str, str, str, str]


class Load:
    """Requests through the Service, and how many of each kind were sent."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.sent: Counter[Kind] = Counter()

    def send(self, method: str, path: str, route: str, **options: Any) -> requests.Response:
        answer = self.client.request(method, path, **options)
        label = method if method in ("GET", "POST", "PATCH", "PUT", "DELETE") else "_OTHER"
        pod, status = answer.headers["Served-By"], str(answer.status_code)
        self.sent[pod, label, route, status] += 1
        return answer

    def everything(self) -> None:
        """Send requests of many kinds, with a different number of each kind."""
        for number in range(3):
            name = {"name": f"list {number}"}
            made = self.send("POST", "/lists", "/lists", json=name).json()
            one, tasks = f"/lists/{made['id']}", f"/lists/{made['id']}/tasks"
            for _ in range(number + 1):
                self.send("GET", one, "/lists/{pk}")
            self.send("PATCH", one, "/lists/{pk}", json={"name": "other"})
            task = self.send("POST", tasks, "/lists/{list_id}/tasks", json={"title": "task"})
            self.send("GET", f"/tasks/{task.json()['id']}", "/tasks/{pk}")
            self.send("GET", tasks, "/lists/{list_id}/tasks")
            self.send("DELETE", one, "/lists/{pk}")
            self.send("GET", one, "/lists/{pk}")
        for _ in range(4):
            self.send("GET", "/lists", "/lists")
        for _ in range(5):
            self.send("POST", "/lists", "/lists", json={})
        self.send("GET", "/instance", "/instance")
        self.hostile("known")

    def hostile(self, word: str) -> None:
        """Send requests that have ``word`` in their path, method, query or headers."""
        self.send("GET", f"/{word}", "_OTHER")
        self.send("GET", f"/lists/{word}", "_OTHER")
        self.send("POST", f"/{word}/%00{word}", "_OTHER")
        self.send(word.upper(), "/lists", "/lists")
        self.send(word.upper(), f"/{word}", "_OTHER")
        self.send("GET", f"/lists?{word}={word}", "/lists")
        self.send("GET", "/lists", "/lists", headers={"User-Agent": word, "X-Request-Id": word})
        self.send("GET", "/lists", "_OTHER", headers={"Host": word})


@pytest.fixture(scope="module")
def prometheus() -> Iterator[Prometheus]:
    with monitoring.prometheus() as started:
        yield started


@pytest.fixture(scope="module")
def values(prometheus: Prometheus) -> Values:
    metrics = {"enabled": True, "from": [prometheus.peer()]}
    return merge(SMALL, {"metrics": metrics, "backup": {"enabled": True}})


@pytest.fixture(scope="module")
def release(namespace: Namespace, prometheus: Prometheus, values: Values) -> Release:
    """A release that Prometheus scrapes, with the chart's rules at 30 times the speed."""
    require_built_images(namespace, f"app:{NEXT}", IMAGE)
    release = Release(namespace, "watched")
    release.install(values)
    prometheus.start(accelerated(rules(release, values)))
    return release


@pytest.fixture(scope="module")
def load(release: Release) -> Load:
    return Load(release.client())


def test_counts_are_those_of_the_load(release: Release, prometheus: Prometheus, load: Load) -> None:
    load.everything()
    equal(release, prometheus, load)


def test_a_killed_worker_takes_no_count_with_it(
    release: Release, prometheus: Prometheus, load: Load
) -> None:
    kill_a_worker(release)
    load.everything()
    equal(release, prometheus, load)
    assert prometheus.query(f"resets({REQUESTS}{{{selector(release)}}}[15m]) > 0") == []


def test_workers_killed_under_load(release: Release, prometheus: Prometheus, load: Load) -> None:
    """Only what a worker was handling when it was killed may be missing."""
    (pod,) = release.pod_names()
    kind = (pod, "POST", "/lists", "201")
    with Writer(release.client().url) as writer:
        for _ in range(3):
            kill_a_worker(release)
            assert writer.succeeds_again()
    acknowledged, in_flight = len(writer.acknowledged), 3 * len(writer.threads)
    least = load.sent[kind] + acknowledged - in_flight
    eventually(lambda: counted(release, prometheus)[kind] >= least, "all are counted", seconds=15)
    assert len(writer.failures) <= in_flight
    load.everything()  # once these requests are scraped, all of the writer's are as well
    others = {each: count for each, count in load.sent.items() if each != kind}
    last = "the last request is counted"
    eventually(lambda: others.items() <= counted(release, prometheus).items(), last, seconds=15)
    most = load.sent[kind] + acknowledged + len(writer.failures)
    load.sent[kind] = counted(release, prometheus)[kind]
    assert load.sent[kind] <= most
    assert prometheus.query(f"resets({REQUESTS}{{{selector(release)}}}[15m]) > 0") == []


def test_hostile_requests_make_no_series(
    release: Release, prometheus: Prometheus, load: Load
) -> None:
    series = f"count({{{selector(release)}}})"
    before = prometheus.value(series)
    for _ in range(40):
        load.hostile("".join(secrets.choice("abcdefghij") for _ in range(12)))
    equal(release, prometheus, load)
    assert prometheus.value(series) == before


def test_counts_by_pod_and_version_across_a_rollout(
    release: Release, prometheus: Prometheus, values: Values, load: Load
) -> None:
    old = release.pod_names()
    release.upgrade(values, {"image": {"tag": NEXT}}, options=())
    deployment = f"deployment/{release.one('deployment')}"

    def is_rolled_out() -> bool:
        for _ in range(10):
            load.send("GET", "/lists", "/lists")
        said = release.namespace.kubectl("rollout", "status", deployment, "--watch=false")
        return "successfully rolled out" in said and release.pod_names().isdisjoint(old)

    eventually(is_rolled_out, "the new version is rolled out", ROLLOUT)
    release.wait_until_old_pods_are_gone()
    load.everything()
    equal(release, prometheus, load)

    version = load.send("GET", "/instance", "/instance").json()["version"]
    assert version.endswith("-next")
    new = release.pod_names()
    info = f"max_over_time(tasklists_build_info{{{selector(release)}}}[15m])"
    versions = {labels["pod"]: labels["version"] for labels, _ in prometheus.query(info)}
    before = version.removesuffix("-next")
    assert versions == dict.fromkeys(old, before) | dict.fromkeys(new, version)


def test_none_of_this_made_an_alert_fire(release: Release, prometheus: Prometheus) -> None:
    assert alerts_that_fired(release, prometheus) == set()


def test_only_the_named_pods_may_scrape(release: Release, prometheus: Prometheus) -> None:
    (pod,) = release.pods()
    url = f"http://{pod['status']['podIP']}:{METRICS_PORT}/metrics"
    assert "200" in fetch(prometheus.namespace, url, 20, labels=LABELS)
    for namespace, labels in ((prometheus.namespace, {}), (release.namespace, LABELS)):
        assert re.search("timed out|refused", fetch(namespace, url, 3, labels=labels))


def test_the_service_has_no_metrics(release: Release) -> None:
    (service,) = release.get("service")
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]
    url = f"http://{service['metadata']['name']}:{release.port}"
    assert "200" in fetch(release.namespace, f"{url}/lists", 20)
    assert "404" in fetch(release.namespace, f"{url}/metrics", 20)


def test_alerts_while_the_database_is_gone(release: Release, prometheus: Prometheus) -> None:
    alerts = ("TasklistsDatabaseUnreachable", "TasklistsErrors", "TasklistsErrorBudgetBurnsFast")
    with Writer(release.client().url, threads=2):
        with scaled_to_nothing(release, "statefulset", "postgres"):
            prometheus.fires(release, *alerts)
        prometheus.resolves(release, *alerts)


def test_alert_when_the_database_refuses_the_login(
    release: Release, prometheus: Prometheus
) -> None:
    alert = "TasklistsDatabaseRefusesLogin"
    password = release.secrets()[release.one("service", "postgres")]["password"]
    with Writer(release.client().url, threads=2):
        set_password(release, "another")
        try:
            prometheus.fires(release, alert)
        finally:
            set_password(release, password)
        prometheus.resolves(release, alert)


def test_alert_after_a_failed_backup(release: Release, prometheus: Prometheus) -> None:
    """The alert resolves when the next backup succeeds."""
    name = release.one("cronjob", "backup")
    cronjob, scheduled = f"--from=cronjob/{name}", f"{name}-1"
    options = ("--dry-run=client", "--output=json")
    job = json.loads(release.namespace.kubectl("create", "job", cronjob, scheduled, *options))
    job["spec"]["backoffLimit"] = 0
    job["spec"]["template"]["spec"]["containers"][0]["command"] = ["false"]
    release.namespace.apply(job)
    prometheus.fires(release, "TasklistsBackupFailed")
    back_up(release, "good")
    prometheus.resolves(release, "TasklistsBackupFailed")


def test_alert_when_no_pod_answers(release: Release, prometheus: Prometheus) -> None:
    with broken_pods(release):
        prometheus.fires(release, "TasklistsNoReadyPod", seconds=120)
    prometheus.resolves(release, "TasklistsNoReadyPod")


def test_alert_when_there_is_no_pod(release: Release, prometheus: Prometheus) -> None:
    with scaled_to_nothing(release, "deployment", "app"):
        prometheus.fires(release, "TasklistsTargetAbsent")
    prometheus.resolves(release, "TasklistsTargetAbsent")


def test_every_expression_of_the_dashboard_has_data(
    release: Release, prometheus: Prometheus
) -> None:
    """Each expression has returned data at some time during the tests above."""
    variables = {
        "namespace": release.namespace.name,
        "instance": release.name,
        "__rate_interval": "10s",
        "__interval": "5s",
        "__range": "10m",
    }
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    targets = [target for panel in panels(dashboard) for target in panel.get("targets", [])]
    assert targets
    expressions = {replaced(target["expr"], variables) for target in targets}
    without = {each for each in expressions if not prometheus.had_data(each, seconds=900)}
    assert without == set()


def equal(release: Release, prometheus: Prometheus, load: Load) -> None:
    """Wait until the last request is scraped, then compare each counter with the requests sent."""
    total = load.sent.total()
    last = "the last request is counted"
    eventually(lambda: counted(release, prometheus).total() >= total, last, seconds=15)
    assert counted(release, prometheus) == load.sent


def counted(release: Release, prometheus: Prometheus) -> Counter[Kind]:
    """The number of requests to each pod that Prometheus has stored, deleted pods included."""
    requests = f'{REQUESTS}{{{selector(release)},http_route!~"/health/.*"}}'
    names = ("pod", "http_request_method", "http_route", "http_response_status_code")
    counts: Counter[Kind] = Counter()
    for labels, count in prometheus.query(f"max_over_time({requests}[15m]) > 0"):
        pod, method, route, status = (labels[name] for name in names)
        counts[pod, method, route, status] = int(count)
    return counts


def selector(release: Release) -> str:
    return (
        f'namespace="{release.namespace.name}",app_kubernetes_io_name="tasklists",'
        f'app_kubernetes_io_instance="{release.name}",app_kubernetes_io_component="app"'
    )


def alerts_that_fired(release: Release, prometheus: Prometheus) -> set[str]:
    firing = f'ALERTS{{alertstate="firing",namespace="{release.namespace.name}"}}'
    return {labels["alertname"] for labels, _ in prometheus.query(f"max_over_time({firing}[15m])")}


def kill_a_worker(release: Release) -> None:
    """Kill one worker of the only pod, and wait for the one that replaces it."""
    (pod,) = release.pod_names()

    def workers() -> set[int]:
        said = release.namespace.kubectl("exec", pod, "--", "python", "-c", WORKERS)
        return {int(number) for number in said.split()}

    before = workers()
    kill = f"import os; os.kill({min(before)}, 9)"
    release.namespace.kubectl("exec", pod, "--", "python", "-c", kill)

    def is_replaced() -> bool:
        now = workers()
        return min(before) not in now and len(now) == len(before)

    eventually(is_replaced, "the killed worker is replaced")


def fetch(namespace: Namespace, url: str, seconds: int, **metadata: Any) -> str:
    """Fetch a URL from a new pod; return the status, or the last error after ``seconds``.

    A NetworkPolicy may need a moment to allow what a new pod sends.
    """
    command = ("python", "-c", FETCH, url, str(seconds))
    return namespace.run_pod("visitor", "app:latest", *command, **metadata)


@contextmanager
def scaled_to_nothing(release: Release, kind: str, component: str) -> Iterator[None]:
    name = f"{kind}/{release.one(kind, component)}"
    release.namespace.kubectl("scale", name, "--replicas=0")
    try:
        yield
    finally:
        release.namespace.kubectl("scale", name, "--replicas=1")
        release.wait_until_rolled_out()


@contextmanager
def broken_pods(release: Release) -> Iterator[None]:
    """Replace all pods by pods that run but serve nothing."""
    deployment = f"deployment/{release.one('deployment')}"

    def patch(**spec: Any) -> None:
        change = json.dumps({"spec": spec})
        release.namespace.kubectl("patch", deployment, "--patch", change)

    broken = {"name": "app", "command": ["sleep", "3600"]}
    patch(
        strategy={"type": "Recreate", "rollingUpdate": None},
        template={"spec": {"containers": [broken]}},
    )
    try:
        yield
    finally:
        release.namespace.kubectl("rollout", "undo", deployment)
        patch(strategy={"type": "RollingUpdate"})
        release.wait_until_rolled_out()


def set_password(release: Release, password: str) -> None:
    """Change the password in the database, and end the sessions opened with the old one."""
    sql = (
        f"ALTER ROLE tasklists PASSWORD '{password}'; "
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tasklists'"
    )
    psql = ("psql", "--username=postgres", "--quiet", f"--command={sql}")
    release.namespace.kubectl("exec", release.one("pod", "postgres"), "--", *psql)


def panels(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every panel of a dashboard, including those in rows."""
    for panel in node.get("panels", []):
        yield panel
        yield from panels(panel)


def replaced(expression: str, variables: dict[str, str]) -> str:
    """The expression with the dashboard's variables replaced."""
    return re.sub(r"\$\{?([a-z_]\w*)(:\w+)?\}?", lambda part: variables[part[1]], expression)
