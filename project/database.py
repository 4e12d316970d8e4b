"""Turns a database URL into Django's settings, with time limits so that no request hangs."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
import psycopg2
import psycopg2.extensions

from project import environment

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = "sqlite:///PATH or postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME[?sslmode=...]"
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

# How long a writer waits for other writers on SQLite, in seconds.
SQLITE_LOCK_TIMEOUT = 30


def from_url(
    variable: str,
    url: str,
    *,
    password: str = "",
    conn_max_age: int,
    connect_timeout: int,
    statement_timeout: int,
) -> dict[str, Any]:
    """Django's settings of the database at ``url``; times are in seconds.

    ``password`` is used if the URL has none. A ``statement_timeout`` of 0 sets no limit. The
    relative path of an SQLite file starts at the project's folder, not at the working directory.
    Raises InvalidValue, which names ``variable``.
    """
    try:
        configuration = _parse(url)
    except ValueError as error:
        environment.refuse_secret(variable, str(error), ACCEPTED)
    configuration["CONN_MAX_AGE"] = conn_max_age
    configuration["CONN_HEALTH_CHECKS"] = True
    options = configuration.setdefault("OPTIONS", {})
    if configuration["ENGINE"] == "django.db.backends.sqlite3":
        configuration["ENGINE"] = "service.sqlite"
        if configuration["NAME"] != ":memory:":
            configuration["NAME"] = str(ROOT / configuration["NAME"])
        options |= {
            # A transaction takes the write lock when it begins: two that read before
            # they write would otherwise block each other and fail at once.
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_LOCK_TIMEOUT,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        }
        return configuration
    configuration["ENGINE"] = "service.postgresql"
    if "password" not in options:
        configuration["PASSWORD"] = configuration["PASSWORD"] or password
    defaults = {
        "connect_timeout": connect_timeout,
        # The kernel notices within ten seconds that the server of an idle connection is gone.
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
    }
    options |= defaults | options
    if statement_timeout:
        timeout = f"-c statement_timeout={statement_timeout}s"
        options["options"] = f"{options.get('options', '')} {timeout}".strip()
    return configuration


def _parse(url: str) -> dict[str, Any]:
    """Settings of the database at ``url``; raises ValueError with the reason if it is not valid."""
    if not re.match("[A-Za-z0-9+.-]+://", url):
        raise ValueError("it is not a URL")
    scheme = url.partition(":")[0]
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ValueError(f"the database {scheme!r} is not supported")
    if "\0" in unquote(url):
        raise ValueError("it has a NUL")
    try:
        configuration: dict[str, Any] = dict(dj_database_url.parse(url))
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(
            "its port is not a number, or a special character is not percent-encoded"
        ) from None
    if parts.fragment or (scheme != "sqlite" and re.search("[/@]", parts.path[1:])):
        raise ValueError("a special character in it is not percent-encoded")
    if scheme == "sqlite":
        _check_sqlite(url, configuration)
    else:
        _check_postgresql(configuration)
    return configuration


def _check_sqlite(url: str, configuration: dict[str, Any]) -> None:
    if not url.startswith("sqlite:///") or not configuration["NAME"]:
        raise ValueError("it names no file")
    if "?" in url:
        raise ValueError("SQLite takes no options")


def _check_postgresql(configuration: dict[str, Any]) -> None:
    if not configuration["NAME"]:
        raise ValueError("it names no database")
    options = configuration.get("OPTIONS", {})
    for option, value in options.items():
        if isinstance(value, list):
            raise ValueError(f"{option} is set twice")  # noqa: TRY004
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"sslmode is none of {', '.join(sorted(SSL_MODES))}")
    if not re.fullmatch(r"[0-9]+", str(options.get("connect_timeout", "0"))):
        raise ValueError("connect_timeout is not a number of seconds")
    try:
        psycopg2.extensions.make_dsn(**options)
    except psycopg2.ProgrammingError as error:
        raise ValueError(str(error).strip()) from None
