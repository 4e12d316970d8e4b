"""The statements of a resource, each of which does one request and returns its JSON.

The ORM takes longer to compile such a statement than a database to execute it, and creates
model instances of which only the JSON is needed. So they are compiled once, by
rest/compiler.py. The ORM still serves what is rare or varies: filters and the admin.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import OperationalError, connection, models
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.utils import timezone
from rest_framework.serializers import ModelSerializer

from rest.compiler import BASE_URL, Compiler, Names
from rest.idempotency import Idempotency
from service.errors import is_conflict

MAX_ID = 2**63 - 1
# How often a statement is tried that the database rolled back because of a deadlock.
ATTEMPTS = 3

Values = dict[str, Any]  # by field name
Key = tuple[int, ...]  # a row's values of the fields in the ordering
Rows = models.QuerySet[Any]
Result = TypeVar("Result")


class Row(NamedTuple):
    """What a statement returns of a row."""

    id: int
    version: int
    json: str


class Statements:
    """The statements for one model; Compiler describes the parameters.

    A foreign key to a row that does not exist is no error here: nothing is written then.
    ``base_url`` is the URL of a row without its id, for serializers that have a URL.
    """

    def __init__(self, serializer: type[ModelSerializer[Any]], parent: str | None = None) -> None:
        self.sql = Compiler(serializer, parent)
        self.meta = self.sql.meta
        self.references = self.sql.references
        # One statement for each set of members that requests contain.
        self._insert = cache(self.sql.insert)
        self._update = cache(self.sql.update)

    def page(
        self, rows: Rows, after: Key | None, limit: int, within: Values, base_url: str | None = None
    ) -> list[str]:
        """The JSON of up to ``limit`` of ``rows`` after a key, of the parent in ``within``."""
        if rows.query.has_filters():
            return self._filtered_page(rows.filter(**within), after, limit, base_url)
        parameters = {**within, "_limit": limit, "_base_url": base_url}
        sql = self.sql.first_page
        if after is not None:
            sql = self.sql.next_page
            parameters |= zip(self.sql.after_names, after, strict=True)
        return [json for (json,) in _execute(sql, parameters)]

    def _filtered_page(
        self, rows: Rows, after: Key | None, limit: int, base_url: str | None
    ) -> list[str]:
        """A page of a filtered queryset, compiled by the ORM with the same JSON and condition."""
        if after is not None:
            comes_after = self.sql.comes_after(["%s"] * len(after))
            rows = rows.filter(RawSQL(comes_after, after, models.BooleanField()))
        has_url = [base_url] if self.sql.has_url else []
        json = RawSQL(self.sql.json.replace(BASE_URL, "%s"), has_url)
        return list(rows.order_by(*self.sql.ordering).values_list(json, flat=True)[:limit])

    def read(self, pk: int, base_url: str | None = None) -> Row | None:
        return _row(self.sql.read, {"_pk": pk, "_base_url": base_url})

    def read_by_key(self, key: str, base_url: str | None = None) -> tuple[str, Row] | None:
        """The fingerprint of the request that had this Idempotency-Key, and the row it created."""
        parameters = {"idempotency_key": key, "_base_url": base_url}
        rows = _execute(self.sql.read_by_key, parameters)
        return (rows[0][0], Row(*rows[0][1:])) if rows else None

    def missing(self, values: Values) -> list[str]:
        """The foreign keys among ``values`` whose row does not exist."""
        return [
            name
            for name, field in self.references.items()
            if values.get(name) is not None
            and not field.related_model._base_manager.filter(pk=values[name]).exists()
        ]

    def create(
        self, values: Values, base_url: str | None = None, idempotency: Idempotency | None = None
    ) -> Row | None:
        """Insert a row. None if a foreign key's row is missing or the idempotency key is taken."""
        if idempotency:
            values = {
                **values,
                "idempotency_key": idempotency.key,
                "idempotency_fingerprint": idempotency.fingerprint,
            }
        sql, defaults = self._insert(_names(values))
        values = {**{field.name: field.get_default() for field in defaults}, **values}
        return _row(sql, {**self._adapted(values), "_now": _now(), "_base_url": base_url})

    def change(
        self, pk: int, values: Values, versions: set[int] | None, base_url: str | None = None
    ) -> Row | None:
        """Write the given values as the next version if the row is at one of ``versions``.

        None stands for any version. The condition is checked under the row's lock. Returns
        None if there is no such row or version, or a foreign key's row is missing.
        """
        update, condition = self._update(_names(values)), self.sql.and_is_at(versions)
        parameters = {**self._adapted(values), "_pk": pk, "_now": _now(), "_base_url": base_url}
        return _row(f"{update} {condition} {self.sql.returning}", parameters)

    def change_all(self, rows: Rows, values: Values, within: Values) -> int:
        """Write the values to all of ``rows`` of the parent; return the number of rows."""
        new: dict[str, Any] = {"version": F("version") + 1}
        for name, value in self._adapted(values).items():
            new[name] = None if value is None else RawSQL(self.sql.changed(name, "%s"), [value])
        for name, field in self.sql.fields.items():
            if getattr(field, "auto_now", False):
                new[name] = RawSQL(self.sql.later(name, "%s"), [_now()])
        return _retry(lambda: rows.filter(**within).update(**new))

    def delete(self, pk: int, versions: set[int] | None) -> bool:
        """Delete the row if it is at one of ``versions``; return whether it was."""
        condition = self.sql.and_is_at(versions)
        sql = f"{self.sql.delete} {condition} RETURNING {self.sql.pk}"
        return bool(_execute(sql, {"_pk": pk}))

    def delete_all(self, rows: Rows, within: Values) -> int:
        """Delete all of ``rows`` of the parent; return the number of rows.

        For a row that another transaction changes, the database checks the filter again.
        """
        return _retry(lambda: rows.filter(**within).delete()[0])

    def _adapted(self, values: Values) -> Values:
        """The values as parameters for the database driver."""
        return {
            name: value
            if type(value) in (str, int)  # most are
            else self.sql.fields[name].get_db_prep_save(value, connection)
            for name, value in values.items()
        }


def _names(values: Values) -> Names:
    return tuple((name, value is None) for name, value in values.items())


def _now() -> Any:
    return connection.ops.adapt_datetimefield_value(timezone.now())


def _row(sql: str, parameters: Values) -> Row | None:
    rows = _execute(sql, parameters)
    return Row(*rows[0]) if rows else None


def _execute(sql: str, parameters: Values) -> list[Any]:
    def execute() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[Any] = cursor.fetchall()
        return rows

    return _retry(execute)


def _retry(write: Callable[[], Result]) -> Result:
    """Call ``write``, again if the database rolled it back because of a deadlock.

    Each call is a transaction of its own, so nothing of the failed attempt remains.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return write()
        except OperationalError as error:
            if not is_conflict(error):
                raise
    return write()
