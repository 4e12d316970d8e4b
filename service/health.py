"""Liveness and readiness probes."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import structlog
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse

from service.database import missing_rights, refused_writes, wrong_encoding
from service.errors import Problem, one_line, unavailable
from service.routes import HEALTH_PATHS, ROUTE

DATABASE_TIMEOUT = 2  # seconds

logger = structlog.get_logger(__name__)


class Fault(NamedTuple):
    """Why the database cannot be used: ``detail`` for any client, and ``cause`` for the log.

    The cause is the database's own message, which names its host, the database and the role.
    """

    detail: str
    cause: str | None = None


class State(NamedTuple):
    """What a check has found. The numbers of migrations are None if they are unknown."""

    fault: Fault | None
    applied: int | None = None
    missing: int | None = None


class HealthMiddleware:
    """Answer ``/health/live``, which checks the process, and ``/health/ready``, the database too.

    It comes early in settings.MIDDLEWARE, because probes use the Pod's address as Host and plain
    HTTP: ALLOWED_HOSTS and the redirect to HTTPS must not apply to them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info.removesuffix("/")
        if path not in HEALTH_PATHS:
            return self.get_response(request)
        request.META[ROUTE] = path
        if request.method not in ("GET", "HEAD"):
            problem = Problem(
                405, "Health checks support GET and HEAD.", headers={"Allow": "GET, HEAD"}
            )
            return problem.response(request)
        fault = database_probe.state().fault if path == "/health/ready" else None
        if fault:
            response = unavailable(fault.detail).response(request)
        else:
            response = JsonResponse({"status": "ok"})
        response["Cache-Control"] = "no-store"
        return response


class DatabaseProbe:
    """Checks the database in a separate thread, so that a caller waits for a limited time.

    Callers that arrive during a check share its result. A fault that differs from the one before
    is logged.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.executor: ThreadPoolExecutor | None = None  # threads do not survive a fork
        self.check: Future[State] | None = None
        self.last: Fault | None = None

    def state(self) -> State:
        """Check the database, or join a check that runs. Takes DATABASE_TIMEOUT seconds at most."""
        with self.lock:
            if self.check is None or self.check.done():
                self.executor = self.executor or ThreadPoolExecutor(1, "database-probe")
                self.check = self.executor.submit(check_database)
            check = self.check
        try:
            state = check.result(timeout=DATABASE_TIMEOUT)
        except TimeoutError:
            state = State(Fault(f"The database did not answer within {DATABASE_TIMEOUT} s."))
        fault = state.fault
        with self.lock:
            changed, self.last = fault != self.last, fault
        if changed and fault:
            logger.warning("not ready", reason=fault.detail, error=fault.cause)
        elif changed:
            logger.info("ready again")
        return state


database_probe = DatabaseProbe()  # for health checks and metrics of this process


@cache
def migrations_of_this_version() -> frozenset[tuple[str, str]]:
    """The app label and name of each migration. Cached, because the files never change."""
    return frozenset(MigrationLoader(None).disk_migrations)


def check_database() -> State:
    """Check whether the database can be used, on a connection opened for this check."""
    try:
        if detail := wrong_encoding(connection) or refused_writes(connection):
            return State(Fault(detail))
        applied = MigrationRecorder(connection).applied_migrations()
        forbidden = missing_rights(connection)
    except Error as error:
        return State(Fault("The database is unavailable.", one_line(error)))
    finally:
        connection.close()
    known = migrations_of_this_version()
    missing = len(known - applied.keys())
    fault = None
    if missing:
        fault = Fault(f"Migrations not applied: {missing}. Run `python manage.py migrate`.")
    elif forbidden:
        cause = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(forbidden)} TO the role"
        fault = Fault("The database's role may not write to all tables.", cause)
    return State(fault, len(known) - missing, missing)
