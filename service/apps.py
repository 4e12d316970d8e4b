import encodings

from django.apps import AppConfig
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.db.backends.signals import connection_created


class ServiceConfig(AppConfig):
    name = "service"

    def ready(self) -> None:
        """Register checks and receivers, make headers harmless, and give PostgreSQL deadlines."""
        from django.contrib.auth.signals import user_logged_in, user_login_failed

        from service import checks, logins, sqlite_file  # noqa: F401
        from service.requests import KnownEncodings, Request

        connection_created.connect(sqlite_file.close_to_others)
        user_login_failed.connect(logins.log_failure)
        user_logged_in.connect(logins.log_success)
        WSGIHandler.request_class = Request
        encodings._cache = KnownEncodings()
        if connections["default"].vendor == "postgresql":
            import psycopg2.extensions

            from service.deadlines import Deadlines

            statement = settings.DATABASE_STATEMENT_TIMEOUT
            # One second more than the server's own limit, so that normally the server ends the
            # statement: its message says more.
            psycopg2.extensions.set_wait_callback(
                Deadlines(settings.DATABASE_CONNECT_TIMEOUT, statement + 1 if statement else None)
            )
