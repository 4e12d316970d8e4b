"""One migration at a time, however many replicas start at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.core.files import locks
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def migration_lock(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Hold the lock of migrations for the duration of the block; waits without limit.

    On PostgreSQL it is a session's advisory lock, which goes with the
    connection and therefore needs one to the server itself, not to a pooler.
    On SQLite it is a lock on the file's folder. Raises OperationalError when
    the connection is lost.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Neither the wait for others nor a long migration is a statement that hangs.
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(%s)", [settings.MIGRATION_LOCK])
        try:
            yield
        finally:
            with suppress(Error), connection.cursor() as cursor:  # it may be lost
                cursor.execute("SELECT pg_advisory_unlock(%s)", [settings.MIGRATION_LOCK])
                cursor.execute("RESET statement_timeout")
    else:
        folder = os.open(Path(connection.settings_dict["NAME"]).parent, os.O_RDONLY)
        try:
            locks.lock(folder, locks.LOCK_EX)
            yield
        finally:
            os.close(folder)
