"""What an error of the database means: an outage, a conflict, a bad value or a defect.

PostgreSQL's SQLSTATE and SQLite's result code decide, not the class of the exception: psycopg2 and
sqlite3 raise OperationalError for outages, for conflicts and for values that cannot be used alike.
https://www.postgresql.org/docs/current/errcodes-appendix.html, https://www.sqlite.org/rescode.html
"""

from django import db

# PostgreSQL: connections, resources, the administrator's intervention, and the server's system.
OUTAGE_CLASSES = ("08", "53", "57", "58")
OUTAGE_CODES = (
    "25006",  # read_only_sql_transaction: a standby, or a primary that became one
    "25P03",  # idle_in_transaction_session_timeout, which ends the connection
    "25P04",  # transaction_timeout, which does so too
    "42501",  # insufficient_privilege: the role has not been given its rights yet
    "42703",  # undefined_column: not migrated yet
    "42883",  # undefined_function
    "42P01",  # undefined_table
    "55000",  # object_not_in_prerequisite_state: a lock that a standby cannot take
    "XX001",  # data_corrupted
    "XX002",  # index_corrupted
)
# After these, another connection may lead to a server that works.
USELESS_CLASSES = ("08", "57P")  # 57014, query_canceled, is about the statement alone
USELESS_CODES = ("25006", "25P03", "25P04", "55000")
CONFLICTS = ("40001", "40P01")  # serialization_failure, deadlock_detected
LOCK_TIMEOUT = "55P03"  # lock_not_available
BAD_VALUE_CLASS = "22"
TOO_COMPLEX = ("54000", "54001")  # program_limit_exceeded, statement_too_complex

SQLITE_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
SQLITE_OUTAGES = (
    *SQLITE_LOCKED,
    "SQLITE_CANTOPEN",
    "SQLITE_CORRUPT",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_NOLFS",
    "SQLITE_NOMEM",
    "SQLITE_NOTADB",
    "SQLITE_PERM",
    "SQLITE_READONLY",
    "SQLITE_SCHEMA",
)
# SQLITE_ERROR stands for everything else; only its message says more.
SQLITE_NOT_MIGRATED = ("no such table", "no such column", "has no column named")
SQLITE_BAD_VALUES = (
    "LIKE or GLOB pattern too complex",
    "user-defined function raised exception",  # a regular expression that cannot be compiled
    "Expression tree is too large",
    "too many SQL variables",
    "parser stack overflow",
)

# The class of an error in the metrics, by the prefix of its SQLSTATE or of SQLite's result code.
SQLSTATE_CLASSES = {
    "08": "connection",
    "22": "value",
    "23": "integrity",
    "25006": "read_only",
    "25P": "connection",
    "28": "authentication",
    "40": "conflict",
    "42501": "permission",
    "42703": "not_migrated",
    "42883": "not_migrated",
    "42P01": "not_migrated",
    "53": "resources",
    "54": "value",
    "55P03": "lock",
    "57014": "timeout",
    "57P": "connection",
    "58": "resources",
}
SQLITE_CLASSES = {
    "SQLITE_BUSY": "lock",
    "SQLITE_CANTOPEN": "connection",
    "SQLITE_CONSTRAINT": "integrity",
    "SQLITE_FULL": "resources",
    "SQLITE_IOERR": "resources",
    "SQLITE_LOCKED": "lock",
    "SQLITE_MISMATCH": "value",
    "SQLITE_NOMEM": "resources",
    "SQLITE_PERM": "permission",
    "SQLITE_PROTOCOL": "lock",
    "SQLITE_READONLY": "read_only",
    "SQLITE_SCHEMA": "not_migrated",
    "SQLITE_TOOBIG": "value",
}
# psycopg2 has no SQLSTATE for a connection that failed, so only the message of libpq or of the
# server says why. If it is not in English, the class is "connection".
CONNECTION_MESSAGES = {
    "too many": "resources",
    "connection slots are reserved": "resources",
    "no more connections allowed": "resources",  # by PgBouncer, as the next one
    "connections exceeded": "resources",
    "authentication failed": "authentication",
    "no password supplied": "authentication",
    "pg_hba.conf": "authentication",
    'role "': "authentication",
    "certificate": "certificate",
    "SSL": "certificate",
    "did not answer within": "timeout",
}
ERROR_CLASSES = sorted(
    {*SQLSTATE_CLASSES.values(), *SQLITE_CLASSES.values(), *CONNECTION_MESSAGES.values(), "other"}
)


def error_class(error: db.Error) -> str:
    """The class of an error in the metrics, one of ERROR_CLASSES."""
    if name := sqlite_code(error):
        if _says(error, SQLITE_NOT_MIGRATED):
            return "not_migrated"
        if _says(error, SQLITE_BAD_VALUES):
            return "value"
        return _by_prefix(name, SQLITE_CLASSES)
    if code := sqlstate(error):
        return _by_prefix(code, SQLSTATE_CLASSES)
    if is_bad_value(error):
        return "value"
    if not is_outage(error):
        return "other"
    found = (name for text, name in CONNECTION_MESSAGES.items() if text in str(error))
    return next(found, "connection")


def _by_prefix(code: str, classes: dict[str, str]) -> str:
    found = (name for prefix, name in classes.items() if code.startswith(prefix))
    return next(found, "other")


def is_outage(error: db.Error) -> bool:
    """Whether the database is unreachable, overloaded, damaged, read-only or not migrated yet."""
    if name := sqlite_code(error):
        return name.startswith(SQLITE_OUTAGES) or _says(error, SQLITE_NOT_MIGRATED)
    if code := sqlstate(error):
        return code.startswith(OUTAGE_CLASSES) or code in OUTAGE_CODES
    # The connection was lost or never made. psycopg2 raises DatabaseError itself, of no subclass,
    # when libpq has no result and no message.
    if type(error) is db.DatabaseError:
        return error.__cause__ is not None  # Django raises it as well, about a mistake in our code
    return isinstance(error, db.OperationalError | db.InterfaceError)


def is_useless_connection(error: db.Error) -> bool:
    """Whether a new connection may work where this one, or the server it leads to, does not."""
    if name := sqlite_code(error):
        return name.startswith(SQLITE_OUTAGES) and not is_locked(error)
    if code := sqlstate(error):
        return code.startswith(USELESS_CLASSES) or code in USELESS_CODES
    return is_outage(error)


def is_read_only(error: db.Error) -> bool:
    """Whether SQLite's file cannot be written to."""
    return sqlite_code(error).startswith("SQLITE_READONLY")


def is_locked(error: db.Error) -> bool:
    """Whether another connection holds SQLite's lock."""
    return sqlite_code(error).startswith(SQLITE_LOCKED)


def is_conflict(error: db.Error) -> bool:
    """Whether a serialization failure or a deadlock caused the error. A retry may succeed."""
    return sqlstate(error) in CONFLICTS


def is_lock_timeout(error: db.Error) -> bool:
    """Whether PostgreSQL's lock_timeout ended the wait for a lock."""
    return sqlstate(error) == LOCK_TIMEOUT


def is_temporary(error: db.Error) -> bool:
    """Whether the same statement may succeed later."""
    return is_outage(error) or is_conflict(error) or is_lock_timeout(error)


def is_bad_value(error: db.Error) -> bool:
    """Whether the database cannot store, compare or search a value of the request."""
    code = sqlstate(error)
    return (
        isinstance(error, db.DataError)
        or code.startswith(BAD_VALUE_CLASS)
        or code in TOO_COMPLEX
        or (sqlite_code(error) == "SQLITE_ERROR" and _says(error, SQLITE_BAD_VALUES))
    )


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five characters, or nothing: for SQLite, or if there was no answer."""
    return getattr(error.__cause__, "pgcode", None) or ""


def sqlite_code(error: BaseException) -> str:
    """The name of SQLite's extended result code, or nothing for PostgreSQL."""
    return getattr(error.__cause__, "sqlite_errorname", None) or ""


def _says(error: BaseException, messages: tuple[str, ...]) -> bool:
    return any(message in str(error) for message in messages)
