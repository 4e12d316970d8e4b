"""A database whose encoding is not UTF8 is refused, since it cannot store every name."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import pytest
import requests
from django.db import connection, connections

from service.checks import encoding
from service.health import check_database
from tests.process import Service, free_port, manage
from tests.wire import HANG

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")

COMMAND = "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def odd_url(request: pytest.FixtureRequest, database_url: str) -> Iterator[str]:
    """The URL of an empty database with another encoding."""
    name = f"{urlsplit(database_url).path[1:]}_odd"
    with closing(psycopg2.connect(database_url)) as server:
        server.autocommit = True
        cursor = server.cursor()
        cursor.execute(
            f"CREATE DATABASE {name} ENCODING '{request.param}' LOCALE 'C' TEMPLATE template0"
        )
        yield urlsplit(database_url)._replace(path=f"/{name}").geturl()
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_migrate_refuses_it(odd_url: str) -> None:
    result = manage("migrate", DATABASE_URL=odd_url)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    [line] = [line for line in result.stderr.splitlines() if COMMAND in line]
    assert "service.E013" in line


@pytest.mark.parametrize("migrate", ["auto", "never"])
def test_serve_refuses_it_in_one_line(odd_url: str, migrate: str) -> None:
    variables = {
        "DATABASE_URL": odd_url,
        "MIGRATE": migrate,
        "SECRET_KEY": "k" * 25 + "0123456789abcdefghijklmnopqrstuv",
    }
    result = manage("serve", PORT=str(free_port()), LOG_FORMAT="console", **variables)
    assert result.returncode == 1
    [line] = result.stdout.splitlines()
    assert COMMAND in line


def test_the_check_refuses_it(odd_url: str) -> None:
    result = manage("check", "--database", "default", DATABASE_URL=odd_url)
    assert result.returncode == 1
    assert "service.E013" in result.stderr
    assert COMMAND in result.stderr


def test_it_is_not_ready(
    odd_url: str, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    odd = connections.create_connection("default")
    odd.settings_dict = connection.settings_dict | {"NAME": urlsplit(odd_url).path[1:]}
    monkeypatch.setattr("service.health.connection", odd)
    fault = check_database().fault
    assert fault is not None
    assert COMMAND in fault.detail


def test_the_check_says_nothing_of_a_database_that_is_unreachable() -> None:
    url = f"postgresql://127.0.0.1:{free_port()}/tasklists"
    result = manage("check", "--database", "default", DATABASE_URL=url)
    assert result.returncode == 0, result.stderr
    assert encoding(None) == []


@pytest.mark.parametrize("where", ["the URL", "the environment"])
def test_the_encoding_of_the_client_is_utf8_whatever_is_asked_for(
    serve: Callable[..., Service],
    database_url: str,
    where: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = database_url
    if where == "the URL":
        url += f"{'&' if '?' in url else '?'}client_encoding=LATIN1"
    else:
        monkeypatch.setitem(os.environ, "PGCLIENTENCODING", "LATIN1")
    service = serve(DATABASE_URL=url)
    made = requests.post(f"{service.url}/lists", json={"name": "🛒"}, timeout=HANG)
    assert made.status_code == 201, made.text
    assert requests.get(service.url + made.headers["Location"], timeout=HANG).json()["name"] == "🛒"
