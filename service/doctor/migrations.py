"""Are the migrations of this version applied, and no others?"""

from django import db
from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from service.database import missing_rights
from service.doctor.administration import identifier, psql
from service.doctor.examination import Examination, on_postgresql
from service.doctor.registry import Outcome, check, error, ok, skipped, warning

SHOWN = 3  # migrations


@check("migrations.applied", needs=["database.writable"])
def applied(examination: Examination) -> Outcome:
    known = set(MigrationLoader(None).disk_migrations)
    missing = sorted(known - applied_in_database(examination))
    if not missing:
        return ok(f"all {len(known)} are applied")
    fact = f"{len(missing)} of {len(known)} are missing: {names(missing)}"
    if forbidden := no_new_tables(examination):
        return error(f"{fact}. {forbidden.fact}", forbidden.fix)
    fix = examination.place.manage("migrate")
    if settings.MIGRATE == "auto" and not examination.serves_here:
        return warning(f"{fact}. `serve` applies them when it starts", fix)
    return error(fact, fix)


def no_new_tables(examination: Examination) -> Outcome | None:
    """Why this role cannot migrate; from PostgreSQL 15 on, only the database's owner may."""
    if not on_postgresql(examination) or "migration" in settings.DATABASES:  # another role may
        return None
    database = examination.database
    schema, allowed = database.one(
        "SELECT current_schema(), has_schema_privilege(current_schema(), 'CREATE')"
    )
    if schema is None:
        return error("No schema of search_path exists, so `migrate` cannot make tables")
    if allowed:
        return None
    grant = f"GRANT CREATE ON SCHEMA {identifier(schema)} TO {identifier(database.role)}"
    return error(
        f"The role {database.role!r} may not make tables in the schema {schema!r}",
        psql(examination, grant, database=database.name),
    )


@check("migrations.unknown", needs=["database.writable"])
def unknown(examination: Examination) -> Outcome:
    migrations = MigrationLoader(None).disk_migrations
    known = set(migrations)
    known |= {replaced for each in migrations.values() for replaced in each.replaces}
    labels = {each.label for each in apps.get_app_configs()}
    newer = sorted(each for each in applied_in_database(examination) - known if each[0] in labels)
    if not newer:
        return ok("none is of another version")
    return warning(f"another version has migrated the database: {names(newer)}. Start that one")


def applied_in_database(examination: Examination) -> set[tuple[str, str]]:
    return set(MigrationRecorder(examination.database.wrapper).applied_migrations())


def names(migrations: list[tuple[str, str]]) -> str:
    more = ", ..." if len(migrations) > SHOWN else ""
    return ", ".join(f"{app}.{name}" for app, name in migrations[:SHOWN]) + more


@check(
    "database.rights",
    needs=["database.writable", "migrations.applied"],
    applies=on_postgresql,
)
def rights(examination: Examination) -> Outcome:
    database = examination.database
    if not (forbidden := missing_rights(database.wrapper)):
        return ok("the role may read and write all tables")
    tables = ", ".join(map(identifier, forbidden))
    grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {identifier(database.role)}"
    fact = f"the role {database.role!r} may not write to {', '.join(forbidden)}"
    return error(fact, psql(examination, grant, database=database.name))


@check("service.W015", group="migrations", needs=["migrations.applied"])
def hashed_tokens(examination: Examination) -> Outcome:
    from service.tokens import plain_tokens

    wrapper = examination.database.wrapper
    statement, parameters = plain_tokens().query.get_compiler(connection=wrapper).as_sql()
    counting = f"SELECT count(*) FROM ({statement}) AS tokens"  # noqa: S608 - compiled by the ORM
    try:
        [count] = examination.database.one(counting, parameters)
    except db.Error:  # there is no such table yet
        return skipped("skipped: needs migrations.applied")
    if not count:
        return ok("every token is stored as a digest")
    fact = f"the keys of {count} tokens are stored unhashed, as earlier versions did"
    return warning(fact, examination.place.manage("hash_tokens"))
