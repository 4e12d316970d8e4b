"""Keeps SQLite's file from other users: it has hashes of passwords, tokens and sessions."""

import stat
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from django.db.backends.base.base import BaseDatabaseWrapper

logger = structlog.get_logger(__name__)


def close_to_others(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receive Django's signal connection_created.

    Remove the access of other users from a file that an older version, or another umask, has made
    readable for them. The group loses its access as well, unless it may write: then somebody, or
    Kubernetes' fsGroup, has arranged that. A file that others may not access stays as it is.
    """
    if connection.vendor != "sqlite":
        return
    name = connection.settings_dict["NAME"]
    for suffix in ("", "-wal", "-shm", "-journal"):  # SQLite gives all of them the same mode
        file = Path(f"{name}{suffix}")
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & stat.S_IRWXO:
                kept = stat.S_IRWXU | (stat.S_IRWXG if mode & stat.S_IWGRP else 0)
                file.chmod(mode & kept)
        except FileNotFoundError:
            continue
        except OSError as error:
            warn(str(file), str(error.strerror))


@cache
def warn(file: str, reason: str) -> None:
    """Log a warning, once in each process."""
    logger.warning(
        "other users may read the database; as its owner run `chmod o= FILE`",
        file=file,
        reason=reason,
    )
