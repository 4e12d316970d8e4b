"""Whether the database behind a connection is one that the service can use."""

from django.apps import apps
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from service.database_errors import is_locked, is_read_only

READ_ONLY = "The database does not accept writes: it is read-only, or a standby."
CREATE_DATABASE = "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"


def wrong_encoding(connection: BaseDatabaseWrapper) -> str | None:
    """What to do if the database cannot store all of Unicode, or None. SQLite always can."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        [encoding] = cursor.fetchone()
    if encoding == "UTF8":
        return None
    return (
        f"The database's encoding is {encoding}, but it has to be UTF8. "
        f"Create another database: {CREATE_DATABASE}"
    )


def missing_rights(connection: BaseDatabaseWrapper) -> list[str]:
    """The tables of this project's models that the role may not read and write."""
    if connection.vendor != "postgresql":
        return []
    tables = sorted(
        model._meta.db_table
        for model in apps.get_models()
        if not model.__module__.startswith(("django.", "rest_framework."))
    )
    with connection.cursor() as cursor:
        # A table that does not exist yet has no privileges that could lack.
        cursor.execute(
            "SELECT name FROM unnest(%s) AS name WHERE NOT (SELECT bool_and("
            "has_table_privilege(to_regclass(quote_ident(name)), privilege)) FROM"
            " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege)",
            [tables],
        )
        return [table for (table,) in cursor.fetchall()]


def refused_writes(connection: BaseDatabaseWrapper) -> str | None:
    """READ_ONLY if the database accepts no writes now, or None."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW transaction_read_only")  # always on for a standby
            return READ_ONLY if cursor.fetchone() == ("on",) else None
        cursor.execute("PRAGMA busy_timeout")
        [timeout] = cursor.fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute("BEGIN IMMEDIATE")  # succeeds for a file that is read-only
            try:
                cursor.execute("PRAGMA user_version = 0")
            finally:
                cursor.execute("ROLLBACK")
        except OperationalError as error:
            if is_read_only(error):
                return READ_ONLY
            if not is_locked(error):  # otherwise another connection is writing
                raise
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {timeout}")
    return None
