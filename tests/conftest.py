import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tasklists.models import TaskList
from tests.process import Service, reserve_port, sqlite_url
from tests.prometheus import Metrics

# The Accept header of a browser that follows a link.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """On SQLite test with a file, as the service runs, and not in memory."""
    database = settings.DATABASES["default"]
    if connection.vendor == "sqlite":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    assert (settings.STATIC_ROOT / "staticfiles.json").is_file(), "run `make staticfiles` first"


class WithoutCookies(Client):
    """Django's test client, which sends no Cookie header unless it has a cookie."""

    def _base_environ(self, **request: Any) -> dict[str, Any]:
        environ: dict[str, Any] = super()._base_environ(**request)  # type: ignore[misc]
        if not self.cookies and "HTTP_COOKIE" not in request:
            del environ["HTTP_COOKIE"]
        return environ


@pytest.fixture
def client() -> Client:
    """As most clients of the API, it is anonymous until a test logs it in."""
    return WithoutCookies()


@pytest.fixture
def browser() -> Client:
    return Client(headers={"Accept": BROWSER})


@pytest.fixture
def admin(db: None) -> Client:
    """A browser in which an administrator has logged in."""
    client = Client(headers={"Accept": BROWSER})
    client.force_login(User.objects.create_superuser("admin", password="x"))
    return client


@pytest.fixture
def task_list(db: None) -> TaskList:
    return TaskList.objects.create(name="shopping")


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """The URL of an empty database of the kind under test, for a process of its own.

    On SQLite it is a file in ``folder``.
    """
    if connection.vendor == "sqlite":
        yield sqlite_url(folder / "service.sqlite3")
        return
    name = f"service_{uuid.uuid4().hex}"
    server = psycopg2.connect(settings.DATABASE_URL)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
    with server.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    with empty_database(tmp_path) as url:
        yield url


@pytest.fixture
def execute(database_url: str) -> Callable[[str], None]:
    """Runs a statement on the service's database, behind its back."""

    def run(statement: str) -> None:
        if database_url.startswith("sqlite"):
            connection: Any = sqlite3.connect(unquote(urlsplit(database_url).path))
        else:
            connection = psycopg2.connect(database_url)
        connection.cursor().execute(statement)
        connection.commit()
        connection.close()

    return run


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One ``manage.py serve`` for a module, whose tests expect nothing of its lists.

    None of them may leave an error in its log.
    """
    folder = tmp_path_factory.mktemp("service")
    with empty_database(folder) as url, Service({"DATABASE_URL": url}) as started:
        yield started
        assert not [line for line in started.records() if line["level"] in ("error", "critical")]


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    """The metrics of the service that the test starts with METRICS_PORT=str(metrics.port)."""
    with reserve_port() as reservation:
        yield Metrics(reservation.getsockname()[1])


@pytest.fixture
def serve(database_url: str) -> Iterator[Callable[..., Service]]:
    """Starts ``manage.py serve`` on a free port, with variables as keywords; ends it afterwards."""
    with ExitStack() as services:

        def start(**variables: str) -> Service:
            variables = {"DATABASE_URL": database_url} | variables
            return services.enter_context(Service(variables))

        yield start
