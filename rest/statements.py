"""The statements of a resource, each of which does one request and returns its JSON.

For such a statement the ORM needs more time than the database, and it creates model instances
although only the JSON is needed. So rest/compiler.py builds each statement once. The ORM serves
what is rare or varies: filters and the admin.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import Error, connection, models
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from rest_framework.serializers import ModelSerializer

from rest.compiler import FILTERS, Compiler, GivenFields
from rest.idempotency import Idempotency
from rest.search import uses_search_index
from service.database_errors import is_conflict

MAX_ID = 2**63 - 1
# How often a statement is tried that the database rolled back because of another transaction.
ATTEMPTS = 3
# How many rows a search looks through before it uses an index. What it finds FREQUENT times in the
# first window is likely to fill a page within the second.
WINDOWS = (5_000, 100_000)
FREQUENT = 5

Values = dict[str, Any]  # by field name
Key = tuple[int, ...]  # a row's values of the fields in the ordering
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
        self._sql = Compiler(serializer, parent)
        self.meta = self._sql.meta
        self.ordering = self._sql.ordering
        self.references = self._sql.references
        self.has_url = self._sql.has_url
        # One statement for each set of members that requests contain.
        self._insert = cache(self._sql.insert)
        self._update = cache(self._sql.update)
        self._search_nearby = cache(self._sql.search_nearby)
        self._search_index = cache(self._sql.search_index)

    def page(
        self,
        queryset: QuerySet[Any],
        after: Key | None,
        limit: int,
        within: Values,
        base_url: str | None = None,
    ) -> list[str]:
        """The JSON of up to ``limit`` rows after a key, of the parent in ``within``."""
        parameters = {**within, "_limit": limit, "_base_url": base_url}
        if after is not None:
            parameters |= zip(self._sql.after_names, after, strict=True)
        if not queryset.query.has_filters():
            sql = self._sql.first_page if after is None else self._sql.next_page
            return [json for (json,) in _execute(sql, parameters)]
        # The ORM compiles the filters, around the same JSON and condition.
        queryset = queryset.filter(**within).order_by(*self.ordering)
        if uses_search_index(queryset):
            return self._search(queryset, parameters, after is not None)
        if after is not None:
            comes_after = _expression(self._sql.comes_after, parameters, models.BooleanField())
            queryset = queryset.filter(comes_after)
        json = _expression(self._sql.json, parameters)
        rows = queryset.values_list(json, flat=True)[:limit]
        return _retry(lambda: list(rows.all()))

    def _search(self, queryset: QuerySet[Any], parameters: Values, after: bool) -> list[str]:
        """The page of a search for which there is an index.

        The index finds all rows that match before the first of them is known, which takes long for
        what many rows have. That is found among the next rows of the table.
        """
        for window in WINDOWS:
            values = {**parameters, "_window": window}
            rows = _execute(*_with_filters(self._search_nearby(after), queryset, values))
            if len(rows) == parameters["_limit"]:
                return [json for (json,) in rows]
            if len(rows) < FREQUENT:
                break
        rows = _execute(*_with_filters(self._search_index(after), queryset, parameters))
        return [json for (json,) in rows]

    def read(self, pk: int, base_url: str | None = None) -> Row | None:
        return _row(self._sql.read, {"_pk": pk, "_base_url": base_url})

    def read_by_key(self, key: str, base_url: str | None = None) -> tuple[str, Row] | None:
        """The fingerprint of the request that had this Idempotency-Key, and the row it created."""
        parameters = {"idempotency_key": key, "_base_url": base_url}
        rows = _execute(self._sql.read_by_key, parameters)
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
        sql, defaults = self._insert(_given(values))
        values = {**{field.name: field.get_default() for field in defaults}, **values}
        return _row(sql, {**self._adapted(values), "_now": _now(), "_base_url": base_url})

    def change(
        self, pk: int, values: Values, versions: set[int] | None, base_url: str | None = None
    ) -> Row | None:
        """Write the given values as the next version if the row is at one of ``versions``.

        None stands for any version. The condition is checked under the row's lock. Returns
        None if there is no such row or version, or a foreign key's row is missing.
        """
        update, condition = self._update(_given(values)), self._sql.version_condition(versions)
        parameters = {**self._adapted(values), "_pk": pk, "_now": _now(), "_base_url": base_url}
        return _row(f"{update} {condition} {self._sql.returning}", parameters)

    def change_all(self, queryset: QuerySet[Any], values: Values, within: Values) -> int:
        """Write the values to all rows of the parent in ``within``; return their number."""
        parameters = {**self._adapted(values), "_now": _now()}
        new = {
            name: _expression(sql, parameters)
            for name, sql in self._sql.new_values(_given(values)).items()
        }
        return _retry(lambda: queryset.filter(**within).update(**new))

    def delete(self, pk: int, versions: set[int] | None) -> bool:
        """Delete the row if it is at one of ``versions``; return whether it was."""
        condition = self._sql.version_condition(versions)
        sql = f"{self._sql.delete} {condition} RETURNING {self._sql.pk}"
        return bool(_execute(sql, {"_pk": pk}))

    def delete_all(self, queryset: QuerySet[Any], within: Values) -> int:
        """Delete all rows of the parent in ``within``; return their number.

        For a row that another transaction changes, the database checks the filter again.
        """
        # QuerySet.delete() would read the rows first, and then delete by id what no longer
        # matches, as soon as another model refers to this one. The database cascades here.
        rows = queryset.filter(**within)
        return _retry(lambda: int(rows._raw_delete(rows.db)))

    def _adapted(self, values: Values) -> Values:
        """The values as parameters for the database driver."""
        return {
            name: value
            if type(value) in (str, int)  # most are
            else self._sql.fields[name].get_db_prep_save(value, connection)
            for name, value in values.items()
        }


def _given(values: Values) -> GivenFields:
    return tuple((name, value is None) for name, value in values.items())


def _now() -> Any:
    return connection.ops.adapt_datetimefield_value(timezone.now())


def _expression(sql: str, parameters: Values, output_field: Any = None) -> RawSQL:
    """The SQL for the ORM, whose parameters have no names."""
    names = re.findall(r"%\((\w+)\)s", sql)
    return RawSQL(
        re.sub(r"%\(\w+\)s", "%s", sql), [parameters[name] for name in names], output_field
    )


def _with_filters(sql: str, queryset: QuerySet[Any], parameters: Values) -> tuple[str, Values]:
    """Put the conditions of the queryset in the place of FILTERS, and add their parameters."""
    compiler = queryset.query.get_compiler(connection=connection)
    filters, values = compiler.compile(queryset.query.where)
    named = {f"_filter_{number}": value for number, value in enumerate(values)}
    names = iter(named)
    filters = re.sub("%[%s]", lambda at: "%%" if at[0] == "%%" else f"%({next(names)})s", filters)
    return sql.replace(FILTERS, filters), {**parameters, **named}


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


def _retry(statement: Callable[[], Result]) -> Result:
    """Call ``statement``, again if a deadlock or a serialization failure rolled it back.

    Each call is a transaction of its own, so nothing of the failed attempt remains.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return statement()
        except Error as error:
            if not is_conflict(error):
                raise
    return statement()
