"""From a database URL to a connection: what is accepted, and what is in force on it."""

import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg2
import psycopg2.extensions
import pytest
import requests
from django.conf import settings
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from project.database import from_url
from project.environment import InvalidValue
from service.deadlines import Deadlines
from tests.load import eventually
from tests.process import ROOT, Service, environment, free_port, sqlite_url
from tests.wire import HANG

KEEPALIVES = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2}


def configuration(url: str, **changes: Any) -> dict[str, Any]:
    defaults = {"conn_max_age": 60, "connect_timeout": 3, "statement_timeout": 10}
    return from_url("SOME_URL", url, **(defaults | changes))


@pytest.fixture(autouse=True)
def connections_of_our_own(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let these tests connect: not to the database under test, but with its settings."""
    with django_db_blocker.unblock():
        yield


@contextmanager
def connected(url: str, **changes: Any) -> Iterator[BaseDatabaseWrapper]:
    wrapper = ConnectionHandler({"default": configuration(url, **changes)})["default"]
    try:
        yield wrapper
    finally:
        wrapper.close()


@pytest.fixture
def postgresql_url() -> str:
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL, on which the suite runs as well")
    return settings.DATABASE_URL


@pytest.fixture
def set_wait_callback() -> Iterator[Callable[[Deadlines], None]]:
    before = psycopg2.extensions.get_wait_callback()
    yield psycopg2.extensions.set_wait_callback
    psycopg2.extensions.set_wait_callback(before)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_every_part_of_a_postgresql_url_is_taken(scheme: str) -> None:
    parsed = configuration(f"{scheme}://us%40er:p%2Fa%23ss@db.example:6432/na%20me")
    assert parsed["ENGINE"] == "service.postgresql"
    assert parsed["USER"] == "us@er"
    assert parsed["PASSWORD"] == "p/a#ss"
    assert parsed["HOST"] == "db.example"
    assert parsed["PORT"] == "6432"
    assert parsed["NAME"] == "na me"
    assert parsed["CONN_MAX_AGE"] == 60
    assert parsed["CONN_HEALTH_CHECKS"] is True
    assert parsed["OPTIONS"] == KEEPALIVES | {
        "connect_timeout": 3,
        "options": "-c statement_timeout=10s",
    }


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://[2001:db8::1]/name", "2001:db8::1", ""),
        ("postgresql:///name?host=/run/postgresql", "/run/postgresql", ""),
        ("postgresql://%2Frun%2Fpostgresql/name", "/run/postgresql", ""),
        ("postgresql://user:p@h1:5432,h2:5433/name", "h1,h2", "5432,5433"),
        ("postgresql://user:p@h1,h2/name", "h1,h2", ","),
        ("postgresql://user:p@h1,[::1]:6/name", "h1,::1", ",6"),
        ("postgresql:///name?host=h1,h2&port=6", "h1,h2", "6"),
    ],
)
def test_hosts_are_read_as_libpq_reads_them(url: str, host: str, port: str) -> None:
    parsed = configuration(f"{url}{'&' if '?' in url else '?'}target_session_attrs=read-write")
    assert (parsed["HOST"], parsed["PORT"], parsed["NAME"]) == (host, port, "name")
    assert parsed["OPTIONS"]["target_session_attrs"] == "read-write"


@pytest.mark.parametrize("password", ["#2", "2?x=y&z", ":2", "[2]", "2;,", "pass word"])
def test_a_password_may_have_the_characters_that_libpq_takes(password: str) -> None:
    parsed = configuration(f"postgresql://user:{password}@db:5432/name")
    assert (parsed["PASSWORD"], parsed["HOST"], parsed["PORT"]) == (password, "db", "5432")


def test_options_of_the_url_are_kept_and_go_first() -> None:
    options = configuration(
        "postgresql://db/tasklists?sslmode=verify-full&sslrootcert=/ca.crt&connect_timeout=7"
        "&application_name=lists&options=-c%20search_path%3Dmine&keepalives_idle=60"
    )["OPTIONS"]
    assert options == KEEPALIVES | {
        "keepalives_idle": "60",
        "sslmode": "verify-full",
        "sslrootcert": "/ca.crt",
        "connect_timeout": "7",
        "application_name": "lists",
        "options": "-c search_path=mine -c statement_timeout=10s",
    }


def test_a_statement_timeout_of_0_sets_none() -> None:
    assert "options" not in configuration("postgresql://db/name", statement_timeout=0)["OPTIONS"]


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://user@db/name", "joined"),
        ("postgresql://user:@db/name", "joined"),
        ("postgresql://user:own@db/name", "own"),
        ("postgresql://user@db/name?password=own", "own"),
    ],
)
def test_the_password_is_joined_where_the_url_has_none(url: str, password: str) -> None:
    assert configuration(url, password="joined")["PASSWORD"] == password


def test_a_relative_sqlite_file_is_in_the_projects_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert configuration("sqlite:///lists.sqlite3")["NAME"] == str(ROOT / "lists.sqlite3")
    assert configuration("sqlite:////data/a%20b.sqlite3")["NAME"] == "/data/a b.sqlite3"
    assert configuration("sqlite:///:memory:")["NAME"] == ":memory:"  # service.E005 refuses it


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "it is not a URL"),
        ("db:5432", "it is not a URL"),
        ("postgresql:name", "it is not a URL"),
        ("hunter2 postgresql://db/name", "it is not a URL"),
        ("mysql://user:hunter2@db/name", "its database is neither sqlite nor postgresql"),
        ("hunter2://db/name", "its database is neither sqlite nor postgresql"),
        ("postgresql://user:hunter2@db", "it names no database"),
        ("postgresql://user:hunter2@db/", "it names no database"),
        ("postgresql://user:hunter2@db:http/name", "a port is not a number"),
        ("postgresql://user:hunter2@db:-1/name", "a port is not a number"),
        ("postgresql://user:hunter2@db:٣/name", "a port is not a number"),
        ("postgresql://user:hunter2@db:5432,db:x/name", "a port is not a number"),
        ("postgresql://user:hunter2@db:0/name", "a port is not from 1 to 65535"),
        ("postgresql://user:hunter2@db:65536/name", "a port is not from 1 to 65535"),
        (f"postgresql://user@db:{'9' * 5000}/name", "a port is not from 1 to 65535"),
        ("postgresql://a,b,c/name?port=1,2", "it has neither one port nor one for each host"),
        ("postgresql://user:hunter2@[::1/name", "brackets of an IPv6 address are not closed"),
        ("postgresql://user:hunter2@[]/name", "brackets of an IPv6 address are not closed"),
        ("postgresql://user:hunter2@[::1]x/name", "an IPv6 address is not followed by a : or /"),
        ("postgresql://user:2/hunter2@db/name", "a /, ? or @ in it is not percent-encoded"),
        ("postgresql://user:2@hunter2@db/name", "a /, ? or @ in it is not percent-encoded"),
        ("postgresql://user:hunter2@db/name/", "a /, ? or @ in it is not percent-encoded"),
        *(
            (f"postgresql://user:{password}@db/name", "write / as %2F, ? as %3F and @ as %40")
            for password in (
                "p/a?hunter2",
                "p/a?hunter2=",
                "p/a?sslmode=hunter2",
                "p/a?application_name=hunter2",
                "5/a?host=hunter2",
                "5/a?port=hunter2",
                "p?a/hunter2",
                "a@b?hunter2",
            )
        ),
        ("postgresql://user:hunter2%@db/name", "a % is not followed by two hexadecimal digits"),
        ("postgresql://user:hunter2%00@db/name", "it has a NUL"),
        ("postgresql://db/name?hunter2=red", "an option after the ? is unknown to libpq"),
        ("postgresql://db/name?hunter2", "an option after the ? has no value"),
        ("postgresql://db/name?hunter2=a=b", "an option after the ? has a second ="),
        ("postgresql://user:hunter2@db/name?sslmode=on", "sslmode is none of allow, disable, "),
        ("postgresql://db/name?target_session_attrs=hunter2", "target_session_attrs is none of "),
        ("postgresql://db/name?sslmode=require&sslmode=allow", "sslmode is set twice"),
        ("postgresql://db/name?connect_timeout=soon", "connect_timeout is not a number"),
        ("postgresql://db/name?keepalives_idle=-1", "keepalives_idle is not a number"),
        ("postgresql://db/name?target_session_attrs=standby", "any, primary, read-write"),
        ("postgresql://db/name?ssl_min_protocol_version=TLSv9", "is none of TLSv1, TLSv1.1, "),
        ("postgresql://db/name?options=hunter2", "options is not written as -c name=value"),
        ("postgresql://db/name?replication=true", "replication is not false"),
        ("postgresql://db/name?require_auth=hunter2", "require_auth is not a list of password, "),
        ("sqlite://", "it names no file"),
        ("sqlite:///", "it names no file"),
        ("sqlite://data/lists.sqlite3", "it names no file"),
        ("sqlite:///lists.sqlite3?mode=ro", "SQLite takes no options"),
        ("sqlite:///lists#1.sqlite3", "a # in the path is not percent-encoded"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_and_not_shown(url: str, reason: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        configuration(url)
    message = str(refusal.value)
    assert message.startswith("tasklists: SOME_URL=(a secret, not shown) is not accepted: ")
    assert reason in message
    assert message.endswith(
        "; it takes sqlite:///PATH or postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME[?sslmode=...]"
    )
    assert "hunter2" not in message
    assert len(message.splitlines()) == 1


def test_the_default_is_a_path_and_not_a_url() -> None:
    file = Path("/C#/what?/feature%2Fmain/tasklists.sqlite3")
    assert configuration("", default_file=file)["NAME"] == str(file)
    assert configuration("sqlite:////other", default_file=file)["NAME"] == "/other"


@pytest.mark.once(on="sqlite")
def test_the_service_starts_in_any_folder_with_nothing_configured(tmp_path: Path) -> None:
    project = tmp_path / "C#" / "what?" / "feature%2Fmain" / "a b;c" / "ü@x" / "[x" / ":memory:"
    project.mkdir(parents=True)
    for part in ("manage.py", "server", "project", "tasklists", "rest", "service"):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, project / part)
        else:
            shutil.copy(ROOT / part, project / part)
    for arguments in (["check"], ["migrate", "--verbosity=0"], ["migrate", "--check"]):
        ended = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=project,
            env=environment({}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
    assert (project / "tasklists.sqlite3").is_file()


def test_sqlite_connections_are_durable_and_wait_for_each_other(tmp_path: Path) -> None:
    with connected(sqlite_url(tmp_path / "file")) as sqlite, sqlite.cursor() as cursor:
        in_force = {}
        for pragma in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys"):
            in_force[pragma] = cursor.execute(f"PRAGMA {pragma}").fetchone()[0]
    full = 2
    assert in_force == {
        "journal_mode": "wal",
        "synchronous": full,
        "busy_timeout": 30_000,
        "foreign_keys": 1,
    }


def test_a_transaction_on_sqlite_has_the_write_lock_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with connected(sqlite_url(file)) as sqlite:
        sqlite.ensure_connection()
        other = sqlite3.connect(file, timeout=0)
        sqlite.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        sqlite.rollback()
        other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_statement_that_takes_too_long_is_ended_by_postgresql(postgresql_url: str) -> None:
    with connected(postgresql_url, statement_timeout=1) as server, server.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("1s",)
        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(60)")
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_connecting_to_a_server_that_never_answers_ends_in_time(
    set_wait_callback: Callable[[Deadlines], None],
) -> None:
    set_wait_callback(Deadlines(connect=0.2, statement=None))
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        port = black_hole.getsockname()[1]
        with (
            connected(f"postgresql://user@127.0.0.1:{port}/name") as server,
            pytest.raises(OperationalError, match=r"did not answer within 0\.2 s"),
        ):
            server.ensure_connection()


def with_hosts(url: str, *hosts: tuple[str, int]) -> str:
    """``url`` with ``hosts`` before its own host; each has a port."""
    own = psycopg2.extensions.parse_dsn(url)
    names = ",".join([*(name for name, _ in hosts), own["host"]])
    ports = ",".join([*(str(port) for _, port in hosts), own.get("port", "5432")])
    user, name = own["user"], own["dbname"]
    return f"postgresql:///{name}?user={user}&host={quote(names)}&port={ports}"


def test_the_second_host_is_reached_when_the_first_never_answers(
    postgresql_url: str, set_wait_callback: Callable[[Deadlines], None]
) -> None:
    set_wait_callback(Deadlines(connect=0.5, statement=None))
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        hosts = [("127.0.0.1", free_port()), ("127.0.0.1", black_hole.getsockname()[1])]
        url = with_hosts(postgresql_url, *hosts) + "&target_session_attrs=read-write"
        with connected(url) as server, server.cursor() as cursor:
            cursor.execute("SELECT 42")
            assert cursor.fetchone() == (42,)
        black_hole.setblocking(False)
        black_hole.accept()[0].close()
        with connected(url) as server:
            server.ensure_connection()
        with pytest.raises(BlockingIOError):  # the second connection did not try this host
            black_hole.accept()


def test_of_several_hosts_that_fail_each_is_named(
    postgresql_url: str, set_wait_callback: Callable[[Deadlines], None]
) -> None:
    set_wait_callback(Deadlines(connect=0.2, statement=None))
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        port = black_hole.getsockname()[1]
        url = with_hosts(postgresql_url, ("127.0.0.1", port))
        url += "&target_session_attrs=read-write&options=-c%20default_transaction_read_only%3Don"
        with connected(url) as server, pytest.raises(OperationalError) as failure:
            server.ensure_connection()
    first, second = str(failure.value).splitlines()
    assert first == f"127.0.0.1, port {port}: the database did not answer within 0.2 s"
    assert second.endswith("session is read-only")


def test_a_statement_that_is_never_answered_ends_in_time(
    postgresql_url: str, set_wait_callback: Callable[[Deadlines], None]
) -> None:
    set_wait_callback(Deadlines(connect=10, statement=0.2))
    with connected(postgresql_url, statement_timeout=0) as server:
        with (
            server.cursor() as cursor,
            pytest.raises(OperationalError, match=r"did not answer within 0\.2 s"),
        ):
            cursor.execute("SELECT pg_sleep(60)")
        assert not server.is_usable()


def test_a_statement_without_a_deadline_is_waited_for(
    postgresql_url: str, set_wait_callback: Callable[[Deadlines], None]
) -> None:
    set_wait_callback(Deadlines(connect=10, statement=None))
    with connected(postgresql_url, statement_timeout=0) as server, server.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.1), 42")
        assert cursor.fetchone() == ("", 42)


def test_a_connection_that_is_not_to_be_kept_ends_with_its_request(
    postgresql_url: str, database_url: str, serve: Callable[..., Service]
) -> None:
    def connections() -> int:
        with connected(postgresql_url) as server, server.cursor() as cursor:
            name = urlsplit(database_url).path[1:]
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name])
            return int(cursor.fetchone()[0])

    service = serve(DATABASE_CONN_MAX_AGE="0")
    assert requests.get(f"{service.url}/lists", timeout=HANG).status_code == 200
    eventually(lambda: connections() == 0, "the connection ends")
