import time
from typing import Any

import psycopg2.extensions
import structlog
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from service.deadlines import Deadlines
from service.errors import one_line
from service.migration_lock import migration_lock

RETRY_SECONDS = 2

logger = structlog.get_logger(__name__)


class Command(migrate.Command):
    help = (
        "Updates the database's tables to what this version needs, one process at a time: "
        "any number of replicas may start together. Waits for the database for up to "
        "DATABASE_WAIT seconds, and uses MIGRATION_DATABASE_URL where it is set."
    )

    doing = "to migrate"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        if "migration" in settings.DATABASES:
            parser.set_defaults(database="migration")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        # A migration may take as long as it needs, but Python has to see a signal meanwhile.
        psycopg2.extensions.set_wait_callback(
            Deadlines(settings.DATABASE_CONNECT_TIMEOUT, statement=None)
        )
        wait_for(connection, settings.DATABASE_WAIT)
        try:
            with migration_lock(connection):
                super().handle(*args, **options)
        except Error as error:
            lost = connection.vendor == "postgresql" and not connection.is_usable()
            what = "the database went away" if lost else f"{self.doing} failed"
            raise CommandError(f"{what}: {one_line(error)}") from error

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        self.doing = f"migration {migration}" if migration else self.doing
        super().migration_progress_callback(action, migration, fake)


def wait_for(connection: BaseDatabaseWrapper, seconds: float) -> None:
    """Connect, trying again for up to ``seconds``; raises CommandError when that fails."""
    end = time.monotonic() + seconds
    while True:
        try:
            return connection.ensure_connection()
        except Error as error:
            remaining = end - time.monotonic()
            if connection.vendor == "sqlite" or remaining <= 0:
                raise CommandError(f"the database does not answer: {one_line(error)}") from error
            logger.warning(
                "waiting for the database", seconds_left=round(remaining), error=one_line(error)
            )
            time.sleep(min(RETRY_SECONDS, remaining))
