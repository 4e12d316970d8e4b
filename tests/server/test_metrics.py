"""The metrics match the requests that were sent, even if worker processes end or are killed."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from django.templatetags.static import static

from server import metrics as server_metrics
from server.metrics import MAX_COMBINATIONS
from server.metrics_directory import PARENT
from server.queue import MAX_WAIT
from tests.load import eventually
from tests.process import ROOT, Service, manage, reserve_port
from tests.prometheus import (
    REQUESTS,
    Metrics,
    Prometheus,
    Series,
    program,
    requests_of,
    series,
)
from tests.server.test_overload import writes_blocked
from tests.wire import HANG, connect, post, receive, receive_all, request

pytestmark = pytest.mark.once(on="sqlite")

Serve = Callable[..., Service]


READY = requests_of("GET", "/health/ready", 200)
WORKERS = series("tasklists_workers")


@pytest.fixture
def measured(serve: Serve, metrics: Metrics) -> Service:
    """A service whose workers have set their gauges and counted the first readiness probe."""
    service = serve(METRICS_PORT=str(metrics.port))
    metrics.wait_for({READY: 1, WORKERS: 2})
    return service


def directory(service: Service) -> Path:
    """The directory in which the service's processes keep their metrics."""
    [found] = {
        Path(file.path).parent
        for file in service.workers()[0].memory_maps()
        if "tasklists-metrics-" in file.path
    }
    return found


def call(service: Service, method: str, path: str, **options: Any) -> requests.Response:
    return requests.request(method, service.url + path, timeout=HANG, **options)


def test_each_request_is_counted_by_method_route_and_status(
    measured: Service, metrics: Metrics
) -> None:
    before = metrics.read()
    created = call(measured, "POST", "/lists", json={"name": "shopping"}).json()["id"]
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/", {}),
        ("GET", "/lists", {}),
        ("GET", "/lists/", {}),
        ("GET", f"/lists/{created}", {}),
        ("GET", f"/lists/{created}/tasks", {}),
        ("POST", f"/lists/{created}/tasks", {"json": {}}),
        ("GET", "/lists/4000", {}),
        ("HEAD", "/health/ready", {}),
        ("GET", "/health/live", {}),
        ("GET", "/admin/tasklists/tasklist/7/change/", {"allow_redirects": False}),
        ("GET", "/nothing", {}),
        ("GET", "/list", {}),  # whose answer names /lists
        ("FROB", "/lists", {}),
        ("GET", static("tasklists/page.css"), {}),
        ("GET", "/static/none.css", {}),
    ]
    for method, path, options in calls:
        call(measured, method, path, **options)
    with connect(measured) as client:
        client.sendall(b"GET /lists HTTP/1.1\r\n\r\n")  # no Host
        assert receive(client)

    expected: dict[Series, float] = {
        requests_of("POST", "/lists", 201): 1,
        requests_of("GET", "/", 200): 1,
        requests_of("GET", "/lists", 200): 2,
        requests_of("GET", "/lists/{pk}", 200): 1,
        requests_of("GET", "/lists/{list_id}/tasks", 200): 1,
        requests_of("POST", "/lists/{list_id}/tasks", 400): 1,
        requests_of("GET", "/lists/{pk}", 404): 1,
        requests_of("HEAD", "/health/ready", 200): 1,
        requests_of("GET", "/health/live", 200): 1,
        requests_of("GET", "/admin/{page}", 302): 1,
        requests_of("GET", "_OTHER", 404): 3,
        requests_of("_OTHER", "/lists", 405): 1,
        requests_of("GET", "/static/{file}", 200): 1,
        requests_of("_OTHER", "_OTHER", 400): 1,
    }
    values = metrics.wait_for(expected)
    counted = {each for each, value in values.items() if value > before.get(each, 0)}
    assert {each for each in counted if each[0] == REQUESTS} == expected.keys()


def test_invented_paths_methods_and_headers_make_no_series(
    measured: Service, metrics: Metrics
) -> None:
    def attack(number: int) -> None:
        call(measured, "GET", f"/lists/{number}/{number}")
        call(measured, "GET", f"/static/{number}.css")
        call(measured, "GET", f"/admin/{number}/{number}/", allow_redirects=False)
        call(measured, "GET", "/lists", headers={"Host": f"host-{number}", "X": str(number)})
        call(measured, f"METHOD{number}", f"/{number}")

    def total(values: dict[Series, float]) -> float:
        return sum(value for each, value in values.items() if each[0] == REQUESTS)

    attack(0)
    eventually(lambda: total(metrics.read()) == 1 + 5, "the first attack's requests")
    before = metrics.read()
    with ThreadPoolExecutor(4) as executor:  # fewer than would have to wait for a thread
        list(executor.map(attack, range(1, 200)))
    eventually(lambda: total(metrics.read()) == 1 + 5 * 200, "all requests")
    assert metrics.read().keys() == before.keys()


def test_a_worker_has_a_limited_number_of_series(monkeypatch: pytest.MonkeyPatch) -> None:
    durations: dict[tuple[str, str, int], Any] = {}
    monkeypatch.setattr(server_metrics, "_durations", durations)
    for number in range(2 * MAX_COMBINATIONS):
        server_metrics.count_request("GET", f"/{number}", 200, 0.1)
        server_metrics.count_request(f"METHOD{number}", None, 404, 0.1)
    server_metrics.REQUEST_DURATION.clear()
    assert len(durations) == MAX_COMBINATIONS + 1  # the last is GET of further routes
    assert ("_OTHER", "_OTHER", 200) in durations


def test_a_request_that_never_became_complete_is_not_slow(
    measured: Service, metrics: Metrics
) -> None:
    with connect(measured) as client:
        client.sendall(b"POST /lists HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        time.sleep(0.5)  # a client takes its time
        client.shutdown(socket.SHUT_WR)
        receive_all(client)
    refused = requests_of("POST", "_OTHER", 400)
    values = metrics.wait_for({refused: 1})
    assert values[REQUESTS.replace("_count", "_sum"), refused[1]] < 0.4


def test_counts_never_fall_while_workers_are_killed_and_each_kill_loses_one_at_most(
    serve: Serve, metrics: Metrics
) -> None:
    """The request that a killed worker was handling gets no answer and may not be counted."""
    service = serve(METRICS_PORT=str(metrics.port), WEB_CONCURRENCY="3")
    ended = threading.Event()
    counted_as = requests_of("GET", "/lists", 200)

    def ask() -> Counter[str]:
        results: Counter[str] = Counter()
        while not ended.is_set():
            try:
                assert call(service, "GET", "/lists").status_code == 200
                results["answered"] += 1
            except requests.ConnectionError:
                results["lost"] += 1
        return results

    def watch() -> list[float]:
        values = []
        while not ended.is_set():
            with suppress(requests.RequestException):  # the worker that was asked is killed
                values.append(metrics.read().get(counted_as, 0))
        return values

    with ThreadPoolExecutor(5) as executor:
        asking = [executor.submit(ask) for _ in range(4)]
        watching = executor.submit(watch)
        try:
            for _ in range(4):
                worker = service.workers()[0]
                value = metrics.read().get(counted_as, 0)
                eventually(
                    lambda value=value: metrics.read().get(counted_as, 0) > value + 20,  # type: ignore[misc]
                    "requests",
                )
                worker.kill()
                worker.wait(HANG)
        finally:
            ended.set()
    results = sum((each.result() for each in asking), Counter())
    values = watching.result()
    assert values == sorted(values)
    assert values[0] < values[-1]
    # A worker may be killed between sending a response and counting it.
    eventually(
        lambda: -results["lost"] <= results["answered"] - metrics.read()[counted_as] <= 4,
        f"counts of {results}",
    )


def test_counts_are_exact_to_the_request_after_workers_are_replaced(
    serve: Serve, metrics: Metrics
) -> None:
    service = serve(METRICS_PORT=str(metrics.port))
    for _ in range(3):
        for worker in service.workers():
            worker.kill()
            worker.wait(HANG)
        before = set(service.workers())
        with ThreadPoolExecutor(4) as executor:
            answers = list(executor.map(lambda _: call(service, "GET", "/lists"), range(100)))
        assert {answer.status_code for answer in answers} == {200}
        assert set(service.workers()) == before
    metrics.wait_for({requests_of("GET", "/lists", 200): 300})
    metrics.wait_for({WORKERS: 2, series("tasklists_threads"): 8})
    files = sorted(file.name for file in directory(service).iterdir())
    assert files == sorted(
        f"{kind}_a-{process}.db"
        for kind in ("counter", "gauge_livesum", "histogram")
        for process in ("0", "1", "arbiter")
    )


def test_workers_that_sighup_replaces_go_on_counting(serve: Serve, metrics: Metrics) -> None:
    service = serve(METRICS_PORT=str(metrics.port))
    first = service.workers()
    assert call(service, "GET", "/lists").status_code == 200
    service.process.send_signal(signal.SIGHUP)
    psutil.wait_procs(first, HANG)
    assert not set(first) & set(service.workers())
    assert call(service, "GET", "/lists").status_code == 200
    metrics.wait_for({requests_of("GET", "/lists", 200): 2, WORKERS: 2})


def test_an_arbiter_that_sigusr2_starts_goes_on_counting(serve: Serve, metrics: Metrics) -> None:
    service = serve(METRICS_PORT=str(metrics.port), WEB_CONCURRENCY="1")
    old = psutil.Process(service.process.pid)
    folder = directory(service)
    assert call(service, "GET", "/lists").status_code == 200
    service.process.send_signal(signal.SIGUSR2)
    eventually(lambda: len(old.children(recursive=True)) == 3, "another arbiter with its worker")
    [new] = [child for child in old.children() if child.children()]
    try:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(HANG) == 0
        assert call(service, "GET", "/lists").status_code == 200
        metrics.wait_for({requests_of("GET", "/lists", 200): 2, WORKERS: 1})
    finally:
        new.terminate()
        psutil.wait_procs([new], HANG)
    assert not folder.exists()


def test_a_directory_that_nobody_uses_is_deleted_at_the_next_start(
    serve: Serve, metrics: Metrics
) -> None:
    first = serve(METRICS_PORT=str(metrics.port))
    abandoned = directory(first)
    processes = [first.process.pid, *(worker.pid for worker in first.workers())]
    for process in processes:
        os.kill(process, signal.SIGKILL)
    first.process.wait(HANG)
    assert abandoned.exists()
    with reserve_port() as reservation:
        other = Metrics(reservation.getsockname()[1])
        second = serve(METRICS_PORT=str(other.port))
        third = serve(METRICS_PORT=str(metrics.port))
        assert not abandoned.exists()
        used = {directory(second), directory(third)}
        assert len(used) == 2
        assert requests_of("GET", "/lists", 200) not in other.read()
    for service in (second, third):
        service.process.terminate()
        service.process.wait(HANG)
    assert not [folder for folder in used if folder.exists()]


def test_without_the_port_nothing_is_kept_and_nothing_listens(serve: Serve) -> None:
    service = serve()
    assert call(service, "GET", "/metrics").status_code == 404
    [worker, *_] = service.workers()
    assert not [file for file in worker.memory_maps() if "tasklists-metrics-" in file.path]
    listening = [each for each in worker.net_connections() if each.status == psutil.CONN_LISTEN]
    assert {each.laddr.port for each in listening} == {service.port}


def test_metrics_are_on_their_own_port_and_nothing_else_is(
    measured: Service, metrics: Metrics
) -> None:
    assert call(measured, "GET", "/metrics").status_code == 404
    before = metrics.wait_for({requests_of("GET", "_OTHER", 404): 1})
    for path in ("/", "/lists", "/health/live", "/health/ready", "/admin/"):
        answer = requests.get(f"http://127.0.0.1:{metrics.port}{path}", timeout=HANG)
        assert (answer.status_code, answer.text) == (404, "The metrics are at /metrics.\n")
    assert requests.post(metrics.url, timeout=HANG).status_code == 405
    answer = requests.head(metrics.url, timeout=HANG)
    assert (answer.status_code, answer.content) == (200, b"")
    # GET and HEAD of the metrics have looked at the database.
    connections = series("tasklists_database_connections_opened_total")
    assert metrics.read() == before | {connections: before[connections] + 2}


def test_malformed_and_slow_scrapes_are_refused_as_other_requests_are(
    serve: Serve, metrics: Metrics
) -> None:
    service = serve(METRICS_PORT=str(metrics.port), CLIENT_TIMEOUT="1")
    scrapes = copy(service)
    scrapes.port = metrics.port
    with connect(scrapes) as client, connect(scrapes) as slow:
        slow.sendall(b"GET /metr")
        client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")  # no Host
        answer = receive(client)
        assert answer
        assert answer.status == 400
        answer = receive(slow)
        assert answer
        assert answer.status == 408
    assert "_OTHER" not in metrics.text()  # they are not counted


def test_scrapes_are_logged_at_debug_level_only(serve: Serve, metrics: Metrics) -> None:
    service = serve(METRICS_PORT=str(metrics.port), WEB_CONCURRENCY="1")
    metrics.text()
    metrics.text()  # the thread for scrapes logs the first one before it answers this one
    assert call(service, "GET", "/metrics").status_code == 404

    def logged() -> list[tuple[str, int]]:
        lines = [line for line in service.records() if line["message"] == "request"]
        return [(line["path"], line["status"]) for line in lines]

    eventually(logged, "the line of the request to the service's port")
    assert logged() == [("/metrics", 404)]


def test_busy_threads_and_waiting_requests_are_seen(
    serve: Serve, metrics: Metrics, database_url: str
) -> None:
    """Scrapes are answered although no thread is free."""
    service = serve(METRICS_PORT=str(metrics.port), WEB_CONCURRENCY="1", THREADS="2")
    assert metrics.value("tasklists_threads_busy") == 0
    with ThreadPoolExecutor(2) as executor:
        with writes_blocked(database_url):
            writing = [
                executor.submit(call, service, "POST", "/lists", json={"name": "x"})
                for _ in range(2)
            ]
            eventually(lambda: metrics.value("tasklists_threads_busy") == 2, "two busy threads")
            assert metrics.value("http_server_active_requests") >= 2
            assert metrics.value("tasklists_threads") == 2
            assert call(service, "GET", "/lists").status_code == 503
            shed = series("tasklists_requests_shed_total")
            metrics.wait_for({shed: 1, requests_of("GET", "_OTHER", 503): 1})
        assert {each.result().status_code for each in writing} == {201}
    eventually(lambda: metrics.value("tasklists_threads_busy") == 0, "free threads")
    values = metrics.wait_for({requests_of("POST", "/lists", 201): 2})
    waits = "tasklists_thread_wait_seconds"
    # Two writers got a thread at once, and one reader waited for MAX_WAIT.
    assert values[series(f"{waits}_bucket", le="0.5")] == values[series(f"{waits}_count")] - 1
    assert values[series(f"{waits}_bucket", le="1.0")] == values[series(f"{waits}_count")]


def test_the_time_of_a_request_includes_its_wait_for_a_thread(
    serve: Serve, metrics: Metrics, database_url: str
) -> None:
    service = serve(METRICS_PORT=str(metrics.port), WEB_CONCURRENCY="1", THREADS="1")
    with ThreadPoolExecutor(1) as executor:
        with writes_blocked(database_url):
            writing = executor.submit(call, service, "POST", "/lists", json={"name": "x"})
            eventually(lambda: metrics.value("tasklists_threads_busy") == 1, "a busy thread")
            assert call(service, "GET", "/lists").status_code == 503
        assert writing.result().status_code == 201
    values = metrics.wait_for({requests_of("GET", "_OTHER", 503): 1})
    labels = dict(requests_of("GET", "_OTHER", 503)[1])
    assert values[series("http_server_request_duration_seconds_sum", **labels)] >= MAX_WAIT
    assert values[series("tasklists_thread_wait_seconds_sum")] >= MAX_WAIT


def test_a_client_that_reads_slowly_does_not_make_its_request_slow(
    serve: Serve, metrics: Metrics, execute: Callable[[str], None]
) -> None:
    """The duration ends when the server first has to wait for the client to read."""
    service = serve(METRICS_PORT=str(metrics.port))
    for _ in range(1000):
        execute(
            "INSERT INTO tasklists_tasklist (name, created_at, updated_at, version)"
            f" VALUES ('{'x' * 255}', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', 1)"
        )
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", service.port))
        for _ in range(29):
            client.sendall(request("GET", "/lists?limit=1000"))
        client.sendall(request("GET", "/lists?limit=1000", "Connection: close"))
        time.sleep(2)
        assert receive_all(client).count(b"HTTP/1.1 200 OK") == 30
    values = metrics.wait_for({requests_of("GET", "/lists", 200): 30})
    bucket = dict(requests_of("GET", "/lists", 200)[1]) | {"le": "1.0"}
    name = "http_server_request_duration_seconds_bucket"
    assert values[series(name, **bucket)] == 30


def test_a_repeated_key_is_counted(measured: Service, metrics: Metrics) -> None:
    options = {"json": {"name": "shopping"}, "headers": {"Idempotency-Key": "one"}}
    assert call(measured, "POST", "/lists", **options).status_code == 201
    assert metrics.value("tasklists_idempotent_replays_total") == 0
    for _ in range(3):
        assert call(measured, "POST", "/lists", **options).status_code == 201
    assert call(measured, "POST", "/lists", **options | {"json": {"name": "x"}}).status_code == 422
    assert metrics.value("tasklists_idempotent_replays_total") == 3


def test_the_version_and_the_migrations_are_shown(serve: Serve, metrics: Metrics) -> None:
    serve(METRICS_PORT=str(metrics.port), REVISION="0123abc")
    [(_, labels)] = [each for each in metrics.read() if each[0] == "tasklists_build_info"]
    assert dict(labels)["revision"] == "0123abc"
    assert dict(labels).keys() == {"version", "revision", "python"}
    assert metrics.value("tasklists_database_up") == 1
    assert metrics.value("tasklists_migrations_applied") > 20
    assert metrics.value("tasklists_migrations_missing") == 0


def test_a_migration_that_is_missing_is_shown(
    serve: Serve, metrics: Metrics, execute: Callable[[str], None]
) -> None:
    serve(METRICS_PORT=str(metrics.port))
    execute("DELETE FROM django_migrations WHERE app = 'tasklists' AND name LIKE '0002%'")
    assert metrics.value("tasklists_migrations_missing") == 1
    assert metrics.value("tasklists_database_up") == 0


def test_two_services_cannot_share_the_port(serve: Serve, metrics: Metrics) -> None:
    service = serve(METRICS_PORT=str(metrics.port))
    url = service.variables["DATABASE_URL"]
    with reserve_port() as reservation:
        port = str(reservation.getsockname()[1])
        ended = manage("serve", DATABASE_URL=url, PORT=port, METRICS_PORT=str(metrics.port))
    assert ended.returncode == 1
    assert f"cannot listen on METRICS_PORT {metrics.port}" in ended.stdout
    assert metrics.text()


def test_metrics_on_the_port_of_the_service_are_refused(database_url: str) -> None:
    ended = manage("serve", DATABASE_URL=database_url, PORT="5000", METRICS_PORT="5000")
    assert ended.returncode == 1
    assert "service.E014" in ended.stdout


def test_every_metric_is_documented_and_nothing_else(measured: Service, metrics: Metrics) -> None:
    served = {re.sub("_(bucket|sum|count)$", "", name) for name, _ in metrics.read()}
    text = (ROOT / "docs" / "monitoring.md").read_text()
    rows = re.findall(r"^\| (`(?:http_|tasklists_).*?) \|", text, re.MULTILINE)
    assert set(re.findall("`(.*?)`", " ".join(rows))) == served


def test_the_format_is_one_that_promtool_accepts(measured: Service, metrics: Metrics) -> None:
    assert call(measured, "GET", "/lists").status_code == 200
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=metrics.text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_prometheus_counts_what_clients_sent(
    measured: Service, metrics: Metrics, tmp_path: Path
) -> None:
    with Prometheus(tmp_path, f"127.0.0.1:{metrics.port}") as prometheus:
        prometheus.wait_for("up", lambda value: value == 1)
        with requests.Session() as session:
            for number in range(200):
                name = {"name": "x" if number % 4 else ""}
                session.post(f"{measured.url}/lists", json=name, timeout=HANG)
        total = f'sum({REQUESTS}{{http_route="/lists"}})'
        prometheus.wait_for(total, lambda value: value == 200)
        assert [
            (labels["http_response_status_code"], value)
            for labels, value in prometheus.query(
                f"sort(sum by (http_response_status_code) ({REQUESTS}))"
            )
            if labels["http_response_status_code"] != "200"  # the probe of the test
        ] == [("400", 50), ("201", 150)]
        buckets = 'http_server_request_duration_seconds_bucket{http_request_method="POST"}'
        quantiles = prometheus.query(f"histogram_quantile(0.99, {buckets})")
        assert all(0 < value < HANG for _, value in quantiles)
        assert len(quantiles) == 2  # one for each status


def test_the_directory_for_metrics_is_private(measured: Service) -> None:
    folder = directory(measured)
    assert folder.parent == PARENT
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("path", ["/lists", "/nothing", "/health/ready"])
def test_the_access_log_has_the_trace_id_of_a_request(serve: Serve, path: str) -> None:
    service = serve(LOG_LEVEL="debug")

    def logged(identifier: str) -> list[dict[str, Any]]:
        lines = [line for line in service.records() if line["message"] == "request"]
        return [line for line in lines if line["request_id"] == identifier]

    trace = "0af7651916cd43dd8448eb211c80319c"
    traceparents = {"valid": f"00-{trace}-b7ad6b7169203331-01", "invalid": "00-1-2-3"}
    for identifier, traceparent in traceparents.items():
        headers = {"X-Request-ID": identifier, "traceparent": traceparent}
        call(service, "GET", path, headers=headers)
        eventually(partial(logged, identifier), "the line of the request")
    assert [line["trace_id"] for line in logged("valid")] == [trace]
    assert not [line for line in logged("invalid") if "trace_id" in line]


def test_what_the_application_logs_of_a_traced_request_has_its_trace_id(
    serve: Serve, execute: Callable[[str], None]
) -> None:
    service = serve()
    execute("DROP TABLE tasklists_task")
    execute("DROP TABLE tasklists_tasklist")
    trace = "0af7651916cd43dd8448eb211c80319c"
    header = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    assert call(service, "GET", "/lists", headers=header).status_code == 503
    assert call(service, "GET", "/lists").status_code == 503
    lines = [line for line in service.records() if "unavailable" in line["message"]]
    assert [line.get("trace_id") for line in lines] == [trace, None]


def test_pipelined_requests_are_counted_one_by_one(measured: Service, metrics: Metrics) -> None:
    with connect(measured) as client:
        client.sendall(post(b'{"name": "a"}') + post(b'{"name": "b"}') + post(b"{}"))
        statuses = [answer.status for _ in range(3) if (answer := receive(client))]
    assert statuses == [201, 201, 400]
    created, refused = (requests_of("POST", "/lists", status) for status in (201, 400))
    metrics.wait_for({created: 2, refused: 1})
