"""From a database URL to Django's settings: SQLite or PostgreSQL, neither of which may hang."""

import re
import select
import time
from typing import Any, NoReturn

import dj_database_url
import psycopg2
import psycopg2.extensions

from project import environment

ACCEPTED = "sqlite:///PATH or postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME[?sslmode=...]"
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

# How long a writer waits for the others on SQLite, in seconds.
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

    ``password`` is used where the URL has none. A ``statement_timeout`` of 0
    sets none. Raises InvalidValue, which names ``variable``.
    """
    configuration = _parse(variable, url)
    configuration["CONN_MAX_AGE"] = conn_max_age
    configuration["CONN_HEALTH_CHECKS"] = True
    options = configuration.setdefault("OPTIONS", {})
    if configuration["ENGINE"] == "django.db.backends.sqlite3":
        options |= {
            # A transaction takes the write lock when it begins: two that read before
            # they write would otherwise block each other and fail at once.
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_LOCK_TIMEOUT,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        }
        return configuration
    configuration["PASSWORD"] = configuration["PASSWORD"] or password
    options.setdefault("connect_timeout", connect_timeout)
    if statement_timeout:
        timeout = f"-c statement_timeout={statement_timeout}s"
        options["options"] = f"{options.get('options', '')} {timeout}".strip()
    return configuration


def _parse(variable: str, url: str) -> dict[str, Any]:
    def refuse(reason: str) -> NoReturn:
        environment.refuse_secret(variable, reason, ACCEPTED)

    scheme = url.partition(":")[0]
    if scheme not in ("sqlite", "postgres", "postgresql"):
        refuse(f"{scheme!r} is not a database it knows" if "://" in url else "it is not a URL")
    try:
        configuration: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        refuse("its port is not a number, or a special character is not percent-encoded")
    if scheme == "sqlite":
        if not url.startswith("sqlite:///") or not configuration["NAME"]:
            refuse("it names no file")
        if "?" in url:
            refuse("SQLite takes no options")
        return configuration
    if not configuration["NAME"]:
        refuse("it names no database")
    options = configuration.get("OPTIONS", {})
    if options.get("sslmode", "prefer") not in SSL_MODES:
        refuse(f"sslmode is none of {', '.join(sorted(SSL_MODES))}")
    if not re.fullmatch(r"[0-9]+", str(options.get("connect_timeout", "0"))):
        refuse("connect_timeout is not a number of seconds")
    try:
        psycopg2.extensions.make_dsn(**options)
    except psycopg2.ProgrammingError as error:
        refuse(str(error).strip())
    return configuration


class Deadlines:
    """Waits for PostgreSQL on behalf of psycopg2, and gives up in time.

    A server that is frozen or cut off neither answers nor closes its
    connections, and the server's own statement_timeout is then of no use.
    Times are in seconds; None waits without limit. To be installed with
    ``psycopg2.extensions.set_wait_callback``, see
    https://www.psycopg.org/docs/advanced.html#support-for-coroutine-libraries
    """

    def __init__(self, connect: float, statement: float | None) -> None:
        self.connect = connect
        self.statement = statement

    def __call__(self, connection: psycopg2.extensions.connection) -> None:
        connecting = connection.status == psycopg2.extensions.STATUS_SETUP
        limit = self.connect if connecting else self.statement
        end = None if limit is None else time.monotonic() + limit
        while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
            event = select.POLLIN if state == psycopg2.extensions.POLL_READ else select.POLLOUT
            poller = select.poll()
            poller.register(connection.fileno(), event)
            if not poller.poll(None if end is None else max(0, end - time.monotonic()) * 1000):
                raise psycopg2.OperationalError(f"the database did not answer within {limit:g} s")
