"""Doctor's own connection to the database, or the reason why there is none."""

import ipaddress
import os
import socket
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

from django import db
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from service.database_errors import error_class
from service.doctor.places import Place, Server
from service.errors import one_line

CONNECT_TIMEOUT = 5  # seconds
STATEMENT_TIMEOUT = 2
HANGS = f"It did not answer the login within {CONNECT_TIMEOUT} s"
USUAL_PORT = "5432"
SQLITE_LOCK_TIMEOUT = 1

# The check to which a failed login belongs, by error_class().
CHECK_OF_CLASS = {
    "authentication": "database.password",
    "certificate": "database.tls",
    "resources": "database.connections",
}
# How the message ends when the server only refuses logins for a while.
NOT_YET = ("starting up", "shutting down", "in recovery mode", "not yet accepting connections")
# PostgreSQL's words about a database that the role cannot have, and PgBouncer's.
NO_DATABASE = (
    "does not exist",
    "permission denied for database",
    '" is not currently accepting connections',
    "no such database",
)
# The checks in the order in which a login can fail at them.
LOGIN = (
    "database.port",
    "database.tls",
    "database.connections",
    "database.password",
    "database.exists",
    "database.version",
)


class Failure(NamedTuple):
    """Why there is no connection: the check that reports it, and the server's words."""

    check: str
    message: str


class Address(NamedTuple):
    """One way to a server: its family and what connect() takes."""

    host: str
    family: socket.AddressFamily
    target: Any

    @property
    def shown(self) -> str:
        if isinstance(self.target, str):
            return self.target
        ip, port = self.target[:2]
        return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


class Database:
    """The database ``alias`` of the settings, over a connection of its own."""

    address: Address | None = None  # the first that answers
    reachable: Sequence[tuple[str, str]] = ()  # the servers that answer
    canonical = ""

    def __init__(self, place: Place, alias: str = "default") -> None:
        self.place = place
        self.alias = alias
        self.addresses: dict[tuple[str, str], list[Address]] = {}  # of each host and port

    @cached_property
    def wrapper(self) -> BaseDatabaseWrapper:
        wrapper = connections.create_connection(self.alias)
        wrapper.inc_thread_sharing()  # each check runs in a thread of its own
        settings = wrapper.settings_dict
        options = dict(settings.get("OPTIONS", {}))
        if wrapper.vendor == "sqlite":
            # Opened like this, the file is neither created nor changed to another journal.
            options.pop("init_command", None)
            options["timeout"] = SQLITE_LOCK_TIMEOUT
            name = f"file:{quote(str(settings['NAME']))}?mode=rw"
            wrapper.settings_dict = settings | {"NAME": name, "OPTIONS": options}
        return wrapper

    @property
    def vendor(self) -> str:
        return self.wrapper.vendor

    @property
    def name(self) -> str:
        return str(connections[self.alias].settings_dict["NAME"])

    @property
    def role(self) -> str:
        return str(self.wrapper.settings_dict["USER"])

    @property
    def servers(self) -> list[tuple[str, str]]:
        """Host and port of each server that the URL names; none if libpq chooses them."""
        settings = self.wrapper.settings_dict
        hosts = str(settings["OPTIONS"].get("hostaddr") or settings["HOST"])
        ports = str(settings["PORT"] or USUAL_PORT).split(",")
        return [
            (host, ports[position % len(ports)])
            for position, host in enumerate(hosts.split(","))
            if host
        ]

    @property
    def server(self) -> Server:
        """The first server, for commands."""
        host, port = next(iter(self.servers), ("", USUAL_PORT))
        return Server(host, port, self.role, self.name, self.canonical)

    @cached_property
    def failure(self) -> Failure | None:
        """Why the login failed, or None. Takes CONNECT_TIMEOUT for each reachable server."""
        # libpq would spend its time on servers that are known not to answer.
        if len(self.servers) > len(self.reachable) > 0:
            hosts, ports = zip(*self.reachable, strict=True)
            self.wrapper.settings_dict = self.wrapper.settings_dict | {
                "HOST": ",".join(hosts),
                "PORT": ",".join(ports),
            }
        try:
            self.wrapper.ensure_connection()
        except db.Error as error:
            return explain(error)
        return None

    def one(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """The first row that a query returns."""
        with self.wrapper.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchone()

    @cached_property
    def is_pooled(self) -> bool:
        """Whether a pooler answers: it gives its clients another process id than the server's."""
        [process] = self.one("SELECT pg_backend_pid()")
        return bool(process != self.wrapper.connection.info.backend_pid)

    @cached_property
    def superuser(self) -> str:
        """The first superuser that can log in; PostgreSQL's default if there is no connection."""
        if self.failure:
            return "postgres"
        found = self.one(
            "SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1"
        )
        return str(found[0]) if found else "postgres"

    def close(self) -> None:
        self.wrapper.close()


def explain(error: db.Error) -> Failure:
    """The check to which a failed login belongs."""
    message = one_line(error)
    if isinstance(error, db.NotSupportedError):
        return Failure("database.version", message)
    # libpq may have tried twice, with TLS and without, and says where before the server's words.
    words = message.rpartition("FATAL: ")[2].strip()
    if "invalid response to SSL negotiation" in message:
        return Failure("database.port", "Something other than PostgreSQL answers there")
    kind = error_class(error)
    if kind == "timeout":
        return Failure("database.port", HANGS)
    if kind in CHECK_OF_CLASS:
        return Failure(CHECK_OF_CLASS[kind], words)
    if any(each in words for each in NO_DATABASE):
        return Failure("database.exists", words)
    return Failure("database.port", words)


def resolve(host: str, port: str) -> tuple[list[Address], str]:
    """The addresses of a host, and its canonical name; raises OSError.

    The resolver has its own time limit, which the caller cannot set.
    """
    if host.startswith("/"):
        path = os.path.join(host, f".s.PGSQL.{port}")  # noqa: PTH118 - connect() takes text
        return [Address(host, socket.AF_UNIX, path)], ""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    addresses = [Address(host, family, target) for family, _, _, _, target in found]
    return addresses, found[0][3]


def connection_error(address: Address, seconds: float) -> OSError | None:
    """Why a connection to this address fails, or None if it succeeds."""
    with socket.socket(address.family, socket.SOCK_STREAM) as client:
        client.settimeout(seconds)
        try:
            client.connect(address.target)
        except OSError as error:
            return error
    return None


def first_answering(
    addresses: Sequence[Address], seconds: float
) -> tuple[Address | None, list[str]]:
    """The first address that accepts a connection, and the errors of those tried before it."""
    end = time.monotonic() + seconds
    refusals: list[str] = []
    for position, address in enumerate(addresses):
        share = max(0.1, (end - time.monotonic()) / (len(addresses) - position))
        refusal = connection_error(address, share)
        if refusal is None:
            return address, refusals
        reason = "no answer" if isinstance(refusal, TimeoutError) else str(refusal.strerror)
        refusals.append(f"{address.shown}: {reason}")
    return None, refusals


def is_public(address: Address | None) -> bool:
    """Whether the connection may cross the internet."""
    if address is None or isinstance(address.target, str):
        return False
    return ipaddress.ip_address(address.target[0].partition("%")[0]).is_global
