"""A lock that lets one process migrate at a time, even if many replicas start together."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
from django.conf import settings
from django.core.files import locks
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

# How many seconds a migration waits for a table that a longer transaction uses, such as a backup.
TABLE_LOCK_TIMEOUT = 2
POLL_SECONDS = 0.2

logger = structlog.get_logger(__name__)


@contextmanager
def migration_lock(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Hold the migration lock for the duration of the block; blocks without a time limit.

    On PostgreSQL it is an advisory lock with the number settings.MIGRATION_LOCK. It belongs to
    the session, so ``connection`` must lead to the server itself and not to a pooler. On SQLite
    it is a file lock on the folder of the database. Raises OperationalError if the connection
    is lost. Inside the block, a statement fails on PostgreSQL if it does not get a table's lock
    within TABLE_LOCK_TIMEOUT.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Waiting for the lock and migrating may both take longer than any request.
            cursor.execute("SET statement_timeout = 0")
            wait_for_lock(cursor)
            # While a migration waits for a table, all requests for it wait behind the migration.
            cursor.execute("SET lock_timeout = %s", [f"{TABLE_LOCK_TIMEOUT}s"])
        try:
            yield
        finally:
            with suppress(Error), connection.cursor() as cursor:  # the connection may be lost
                cursor.execute("SELECT pg_advisory_unlock(%s)", [settings.MIGRATION_LOCK])
                cursor.execute("RESET statement_timeout")
                cursor.execute("RESET lock_timeout")
    else:
        folder = os.open(Path(connection.settings_dict["NAME"]).parent, os.O_RDONLY)
        try:
            locks.lock(folder, locks.LOCK_EX)
            yield
        finally:
            os.close(folder)


def wait_for_lock(cursor: CursorWrapper) -> None:
    """Take PostgreSQL's lock, by polling.

    A statement that waits for the lock has a snapshot. CREATE INDEX CONCURRENTLY, in the session
    that holds the lock, waits for all older snapshots: that would be a deadlock.
    """
    waiting = False
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [settings.MIGRATION_LOCK])
        if cursor.fetchone() == (True,):
            return
        if not waiting:
            logger.info("waiting for another process that migrates the database")
        waiting = True
        time.sleep(POLL_SECONDS)
