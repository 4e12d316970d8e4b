"""Liveness and readiness, answered before ALLOWED_HOSTS and any redirect."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse

from service.errors import Problem, one_line, unavailable

DATABASE_TIMEOUT = 2  # seconds


class HealthMiddleware:
    """``/health/live`` looks at the process alone, ``/health/ready`` at the database too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.database = DatabaseProbe()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info.removesuffix("/")
        if path not in ("/health/live", "/health/ready"):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            problem = Problem(405, "Health is read with GET.", headers={"Allow": "GET, HEAD"})
            return problem.response(request)
        reason = self.database.fault() if path == "/health/ready" else None
        if reason:
            response = unavailable(reason).response(request)
        else:
            response = JsonResponse({"status": "ok"})
        response["Cache-Control"] = "no-store"
        return response


class DatabaseProbe:
    """Asks the database from a thread of its own, so that an answer never takes longer.

    Callers who come while a question is under way share its answer.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.executor: ThreadPoolExecutor | None = None  # made after the server has forked
        self.question: Future[str | None] | None = None

    def fault(self) -> str | None:
        """Why the database cannot be used, or None; within DATABASE_TIMEOUT seconds."""
        with self.lock:
            if self.question is None or self.question.done():
                self.executor = self.executor or ThreadPoolExecutor(1, "database-probe")
                self.question = self.executor.submit(ask_database)
            question = self.question
        try:
            return question.result(timeout=DATABASE_TIMEOUT)
        except TimeoutError:
            return f"The database did not answer within {DATABASE_TIMEOUT} s."


@cache
def migrations_of_this_version() -> frozenset[tuple[str, str]]:
    """The application and name of each; files of a running process do not change."""
    return frozenset(MigrationLoader(None).disk_migrations)


def ask_database() -> str | None:
    """Why the database cannot be used, or None; on a connection that is opened for it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        applied = MigrationRecorder(connection).applied_migrations()
    except Error as error:
        return f"The database does not answer: {one_line(error)}"
    finally:
        connection.close()
    missing = migrations_of_this_version() - applied.keys()
    if missing:
        return f"{len(missing)} migrations are not applied; run `python manage.py migrate`."
    return None
