import time
from typing import Any

import psycopg2.extensions
import structlog
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import Error, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from service.database import refused_writes, wrong_encoding
from service.database_errors import is_conflict, is_lock_timeout
from service.deadlines import Deadlines
from service.errors import one_line
from service.migration_lock import migration_lock

RETRY_SECONDS = 2
# How often a migration is tried that deadlocks. A Pod of version 0.2.0 or older waits for the lock
# in a transaction, and building an index waits for that transaction.
ATTEMPTS = 5

logger = structlog.get_logger(__name__)


class Command(migrate.Command):
    help = (
        "Updates the database schema to this version under a lock, so any number of replicas may "
        "start together. Waits up to DATABASE_WAIT seconds for the database, and connects to "
        "MIGRATION_DATABASE_URL if it is set."
    )

    step = "migrate"  # named in the message if it fails

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        if "migration" in settings.DATABASES:
            parser.set_defaults(database="migration")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        # No time limit for migrations. The callback is needed nevertheless: in it Python handles
        # signals while it waits for the database.
        psycopg2.extensions.set_wait_callback(
            Deadlines(settings.DATABASE_CONNECT_TIMEOUT, statement=None)
        )
        wait_for(connection, settings.DATABASE_WAIT)
        try:
            self.migrate(connection, *args, **options)
        except Error as error:
            lost = connection.vendor == "postgresql" and not connection.is_usable()
            what = "the connection to the database was lost" if lost else f"{self.step} failed"
            raise CommandError(f"{what}: {one_line(error)}") from error

    def migrate(self, connection: BaseDatabaseWrapper, *args: Any, **options: Any) -> None:
        """Migrate under the lock, again if another transaction stood in the way.

        That is for up to DATABASE_WAIT seconds if a table is in use for long, and up to ATTEMPTS
        times after a deadlock. Each migration is a transaction or can be repeated, so the next
        attempt begins with the one that failed.
        """
        end = time.monotonic() + settings.DATABASE_WAIT
        attempts = 0
        while True:
            attempts += 1
            try:
                with migration_lock(connection):
                    super().handle(*args, **options)
            except OperationalError as error:
                remaining = end - time.monotonic()
                in_use = is_lock_timeout(error) and remaining > 0
                if not in_use and not (is_conflict(error) and attempts < ATTEMPTS):
                    raise
                logger.warning(
                    "waiting for a transaction that stands in the way",
                    step=self.step,
                    error=one_line(error),
                )
                time.sleep(RETRY_SECONDS)
            else:
                return

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        self.step = f"migration {migration}" if migration else self.step
        super().migration_progress_callback(action, migration, fake)


def wait_for(connection: BaseDatabaseWrapper, seconds: float) -> None:
    """Connect to a database that accepts writes, with retries for up to ``seconds``.

    Raises CommandError when they have passed, and at once if the database's encoding is wrong.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            encoding, refusal = wrong_encoding(connection), refused_writes(connection)
        except Error as error:
            file = f" {connection.settings_dict['NAME']}" if connection.vendor == "sqlite" else ""
            refusal = f"the database{file} is unavailable: {one_line(error)}"
        else:
            if encoding:
                raise CommandError(encoding)
            if not refusal:
                return
            connection.close()  # the next one may lead to the primary
        remaining = end - time.monotonic()
        if connection.vendor == "sqlite" or remaining <= 0:
            raise CommandError(refusal)
        logger.warning("waiting for the database", seconds_left=round(remaining), error=refusal)
        time.sleep(min(RETRY_SECONDS, remaining))
