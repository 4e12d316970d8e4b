"""Can the service log in to its database? Each step is a check, in the order of a login."""

import shlex
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from django import db
from django.conf import settings

from service.doctor.administration import create_database, create_role, identifier, psql
from service.doctor.connection import (
    CONNECT_TIMEOUT,
    HANGS,
    LOGIN,
    NOT_YET,
    USUAL_PORT,
    Address,
    Database,
    Failure,
    first_answering,
    is_public,
    resolve,
)
from service.doctor.examination import Examination, on_postgresql, on_sqlite
from service.doctor.places import LOCAL_HOSTS, Place, Server
from service.doctor.registry import Outcome, check, error, ok, skipped, warning
from service.errors import one_line

CONFIGURATION = ("configuration.variables", "service.E008", "service.E011")


@check(
    "database.file",
    needs=(
        "configuration.variables",
        "service.E005",
        "service.E006",
        "service.E007",
        "service.E012",
    ),
    applies=on_sqlite,
)
def file(examination: Examination) -> Outcome:
    database = examination.database
    path = Path(database.name)
    if not path.exists() and (settings.MIGRATE == "never" or examination.serves_here):
        return error(f"{path} does not exist", examination.place.manage("migrate"))
    if not path.exists():
        return skipped(f"{path} does not exist yet: `migrate` creates it, and so does `serve`")
    reason = database.failure.message if database.failure else damage(database)
    if reason:
        name = shlex.quote(str(path))
        return error(f"{path} cannot be read: {reason}", f"mv {name} {name}.damaged")
    return ok(f"{path}, {path.stat().st_size / 1024:,.0f} KiB")


def damage(database: Database) -> str | None:
    """Why SQLite's file cannot be read, or None. Opening it does not look at its content."""
    try:
        database.one("SELECT count(*) FROM sqlite_master")
    except db.Error as reason:
        return one_line(reason)
    return None


@check("database.host", needs=CONFIGURATION, timeout=CONNECT_TIMEOUT, applies=on_postgresql)
def host(examination: Examination) -> Outcome:
    database = examination.database
    if not database.servers:
        return ok("the URL names no host: libpq uses PGHOST, or a socket of this machine")
    facts, failed = [], []
    for name, port in database.servers:
        try:
            addresses, canonical = resolve(name, port)
        except OSError as reason:
            failed.append(f"{name}: {reason.strerror}")
            continue
        database.addresses[name, port] = addresses
        database.canonical = database.canonical or canonical
        facts.append(shown(name, addresses))
    if not facts:
        fix = examination.place.start_database(database.server)
        return error(f"the name of the database's host is unknown. {'; '.join(failed)}", fix)
    if failed:
        return warning(f"{', '.join(facts)}. Unknown: {'; '.join(failed)}")
    return ok("; ".join(facts))


def shown(host: str, addresses: Sequence[Address]) -> str:
    if host.startswith("/"):
        return f"a socket in {host}"
    found = sorted({str(address.target[0]) for address in addresses})
    return host if found == [host] else f"{host} is {', '.join(found)}"


@check("database.port", needs=["database.host"], timeout=2 * CONNECT_TIMEOUT, applies=on_postgresql)
def port(examination: Examination) -> Outcome:
    """Connect, and log in; the checks after this one report what the login has found."""
    database = examination.database
    facts, failed = [], []
    for (name, number), addresses in database.addresses.items():
        share = CONNECT_TIMEOUT / len(database.addresses)
        answering, refusals = first_answering(addresses, share)
        if answering is None:
            failed += refusals
        else:
            database.reachable = [*database.reachable, (name, number)]
            database.address = database.address or answering
            facts.append(f"{answering.shown} answers")
    place, server = examination.place, database.server
    if failed and not facts:
        fact = f"nobody answers. {'; '.join(failed)}"
        if usual := answers_at_the_usual_port(database):
            return error(f"{fact}. But {usual.shown} answers", name_usual_port(place, server))
        if place.is_container and server.host in LOCAL_HOSTS:
            fact += f". In a container, {server.host} is the container itself"
        return error(fact, place.start_database(server))
    if (found := database.failure) and found.check == "database.port":
        fact = ". ".join([*([", ".join(facts)] if facts else []), found.message])
        return error(fact, port_fix(examination, found.message))
    if failed:
        return warning(f"{', '.join(facts)}. Others do not: {'; '.join(failed)}")
    return ok(", ".join(facts) or "answers")


def answers_at_the_usual_port(database: Database) -> Address | None:
    """The address of the first host at which somebody answers, if the URL names another port."""
    host, number = database.servers[0]
    addresses = database.addresses.get((host, number), [])
    if number == USUAL_PORT or host.startswith("/"):
        return None
    usual = [
        Address(host, each.family, (each.target[0], int(USUAL_PORT), *each.target[2:]))
        for each in addresses
    ]
    return first_answering(usual, CONNECT_TIMEOUT / 2)[0]


def name_usual_port(place: Place, server: Server) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    role, name = quote(server.role, safe=""), quote(server.database, safe="")
    url = f"postgresql://{role}:PASSWORD@{host}:{USUAL_PORT}/{name}"
    return place.set("DATABASE_URL", shlex.quote(url))


def port_fix(examination: Examination, message: str) -> str | None:
    """Nothing for an unknown cause: to restart a database ends the requests of others."""
    database, place = examination.database, examination.place
    if not database.servers:  # the message is libpq's, about the server that it has chosen
        return place.start_database(database.server)
    if message.endswith(NOT_YET) or "closed the connection unexpectedly" in message:
        return place.manage("doctor --wait 60")
    if "unsupported startup parameter" in message and "migration" not in settings.DATABASES:
        role, name = quote(database.role, safe=""), quote(database.name, safe="")
        direct = f"postgresql://{role}:PASSWORD@SERVER/{name}"  # past PgBouncer, which says this
        return place.set("MIGRATION_DATABASE_URL", shlex.quote(direct))
    return place.restart_database(database.server) if message == HANGS else None


def skipped_unless_reached(step: str, failure: Failure | None) -> Outcome | None:
    """None if the login has got as far as ``step``, which is one of LOGIN."""
    if failure and LOGIN.index(failure.check) < LOGIN.index(step):
        return skipped(f"skipped: needs {failure.check}")
    return None


@check("database.password", needs=["database.port"], applies=on_postgresql)
def password(examination: Examination) -> Outcome:
    failure = examination.database.failure
    if outcome := skipped_unless_reached("database.password", failure):
        return outcome
    role = examination.database.role
    if failure and failure.check == "database.password":
        fact = f"the server refuses the login: {failure.message}"
        return error(fact, login_fix(examination, failure.message))
    return ok(f"the role {role!r} may log in" if role else "the login is accepted")


def login_fix(examination: Examination, message: str) -> str | None:
    server = examination.database.server
    if "no password supplied" in message:
        return examination.place.set("DATABASE_PASSWORD", "PASSWORD")
    if "pg_hba.conf" in message or "certificate" in message:
        return None  # the administrator of the server has to allow this client
    if "does not exist" in message:
        return create_role(examination)
    if "not permitted to log in" in message:
        return psql(examination, f"ALTER ROLE {identifier(server.role)} LOGIN")
    return psql(examination, rf"\password {identifier(server.role)}", interactive=True)


@check("database.exists", needs=["database.password"], applies=on_postgresql)
def exists(examination: Examination) -> Outcome:
    database = examination.database
    failure = database.failure
    if failure and failure.check == "database.exists":
        if "permission denied" in failure.message:
            name, role = identifier(database.name), identifier(database.role)
            grant = f"GRANT CONNECT ON DATABASE {name} TO {role}"
            return error(failure.message, psql(examination, grant))
        if "not currently accepting connections" in failure.message:
            allow = f"ALTER DATABASE {identifier(database.name)} ALLOW_CONNECTIONS true"
            return error(failure.message, psql(examination, allow))
        if "no such database" in failure.message:  # a pooler's own list names it
            return error(f"a pooler does not know the database: {failure.message}")
        return error(failure.message, create_database(examination, database.name))
    return ok(f"the database {database.name!r} exists")


@check("database.tls", needs=["database.port"], applies=on_postgresql)
def tls(examination: Examination) -> Outcome:
    database = examination.database
    failure = database.failure
    if failure and failure.check == "database.tls":
        return error(f"TLS fails: {failure.message}")
    if failure:
        return skipped(f"skipped: needs {failure.check}")
    info = database.wrapper.connection.info
    if info.ssl_in_use:
        return ok(f"encrypted with {info.ssl_attribute('protocol')}")
    return unencrypted(examination.place, database.address)


def unencrypted(place: Place, address: Address | None) -> Outcome:
    if address and address.family == socket.AF_UNIX:
        return ok("not needed for a socket")
    if is_public(address):
        fact = "not encrypted, although the server's address is a public one: add ?sslmode=require"
        return warning(fact, place.set("DATABASE_URL", "'URL?sslmode=require'"))
    return ok("not encrypted, within a private network")


@check(
    "database.migration",
    needs=["configuration.variables", "service.E008"],
    timeout=2 * CONNECT_TIMEOUT,
    applies=lambda examination: on_postgresql(examination) and "migration" in settings.DATABASES,
)
def migration(examination: Examination) -> Outcome:
    """Look at MIGRATION_DATABASE_URL, which bypasses a pooler."""
    database = Database(examination.place, "migration")
    try:
        if failure := database.failure:
            return error(f"MIGRATION_DATABASE_URL: {failure.message}")
        return ok(f"MIGRATION_DATABASE_URL leads to the database {database.name!r}")
    finally:
        database.close()
