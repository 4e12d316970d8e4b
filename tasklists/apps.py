from django.apps import AppConfig
from django.conf import settings
from django.db import connections


class TasklistsConfig(AppConfig):
    name = "tasklists"
    verbose_name = "Task lists"

    def ready(self) -> None:
        from tasklists import checks  # noqa: F401

        if connections["default"].vendor == "postgresql":
            import psycopg2.extensions

            from project.database import Deadlines

            statement = settings.DATABASE_STATEMENT_TIMEOUT
            # The server's own timeout comes first; its message is the better one.
            psycopg2.extensions.set_wait_callback(
                Deadlines(settings.DATABASE_CONNECT_TIMEOUT, statement + 1 if statement else None)
            )
