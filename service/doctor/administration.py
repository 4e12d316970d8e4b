"""Commands for somebody who may administer the PostgreSQL server."""

import shlex

from service.doctor.examination import Examination
from service.doctor.places import Server

ANY_DATABASE = "postgres"  # which every server has


def psql(
    examination: Examination,
    *statements: str,
    database: str = ANY_DATABASE,
    superuser: bool = False,
    asks: bool = False,
) -> str:
    """Execute statements, each on its own.

    ``superuser`` is for what the owner of the database may not do, and ``asks`` for what asks for
    a password.
    """
    place, server = examination.place, examination.database.server
    role = "postgres" if superuser else place.administrator(server)
    commands = " ".join(f"-c {shlex.quote(statement)}" for statement in statements)
    program = f"psql -U {shlex.quote(role)} -d {shlex.quote(database)} {commands}"
    return place.client(server, program, asks=asks)


def create_database(examination: Examination, name: str, options: str = "") -> str:
    place, server = examination.place, examination.database.server
    role = place.administrator(server)
    owner = "" if role == server.role else f" --owner={shlex.quote(server.role)}"
    program = f"createdb -U {shlex.quote(role)}{owner}{options} {shlex.quote(name)}"
    return place.client(server, program)


def create_role(examination: Examination, server: Server) -> str:
    program = f"createuser -U postgres --login --pwprompt {shlex.quote(server.role)}"
    return examination.place.client(server, program, asks=True)


def identifier(name: str) -> str:
    """A name as SQL takes it, quoted unless it is plain."""
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    return name if plain else '"' + name.replace('"', '""') + '"'
