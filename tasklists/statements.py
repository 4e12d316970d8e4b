"""The API's statements: each does what a request asks for, and returns its answer as JSON.

The ORM takes longer to write such a statement than a database to execute it, and makes model
instances of which nothing but their JSON is wanted. Where neither matters (the filters, the
admin) it is the ORM that asks.
"""

from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from tasklists.models import TaskList

MAX_ID = 2**63 - 1

# A list as JSON; times are in UTC as RFC 3339 has them. PostgreSQL's own row_to_json, which needs
# a query for each row's names, takes a quarter longer for a page.
JSON = {
    "postgresql": """format(
        '{"id":%%s,"name":%%s,"created_at":"%%s","updated_at":"%%s","version":%%s}',
        id, to_json(name),
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        version
    )""",
    "sqlite": """json_object(
        'id', id, 'name', name,
        'created_at', replace(created_at, ' ', 'T') || 'Z',
        'updated_at', replace(updated_at, ' ', 'T') || 'Z',
        'version', version
    )""",
}[connection.vendor]

# The greater of two values.
GREATER = {"postgresql": "GREATEST", "sqlite": "MAX"}[connection.vendor]

PAGE = f"SELECT {JSON} FROM tasklists_tasklist WHERE id > %s ORDER BY id LIMIT %s"
READ = f"SELECT id, version, {JSON} FROM tasklists_tasklist WHERE id = %s"
CREATE = f"""INSERT INTO tasklists_tasklist (name, created_at, updated_at, version)
    VALUES (%s, %s, %s, 1) RETURNING id, version, {JSON}"""
CHANGE = f"""UPDATE tasklists_tasklist
    SET name = %s, updated_at = {GREATER}(updated_at, %s), version = version + 1
    WHERE id = %s"""
CHANGED = f"RETURNING id, version, {JSON}"
DELETE = "DELETE FROM tasklists_tasklist WHERE id = %s"


class Row(NamedTuple):
    """A list as it is in the database, and as the answer has it."""

    id: int
    version: int
    json: str


def page(lists: QuerySet[TaskList], after: int, limit: int) -> list[str]:
    """The JSON of the first ``limit`` lists whose id is greater than ``after``."""
    if lists.query.has_filters():
        rows = lists.filter(id__gt=after).order_by("id")
        return list(rows.values_list(RawSQL(JSON, ()), flat=True)[:limit])
    return [json for (json,) in _execute(PAGE, after, limit)]


def read(pk: int) -> Row | None:
    return _row(READ, pk)


def create(name: str) -> Row:
    now = _now()
    [row] = _execute(CREATE, name, now, now)
    return Row(*row)


def change(pk: int, name: str, versions: set[int] | None) -> Row | None:
    """Write the list's next version if it is at one of ``versions`` (None: at any).

    The condition is checked under the row's lock, for which it may have to wait: what
    was written meanwhile is not later than this. None: nothing was written.
    """
    return _row(f"{CHANGE} {_and_is_at(versions)} {CHANGED}", name, _now(), pk)


def delete(pk: int, versions: set[int] | None) -> bool:
    """Whether there was a list, at one of ``versions``, that is now deleted."""
    return bool(_execute(f"{DELETE} {_and_is_at(versions)} RETURNING id", pk))


def _and_is_at(versions: set[int] | None) -> str:
    if versions is None:
        return ""
    return f"AND version IN ({', '.join(map(str, versions)) or 'NULL'})"


def _now() -> Any:
    return connection.ops.adapt_datetimefield_value(timezone.now())


def _row(sql: str, *parameters: Any) -> Row | None:
    rows = _execute(sql, *parameters)
    return Row(*rows[0]) if rows else None


def _execute(sql: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Any] = cursor.fetchall()
    return rows
