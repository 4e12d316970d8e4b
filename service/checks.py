"""Numbered system checks, which find mistakes in the configuration before the service starts."""

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import Error as DatabaseError
from django.db import connections

from service.database import wrong_encoding
from service.tokens import plain_tokens

Apps = Sequence[AppConfig] | None

SQLITE = "service.sqlite"
SERVE = "serve"  # the tag of checks that run only in `manage.py serve` and with --deploy


@register(Tags.security, deploy=True)
def plain_http(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if settings.HTTPS_ONLY:
        return []
    return [
        Info(
            "The service answers plain HTTP, and sends its cookies over it unencrypted.",
            hint="Behind a proxy that terminates TLS, set HTTPS_ONLY and TRUST_PROXY_HEADERS.",
            id="service.I001",
        )
    ]


@register(Tags.security, deploy=True)
def ephemeral_secret_key(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.SECRET_KEY_IS_RANDOM:
        return []
    return [
        CheckWarning(
            "SECRET_KEY is not set, so this process made a random one: a login is valid only here "
            "and ends when the process does.",
            hint="If nobody logs in, do nothing. Otherwise set SECRET_KEY or SECRET_KEY_FILE to a "
            "random value of 50 characters or more, the same in every replica.",
            id="service.W002",
        )
    ]


@register(Tags.security, deploy=True)
def any_host(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        CheckWarning(
            "ALLOWED_HOSTS contains *, so any Host header in a request is trusted.",
            hint="List the host names. Health checks work with any Host header.",
            id="service.W003",
        )
    ]


@register(Tags.security)
def proxy_headers(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.HTTPS_ONLY or settings.TRUST_PROXY_HEADERS:
        return []
    return [
        Error(
            "HTTPS_ONLY without TRUST_PROXY_HEADERS redirects each GET to itself, endlessly.",
            hint="If a proxy terminates TLS, set TRUST_PROXY_HEADERS. Otherwise unset HTTPS_ONLY.",
            id="service.E004",
        )
    ]


@register()
def sqlite_file(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    if database["ENGINE"] != SQLITE:
        return []
    if re.match(":memory:$|file:", str(database["NAME"])):
        return [
            Error(
                "DATABASE_URL names an in-memory SQLite database; each thread would get its own.",
                hint="Name a file instead, such as sqlite:////data/database.sqlite3.",
                id="service.E005",
            )
        ]
    file = Path(database["NAME"])
    named = f"DATABASE_URL names {file}" if settings.DATABASE_URL else f"The database is {file}"
    # Unlike os.path, Path raises if the parent is not searchable or the name too long.
    if not os.path.isdir(file.parent):  # noqa: PTH112
        return [
            Error(
                f"{named}, but the folder {file.parent} does not exist.",
                hint="Create the folder, mount a volume there, or name another file.",
                id="service.E006",
            )
        ]
    # SQLite keeps its journal beside the file, so the folder must be writable as well.
    files = [Path(f"{file}{suffix}") for suffix in ("", "-wal", "-shm")]
    closed = [path for path in files if os.path.exists(path) and not os.access(path, os.W_OK)]  # noqa: PTH110
    if not os.access(file.parent, os.W_OK | os.X_OK):
        closed.insert(0, file.parent)
    if os.path.isdir(file):  # noqa: PTH112
        reason, hint = "that is a folder", "Name a file in it."
    elif closed:
        reason = f"{closed[0]} is not writable"
        hint = f"Give the user {os.getuid()} write access, or name a file elsewhere."
    else:
        return []
    return [
        Error(
            f"{named}, but {reason}.",
            hint=hint,
            id="service.E007",
        )
    ]


@register()
def sqlite_version(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine != SQLITE or sqlite3.sqlite_version_info >= (3, 35):
        return []
    return [
        Error(
            f"SQLite {sqlite3.sqlite_version} does not support RETURNING.",
            hint="Use a Python with SQLite 3.35 or newer, or PostgreSQL.",
            id="service.E012",
        )
    ]


@register()
def migration_database(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    databases = settings.DATABASES
    if (
        "migration" not in databases
        or databases["migration"]["ENGINE"] == databases["default"]["ENGINE"]
    ):
        return []
    return [
        Error(
            "MIGRATION_DATABASE_URL and DATABASE_URL name databases of different kinds.",
            hint="Both must name the same database; the first one bypasses a connection pooler.",
            id="service.E008",
        )
    ]


@register()
def metrics_port(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if settings.METRICS_PORT != settings.PORT:
        return []
    return [
        Error(
            f"METRICS_PORT and PORT are both {settings.PORT}: clients would see the metrics.",
            hint="Set METRICS_PORT to another port that only Prometheus reaches, or unset it.",
            id="service.E014",
        )
    ]


FILES = ("passfile", "sslcert", "sslcrl", "sslcrldir", "sslkey", "sslrootcert")


@register()
def certificates(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Check the TLS files here: libpq reports a missing file like an unreachable database.

    `migrate` would then wait for the database instead of stopping at once.
    """
    files = {
        (option, str(path))
        for database in settings.DATABASES.values()
        for option, path in database.get("OPTIONS", {}).items()
        if option in FILES and path != "system"
    }
    return [
        Error(
            f"The database URL names {path} as {option}, but the file cannot be read.",
            hint="Mount the file there or correct the path.",
            id="service.E011",
        )
        for option, path in sorted(files)
        if not os.access(path, os.R_OK)
    ]


@register(Tags.database)
def encoding(
    app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check the encoding of the databases that answer; /health/ready reports those that don't."""
    reasons = {}
    for alias in databases or []:
        with suppress(DatabaseError):
            reasons[alias] = wrong_encoding(connections[alias])
    return [
        Error(reason, hint="Name the new database in DATABASE_URL.", id="service.E013")
        for reason in reasons.values()
        if reason
    ]


@register(Tags.database)
def hashed_tokens(
    app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    count = 0
    with suppress(DatabaseError):  # also where there is no such table yet
        count = plain_tokens().count() if "default" in (databases or []) else 0
    if not count:
        return []
    return [
        CheckWarning(
            f"The keys of {count} tokens are stored unhashed, as earlier versions did.",
            hint="When no process of an earlier version runs any more and no rollback is planned, "
            "run `python manage.py hash_tokens`. Clients keep their tokens.",
            id="service.W015",
        )
    ]


@register(SERVE, deploy=True)
def debug_when_served(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        Error(
            "DEBUG is on, so error pages show settings and source code to every client.",
            hint="Unset DEBUG, or use `manage.py runserver` for development.",
            id="service.E009",
        )
    ]


@register(SERVE, deploy=True)
def collected_static_files(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if (settings.STATIC_ROOT / "staticfiles.json").is_file():
        return []
    return [
        Error(
            f"The static files of the HTML pages are not in {settings.STATIC_ROOT}.",
            hint="Run `python manage.py collectstatic --no-input`.",
            id="service.E010",
        )
    ]
