"""Commands for somebody who may administer the PostgreSQL server.

A shell beside the server can be its superuser without a password, in the official image at least.
"""

import shlex

from service.doctor.examination import Examination

ANY_DATABASE = "postgres"  # which every server has
# https://www.postgresql.org/docs/current/sql-keywords-appendix.html: those that need quotes as a
# name, without those that have an underscore.
RESERVED = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check
    collate collation column concurrently constraint create cross default deferrable desc distinct
    do else end except false fetch for foreign freeze from full grant group having ilike in
    initially inner intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural none not notnull null offset on only or order outer overlaps placing
    primary public references returning right select similar some symmetric table tablesample then
    to trailing true union unique user using variadic verbose when where window with
"""


def psql(
    examination: Examination,
    *statements: str,
    database: str = ANY_DATABASE,
    interactive: bool = False,
) -> str:
    """The command that executes these statements, each in a transaction of its own."""
    role = shlex.quote(examination.database.superuser)
    commands = " ".join(f"-c {shlex.quote(statement)}" for statement in statements)
    program = f"psql -U {role} -d {shlex.quote(database)} {commands}"
    return examination.place.client(examination.database.server, program, interactive=interactive)


def create_database(examination: Examination, name: str, options: str = "") -> str:
    database = examination.database
    superuser, role = database.superuser, database.role
    owner = "" if superuser == role else f" --owner={shlex.quote(role)}"
    program = f"createdb -U {shlex.quote(superuser)}{owner}{options} {shlex.quote(name)}"
    return examination.place.client(database.server, program)


def create_role(examination: Examination) -> str:
    database = examination.database
    program = f"createuser -U {database.superuser} --login --pwprompt {shlex.quote(database.role)}"
    return examination.place.client(database.server, program, interactive=True)


def identifier(name: str) -> str:
    """The name as an SQL identifier, quoted if it has to be."""
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    return name if plain and name not in RESERVED.split() else '"' + name.replace('"', '""') + '"'
