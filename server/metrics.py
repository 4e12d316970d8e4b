"""The metrics of requests and threads, and the application on METRICS_PORT that serves them all.

The names of HTTP metrics are those of OpenTelemetry's semantic conventions:
https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
"""

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector

from server import metrics_directory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/metrics"
OTHER = "_OTHER"  # the label of an unknown method, and of a path that matches no route
METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
# Seconds. 0.3 is the limit of the service level objective (docs/monitoring.md).
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)

ENABLED = bool(settings.METRICS_PORT)

REQUEST_DURATION_NAME = "http_server_request_duration_seconds"
REQUEST_LABELS = ("http_request_method", "http_route", "http_response_status_code")

REQUEST_DURATION = Histogram(
    REQUEST_DURATION_NAME,
    "Time from a complete request to its response, waiting for a thread included.",
    REQUEST_LABELS,
    buckets=BUCKETS,
)
THREAD_WAIT = Histogram(
    "thread_wait_seconds",
    "Time that requests waited for a thread.",
    buckets=BUCKETS,
    namespace=settings.SERVICE_NAME,
)
SHED = Counter(
    "requests_shed",
    "Requests answered with 503 because no thread was free in time.",
    namespace=settings.SERVICE_NAME,
)
# These are set once a second (Worker.run): to increment and decrement them with each request would
# double the cost of the metrics.
ACTIVE_REQUESTS = Gauge(
    "http_server_active_requests",
    "Requests that wait for a thread or are being handled.",
    multiprocess_mode="livesum",
)
THREADS = Gauge(
    "threads",
    "Threads that handle requests.",
    multiprocess_mode="livesum",
    namespace=settings.SERVICE_NAME,
)
THREADS_BUSY = Gauge(
    "threads_busy",
    "Threads that are handling a request.",
    multiprocess_mode="livesum",
    namespace=settings.SERVICE_NAME,
)
WORKERS = Gauge(
    "workers",
    "Worker processes.",
    multiprocess_mode="livesum",
    namespace=settings.SERVICE_NAME,
)

# Finding the series here takes a fifth of what Histogram.labels() takes.
_durations: dict[tuple[str, str, int], Histogram] = {}
# Combinations of method, route and status, for which metrics_directory reserves room. An ordinary
# service has fewer than 60; a client that tries all methods, headers and bodies makes 200.
MAX_COMBINATIONS = 200


def count_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request whose response was sent, or whose client has left."""
    duration = _durations.get((method, route or OTHER, status))
    if duration is None:
        duration = find_duration(method if method in METHODS else OTHER, route or OTHER, status)
    duration.observe(seconds)


def find_duration(method: str, route: str, status: int) -> Histogram:
    """The series of these labels, or that of OTHER if there are MAX_COMBINATIONS already."""
    key = (method, route, status)
    if key not in _durations and len(_durations) >= MAX_COMBINATIONS:
        key = (OTHER, OTHER, status)
    if key not in _durations:
        _durations[key] = REQUEST_DURATION.labels(*key)
    return _durations[key]


def resume() -> None:
    """Take up the previous worker's series in this slot; they count towards MAX_COMBINATIONS."""
    for name, labels in metrics_directory.series("histogram"):
        if name == f"{REQUEST_DURATION_NAME}_sum":
            method, route, status = (labels[label] for label in REQUEST_LABELS)
            find_duration(method, route, int(status))


class Application:
    """The WSGI application on METRICS_PORT, which answers GET and HEAD of /metrics only."""

    def __init__(self) -> None:
        registry = CollectorRegistry(support_collectors_without_names=True)
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        for path in settings.METRICS_COLLECTORS:
            registry.register(import_string(path)())
        self.metrics = make_wsgi_app(registry)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        if environ["PATH_INFO"] == PATH and environ["REQUEST_METHOD"] == "HEAD":
            self.metrics({**environ, "REQUEST_METHOD": "GET"}, start_response)
            return []
        if environ["PATH_INFO"] == PATH:
            return self.metrics(environ, start_response)  # type: ignore[no-any-return]
        body = f"The metrics are at {PATH}.\n".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("404 Not Found", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
