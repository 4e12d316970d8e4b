"""Turns a database URL into Django's settings, with time limits so that no request hangs."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import dj_database_url
import psycopg2
import psycopg2.extensions

from project import environment

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = "sqlite:///PATH or postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME[?sslmode=...]"

METHODS = "!?(password|md5|gss|sspi|scram-sha-256|oauth|none)"
TLS_VERSIONS = "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"
SETTING = r"(-c\s*|--)[A-Za-z_][\w.-]*=(\\.|[^\s\\])*"
# libpq finds a wrong value of these options only when it connects, which looks like an outage.
CHOICES = {
    "channel_binding": "disable, prefer, require",
    "gssencmode": "disable, prefer, require",
    "gssdelegation": "0, 1",
    "load_balance_hosts": "disable, random",
    "ssl_max_protocol_version": TLS_VERSIONS,
    "ssl_min_protocol_version": TLS_VERSIONS,
    "sslcertmode": "allow, disable, require",
    "sslcompression": "0, 1",
    "sslmode": "allow, disable, prefer, require, verify-ca, verify-full",
    "sslnegotiation": "direct, postgres",
    "sslsni": "0, 1",
    # Those of standbys would lead to a server that accepts no writes.
    "target_session_attrs": "any, primary, read-write",
}
NUMBERS = (
    "connect_timeout",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "tcp_user_timeout",
)
# The PostgreSQL server reads these, or libpq when it connects.
PATTERNS = {
    "options": (rf"\s*{SETTING}(\s+{SETTING})*\s*", "written as -c name=value"),
    "replication": ("false|off|no|0", "false"),
    "require_auth": (
        f"{METHODS}(,{METHODS})*",
        "a list of password, md5, gss, sspi, scram-sha-256, oauth or none",
    ),
}
# What libpq's messages about a URL begin with; the rest of them repeats the URL.
REASONS = {
    "invalid percent-encoded": "a % is not followed by two hexadecimal digits; write % as %25",
    "invalid URI query parameter": "an option after the ? is unknown to libpq",
    "missing key/value separator": "an option after the ? has no value",
    "extra key/value separator": "an option after the ? has a second =; write it as %3D",
    "unexpected character": "an IPv6 address is not followed by a : or /",
    "": "the brackets of an IPv6 address are not closed, or are empty",
}

UNENCODED = (
    "a /, ? or @ in it is not percent-encoded; write / as %2F, ? as %3F and @ as %40. "
    "DATABASE_PASSWORD takes a password as it is"
)

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
    default_file: Path | None = None,
) -> dict[str, Any]:
    """Django's settings of the database at ``url``; times are in seconds.

    ``password`` is used if the URL has none. A ``statement_timeout`` of 0 sets no limit. The
    relative path of an SQLite file starts at the project's folder, not at the working directory.
    An empty ``url`` stands for the SQLite file ``default_file``, if there is one.
    Raises InvalidValue, which names ``variable``.
    """
    try:
        use_default = default_file and not url
        configuration = _sqlite_file(str(default_file)) if use_default else _parse(url)
    except ValueError as error:
        environment.refuse_secret(variable, str(error), ACCEPTED)
    configuration |= {"CONN_MAX_AGE": conn_max_age, "CONN_HEALTH_CHECKS": True}
    if configuration["ENGINE"] == "service.sqlite":
        return configuration
    options = configuration["OPTIONS"]
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
    """Settings of the database at ``url``.

    Raises ValueError with the reason, which has no part of the URL: all of it may be secret.
    """
    if not re.match("[A-Za-z0-9+.-]+://", url):
        raise ValueError("it is not a URL")
    if "\0" in unquote(url):
        raise ValueError("it has a NUL")
    if url.startswith("sqlite:"):
        return _sqlite(url)
    if url.startswith(("postgresql:", "postgres:")):
        return _postgresql(url)
    raise ValueError("its database is neither sqlite nor postgresql")


def _sqlite(url: str) -> dict[str, Any]:
    if not url.startswith("sqlite:///") or url == "sqlite:///":
        raise ValueError("it names no file")
    if "?" in url:
        raise ValueError("SQLite takes no options; write ? in a path as %3F")
    if "#" in url:
        raise ValueError("a # in the path is not percent-encoded; write it as %23")
    return _sqlite_file(dj_database_url.parse(url)["NAME"])


def _sqlite_file(name: str) -> dict[str, Any]:
    return {
        "ENGINE": "service.sqlite",
        "NAME": name if name == ":memory:" else str(ROOT / name),
        "OPTIONS": {
            # A transaction takes the write lock when it begins: two that read before
            # they write would otherwise block each other and fail at once.
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_LOCK_TIMEOUT,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    """Settings of the database at ``url``, read by libpq's own parser.

    Several hosts are separated by commas in HOST, and so are their ports in PORT.
    """
    # libpq takes what precedes the first @ for user and password, unless there is a / before it.
    rest = re.sub("^[a-z]+://([^@/]*@)?", "", url)
    before, _, options = rest.partition("?")
    hosts, _, name = before.partition("/")
    if "@" in hosts or "@" in name or "/" in name:
        raise ValueError(UNENCODED)
    try:
        found = psycopg2.extensions.parse_dsn(url)
    except psycopg2.ProgrammingError as error:
        if "@" in options:  # which begin in the password then
            raise ValueError(UNENCODED) from None
        message = str(error).removeprefix("invalid dsn: ")
        reason = next(REASONS[start] for start in REASONS if message.startswith(start))
        raise ValueError(reason) from None
    names = [option.partition("=")[0] for option in options.split("&")]
    configuration = {
        "ENGINE": "service.postgresql",
        "NAME": found.pop("dbname", ""),
        "USER": found.pop("user", ""),
        "PASSWORD": found.pop("password", ""),
        "HOST": found.pop("host", ""),
        "PORT": found.pop("port", ""),
        "OPTIONS": found,
    }
    if not configuration["NAME"]:
        raise ValueError("it names no database")
    number = re.fullmatch("[0-9,]*", configuration["PORT"])
    if re.search(".@", configuration["HOST"]) or ("@" in options and not number):
        raise ValueError(UNENCODED)  # the password has begun in the port, and ends in the options
    _check_ports(configuration["HOST"], configuration["PORT"])
    for option, value in found.items():
        if names.count(option) > 1:
            raise ValueError(f"{option} is set twice")
        if option in CHOICES and value not in CHOICES[option].split(", "):
            raise ValueError(f"{option} is none of {CHOICES[option]}")
        if option in PATTERNS and not re.fullmatch(PATTERNS[option][0], value):
            raise ValueError(f"{option} is not {PATTERNS[option][1]}")
        if option in NUMBERS and not re.fullmatch("[0-9]{1,9}", value):
            raise ValueError(f"{option} is not a number")
    return configuration


def _check_ports(host: str, port: str) -> None:
    ports = port.split(",")
    if len(ports) not in (1, host.count(",") + 1):
        raise ValueError("it has neither one port nor one for each host")
    for number in filter(None, ports):
        if not re.fullmatch("[0-9]+", number):
            raise ValueError("a port is not a number")
        if len(number) > 5 or not 1 <= int(number) <= 65535:
            raise ValueError("a port is not from 1 to 65535")
