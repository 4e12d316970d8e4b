"""Errors as Django raises them for those of a database driver."""

from django.db import Error


class DriverError(Exception):
    """An exception of psycopg2 or sqlite3, the cause of Django's exception."""

    pgcode: str | None = None
    sqlite_errorname: str | None = None


def caused_by_driver(
    wrapper: type[Error], message: str, *, sqlstate: str | None = None, name: str | None = None
) -> Error:
    """An error with PostgreSQL's SQLSTATE, with the name of SQLite's result code, or neither."""
    error = wrapper(message)
    error.__cause__ = cause = DriverError(message)
    cause.pgcode, cause.sqlite_errorname = sqlstate, name
    return error
