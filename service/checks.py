"""Misuse that can be seen before the service starts, as numbered system checks."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.core.checks import Warning as CheckWarning

Apps = Sequence[AppConfig] | None

SERVE = "serve"  # the tag of what only matters to `manage.py serve` and under --deploy


@register(Tags.security, deploy=True)
def plain_http(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if settings.HTTPS_ONLY:
        return []
    return [
        Info(
            "The service answers plain HTTP, and its cookies travel over it.",
            hint="Behind a proxy that terminates TLS set HTTPS_ONLY and TRUST_PROXY_HEADERS.",
            id="service.I001",
        )
    ]


@register(Tags.security, deploy=True)
def ephemeral_secret_key(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.SECRET_KEY_IS_RANDOM:
        return []
    return [
        CheckWarning(
            "SECRET_KEY is not set: a random one ends with this process, and each session with it.",
            hint="Set SECRET_KEY or SECRET_KEY_FILE, the same for every replica.",
            id="service.W002",
        )
    ]


@register(Tags.security, deploy=True)
def any_host(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        CheckWarning(
            "ALLOWED_HOSTS has *, so that a request's Host header is believed whatever it says.",
            hint="Name the hosts; health checks need none.",
            id="service.W003",
        )
    ]


@register(Tags.security)
def proxy_headers(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.HTTPS_ONLY or settings.TRUST_PROXY_HEADERS:
        return []
    return [
        Error(
            "HTTPS_ONLY without TRUST_PROXY_HEADERS redirects every request to itself.",
            hint="Set TRUST_PROXY_HEADERS where a proxy terminates TLS, or unset HTTPS_ONLY.",
            id="service.E004",
        )
    ]


@register()
def sqlite_file(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    if database["ENGINE"] != "django.db.backends.sqlite3":
        return []
    if ":memory:" in str(database["NAME"]):
        return [
            Error(
                "DATABASE_URL names SQLite in memory, of which every thread would have its own.",
                hint="Name a file, such as sqlite:////data/database.sqlite3.",
                id="service.E005",
            )
        ]
    file = Path(database["NAME"])
    # os.path.isdir, since Path.is_dir raises where the folder above may not be looked into.
    if not os.path.isdir(file.parent):  # noqa: PTH112
        return [
            Error(
                f"DATABASE_URL names {file}, but there is no folder {file.parent}.",
                hint="Make the folder or mount a volume there, or name another file.",
                id="service.E006",
            )
        ]
    # SQLite keeps its journal beside the file, so the folder counts as well.
    if not os.access(file.parent, os.W_OK | os.X_OK):
        refused = file.parent
    elif file.is_dir() or (file.exists() and not os.access(file, os.W_OK)):
        refused = file
    else:
        return []
    return [
        Error(
            f"DATABASE_URL names {file}, but {refused} cannot be written to.",
            hint=f"Let user {os.getuid()} write there, or name a file elsewhere.",
            id="service.E007",
        )
    ]


@register()
def sqlite_version(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine != "django.db.backends.sqlite3" or sqlite3.sqlite_version_info >= (3, 35):
        return []
    return [
        Error(
            f"SQLite is {sqlite3.sqlite_version}, which cannot return what it writes.",
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
            "MIGRATION_DATABASE_URL and DATABASE_URL are of two kinds.",
            hint="The first is a direct connection to the database that the second names.",
            id="service.E008",
        )
    ]


@register()
def certificates(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """libpq would say so as well, but as of a database that is away, for which one waits."""
    files = {
        (option, str(path))
        for database in settings.DATABASES.values()
        for option, path in database.get("OPTIONS", {}).items()
        if option in ("sslrootcert", "sslcert", "sslkey") and path != "system"
    }
    return [
        Error(
            f"The database's URL names {path} as {option}, which cannot be read.",
            hint="Mount the file there, or correct the path.",
            id="service.E011",
        )
        for option, path in sorted(files)
        if not os.access(path, os.R_OK)
    ]


@register(SERVE, deploy=True)
def debug_when_served(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        Error(
            "DEBUG is on, which shows settings and code to whoever provokes an error.",
            hint="Unset DEBUG, or use `manage.py runserver`.",
            id="service.E009",
        )
    ]


@register(SERVE, deploy=True)
def collected_static_files(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if (settings.STATIC_ROOT / "staticfiles.json").is_file():
        return []
    return [
        Error(
            f"The static files of the browser's pages are not in {settings.STATIC_ROOT}.",
            hint="Run `python manage.py collectstatic --no-input`.",
            id="service.E010",
        )
    ]
