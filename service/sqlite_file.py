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

    A file that other users may read or write was made under the usual umask, perhaps by an
    older version, and only its owner keeps access. The group keeps it as well if it may write,
    which somebody or something such as Kubernetes' fsGroup has arranged. Files that
    others may not read stay as they are.
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
