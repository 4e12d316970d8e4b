"""After a login: can the service use this database?

A database that stops answering is one error, since each check needs the one before.
"""

import statistics
import time

from django.conf import settings

from service.database import READ_ONLY, refused_writes, wrong_encoding
from service.doctor.administration import create_database, identifier, psql
from service.doctor.database import skipped_unless_reached
from service.doctor.examination import Examination, on_postgresql
from service.doctor.registry import Outcome, check, error, ok, warning

STATEMENTS = 5  # of which the median counts as the latency
SLOW = 0.05  # seconds, which is much more than the database takes for a request's statement
# By pg_settings.source, what turns default_transaction_read_only off.
READ_ONLY_SOURCES = {
    "configuration file": "ALTER SYSTEM SET default_transaction_read_only = off",
    "database": "ALTER DATABASE {database} RESET default_transaction_read_only",
    "user": "ALTER ROLE {role} RESET default_transaction_read_only",
    "database user": "ALTER ROLE {role} IN DATABASE {database} RESET default_transaction_read_only",
}
# Parts of messages with which poolers refuse a connection, and PostgreSQL itself does not.
POOLER_MESSAGES = ("no more connections allowed", "connections exceeded", "server login failed")
# Whose connections are limited, to how many, and how many there are beside this one. Of the limits
# of the server, of the database and of the role, the one that leaves the fewest.
CONNECTIONS = """
WITH own AS (
    SELECT oid AS role, rolconnlimit AS "limit", rolsuper
    FROM pg_roles WHERE rolname = session_user
), limits(whose, "limit", used) AS (
    SELECT 'server',
        current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int,
        (SELECT sum(numbackends) FROM pg_stat_database WHERE datid <> 0)::int
    UNION ALL
    SELECT 'database', datconnlimit, numbackends
    FROM own, pg_database JOIN pg_stat_database ON datid = pg_database.oid
    WHERE pg_database.datname = current_database() AND datconnlimit >= 0 AND NOT rolsuper
    UNION ALL
    SELECT 'role', "limit", (
        SELECT count(*) FROM pg_stat_activity
        WHERE usesysid = role AND backend_type = 'client backend'
    )::int
    FROM own WHERE "limit" >= 0 AND NOT rolsuper
)
SELECT whose, "limit", used - 1 FROM limits ORDER BY "limit" - used LIMIT 1
"""


@check("database.connections", needs=["database.port"], applies=on_postgresql)
def connections(examination: Examination) -> Outcome:
    failure = examination.database.failure
    if failure and failure.check == "database.connections":
        if any(words in failure.message for words in POOLER_MESSAGES):
            return error(f"a pooler refuses the connection: {failure.message}")
        fact = f"the server has no connection left: {failure.message}"
        return error(fact, more_connections(examination, failure.message))
    outcome = skipped_unless_reached("database.version", failure)
    return outcome or ok("the server accepts connections")


@check("database.version", needs=["database.connections"], applies=on_postgresql)
def version(examination: Examination) -> Outcome:
    failure = examination.database.failure
    if failure:
        return error(failure.message)
    [number] = examination.database.one("SHOW server_version")
    return ok(f"PostgreSQL {number}")


@check("database.replicas", needs=["database.version"], applies=on_postgresql)
def replicas(examination: Examination) -> Outcome:
    """Compare the connections that are left with those that one replica takes."""
    whose, limit, used = examination.database.one(CONNECTIONS)
    needed = settings.WEB_CONCURRENCY * (settings.THREADS + 1)
    fact = f"{used} of {limit} connections of the {whose} are used"
    if examination.database.is_pooled:
        return ok(f"{fact}. A pooler is in between, whose limits decide how many replicas fit")
    if limit < needed:
        fact = f"one replica takes up to {needed} connections, but the {whose} accepts {limit}"
        return error(fact, connections_fix(examination, whose, limit, used))
    left = limit - used
    fact += f"; one replica takes up to {needed}, so there is room for {left // needed} more"
    # The connections of a service that runs here are counted already.
    room = left + needed if examination.answers else left
    enough = left > 0 if examination.answers else left >= needed
    return ok(fact) if enough else warning(fact, connections_fix(examination, whose, room, used))


def connections_fix(examination: Examination, whose: str, room: int, used: int) -> str | None:
    """Fewer threads if there is room for one thread in each worker, or else more connections."""
    if settings.THREADS > 1 and room >= 2 * settings.WEB_CONCURRENCY:
        return examination.place.set("THREADS", "1")
    enough = used + 2 * settings.WEB_CONCURRENCY * (settings.THREADS + 1)
    return more_connections(examination, f"connections for {whose}", enough)


def more_connections(examination: Examination, message: str, enough: int = 0) -> str | None:
    """The command that allows more connections; for the server, at least ``enough`` of them."""
    database, place = examination.database, examination.place
    if "connections for role" in message:
        return psql(examination, f"ALTER ROLE {identifier(database.role)} CONNECTION LIMIT -1")
    if "connections for database" in message:
        return psql(examination, f"ALTER DATABASE {identifier(database.name)} CONNECTION LIMIT -1")
    number = max(200, enough)
    if command := place.set_parameter(database.server, "max_connections", number):
        return command
    if not (restart := place.restart_database(database.server)):
        return None
    return f"{psql(examination, f'ALTER SYSTEM SET max_connections = {number}')} && {restart}"


@check("database.latency", needs=["database.version"], applies=on_postgresql)
def latency(examination: Examination) -> Outcome:
    durations = []
    for _ in range(STATEMENTS):
        start = time.perf_counter()
        examination.database.one("SELECT 1")
        durations.append(time.perf_counter() - start)
    return judge_latency(statistics.median(durations))


def judge_latency(seconds: float) -> Outcome:
    fact = f"{seconds * 1000:.1f} ms for a statement there and back"
    return warning(f"{fact}, for which each request waits") if seconds > SLOW else ok(fact)


@check("service.E013", group="database", needs=["database.latency"], applies=on_postgresql)
def encoding(examination: Examination) -> Outcome:
    database = examination.database
    if not (reason := wrong_encoding(database.wrapper)):
        return ok("the encoding is UTF8")
    options = " --encoding=UTF8 --template=template0"
    fix = create_database(examination, f"{database.name}_utf8", options)
    return error(reason.partition(" Create")[0], f"{fix}   # then name it in DATABASE_URL")


@check("database.writable", needs=["service.E013", "database.file"])
def writable(examination: Examination) -> Outcome:
    database = examination.database
    if not refused_writes(database.wrapper):
        return ok("the database accepts writes")
    if database.vendor == "sqlite":
        return error(READ_ONLY)
    [standby] = database.one("SELECT pg_is_in_recovery()")
    if standby:
        fact = "the server is a standby, which accepts no writes: name the primary in DATABASE_URL"
        url = "'postgresql://ROLE@PRIMARY,STANDBY/NAME?target_session_attrs=read-write'"
        return error(fact, examination.place.set("DATABASE_URL", url))
    statement = "SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only'"
    [source] = database.one(statement)
    fact = f"default_transaction_read_only is on (where it is set: {source})"
    return error(fact, read_only_fix(examination, source))


def read_only_fix(examination: Examination, source: str) -> str | None:
    if source not in READ_ONLY_SOURCES:
        return None
    database = examination.database
    statements = [
        "SET default_transaction_read_only = off",  # else the next one is refused as well
        READ_ONLY_SOURCES[source].format(
            database=identifier(database.name), role=identifier(database.role)
        ),
    ]
    if source == "configuration file":
        statements.append("SELECT pg_reload_conf()")
    return psql(examination, *statements)


@check("database.role", needs=["service.E013"], applies=on_postgresql)
def role(examination: Examination) -> Outcome:
    """Report a superuser: whoever takes over the service could read files of the server."""
    name, superuser, first = examination.database.one(
        "SELECT rolname, rolsuper, oid = 10 FROM pg_roles WHERE rolname = current_user"
    )
    if not superuser:
        return ok(f"the role {name!r} is not a superuser")
    fact = f"the role {name!r} is a superuser, which the service does not need"
    if first:  # PostgreSQL does not take this right from its first role
        return warning(f"{fact}: docs/configuration.md says how to make another one")
    return warning(fact, psql(examination, f"ALTER ROLE {identifier(name)} NOSUPERUSER"))
