"""The SQL statements of a resource, built once from its model and its serializer.

One statement does one request and returns the response's JSON. The ORM takes longer to
compile such a statement than a database to execute it, and creates model instances of which
only the JSON is needed. The ORM still serves what is rare or varies: filters and the admin.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, models
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.utils import timezone
from rest_framework.relations import HyperlinkedIdentityField
from rest_framework.serializers import ModelSerializer

from rest.idempotency import Idempotency
from rest.models import FirstTimeField, PositionField, Resource
from rest.sql import NUMBERS, Member, dialect, json_object, type_of
from service.errors import is_conflict

MAX_ID = 2**63 - 1
# How often a statement is tried that the database rolled back because of a deadlock.
ATTEMPTS = 3

Values = dict[str, Any]  # by field name
Names = tuple[tuple[str, bool], ...]  # field names, each with whether its value is NULL
Key = tuple[int, ...]  # a row's values of the fields in the ordering
Rows = models.QuerySet[Any]
Result = TypeVar("Result")

# Placeholders. The parameter of a field's value has the field's name.
PK, NOW, LIMIT, BASE_URL = "%(_pk)s", "%(_now)s", "%(_limit)s", "%(_base_url)s"

quote = connection.ops.quote_name


class Row(NamedTuple):
    """What a statement returns of a row."""

    id: int
    version: int
    json: str


class Statements:
    """The statements for one model, whose rows have the JSON that ``serializer`` declares.

    ``parent`` is the foreign key to the row that a collection belongs to, if any. A foreign
    key to a row that does not exist is no error here: the statement writes nothing. Parameters
    called ``base_url`` are the URL of a row without its id, for serializers with a URL.
    """

    def __init__(self, serializer: type[ModelSerializer[Any]], parent: str | None = None) -> None:
        self.model: type[Resource] = serializer.Meta.model
        self.meta = self.model._meta
        self.fields: dict[str, Any] = {field.name: field for field in self.meta.concrete_fields}
        self.references = {name: field for name, field in self.fields.items() if field.many_to_one}
        self.ordering = tuple(self.meta.ordering)

        members = [self._member(name, field) for name, field in serializer().fields.items()]
        self._check(serializer, members)
        self.has_url = any(member.base_url for member in members)
        self.json = json_object(members)

        self.table = quote(self.meta.db_table)
        self.pk = self.column(self.meta.pk.name)
        self.version = self.column("version")
        row = f"{self.pk}, {self.version}, {self.json}"
        self._returning = f"RETURNING {row}"
        self._read = f"SELECT {row} FROM {self.table} WHERE {self.pk} = {PK}"
        self._read_by_key = f"""SELECT {self.column("idempotency_fingerprint")}, {row}
            FROM {self.table} WHERE {self.column("idempotency_key")} = %(idempotency_key)s"""
        self._delete = f"DELETE FROM {self.table} WHERE {self.pk} = {PK}"
        within = [f"{self.column(parent)} = %({parent})s"] if parent else []
        key = [f"%({name})s" for name in self._key_names()]
        self._first_page = self._page(within)
        self._next_page = self._page([*within, self._follows(key)])
        # One statement for each set of members that requests contain.
        self._insert_for = cache(self._insert)
        self._update_for = cache(self._update)

    # Reading

    def page(
        self, rows: Rows, key: Key | None, limit: int, within: Values, base_url: str | None = None
    ) -> list[str]:
        """The JSON of up to ``limit`` of ``rows`` after ``key``, of the parent in ``within``."""
        if rows.query.has_filters():
            return self._filtered_page(rows.filter(**within), key, limit, base_url)
        parameters = {**within, "_limit": limit, "_base_url": base_url}
        sql = self._first_page
        if key is not None:
            sql = self._next_page
            parameters |= zip(self._key_names(), key, strict=True)
        return [json for (json,) in _execute(sql, parameters)]

    def read(self, pk: int, base_url: str | None = None) -> Row | None:
        return _row(self._read, {"_pk": pk, "_base_url": base_url})

    def read_by_key(self, key: str, base_url: str | None = None) -> tuple[str, Row] | None:
        """The row that was created with this Idempotency-Key, after the request's fingerprint."""
        rows = _execute(self._read_by_key, {"idempotency_key": key, "_base_url": base_url})
        return (rows[0][0], Row(*rows[0][1:])) if rows else None

    def missing(self, values: Values) -> list[str]:
        """The foreign keys among ``values`` whose row does not exist."""
        return [
            name
            for name, field in self.references.items()
            if values.get(name) is not None
            and not field.related_model._base_manager.filter(pk=values[name]).exists()
        ]

    # Writing

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
        sql, defaults = self._insert_for(_names(values))
        values = {**{field.name: field.get_default() for field in defaults}, **values}
        return _row(sql, {**self._adapted(values), "_now": _now(), "_base_url": base_url})

    def change(
        self, pk: int, values: Values, versions: set[int] | None, base_url: str | None = None
    ) -> Row | None:
        """Write the given values as the next version if the row is at one of ``versions``.

        None stands for any version. The condition is checked under the row's lock, for which
        the statement may have to wait, so updated_at is kept from going back. Returns None if
        there is no such row or version, or a foreign key's row is missing.
        """
        sql = f"{self._update_for(_names(values))} {self._and_is_at(versions)} {self._returning}"
        parameters = {"_pk": pk, "_now": _now(), "_base_url": base_url}
        return _row(sql, {**self._adapted(values), **parameters})

    def change_all(self, rows: Rows, values: Values, within: Values) -> int:
        """Write the values to all of ``rows`` of the parent; return the number of rows."""
        new: dict[str, Any] = {"version": F("version") + 1}
        for name, value in self._adapted(values).items():
            changed = self._changed(self.fields[name], "%s")
            new[name] = None if value is None else RawSQL(changed, [value])
        for field in self.fields.values():
            if getattr(field, "auto_now", False):
                new[field.name] = RawSQL(self._later(field, "%s"), [_now()])
        return _retry(lambda: rows.filter(**within).update(**new))

    def delete(self, pk: int, versions: set[int] | None) -> bool:
        """Delete the row if it is at one of ``versions``; return whether it was."""
        sql = f"{self._delete} {self._and_is_at(versions)} RETURNING {self.pk}"
        return bool(_execute(sql, {"_pk": pk}))

    def delete_all(self, rows: Rows, within: Values) -> int:
        """Delete all of ``rows`` of the parent; return the number of rows.

        The database checks the filter again for a row that has changed meanwhile.
        """
        return _retry(lambda: rows.filter(**within).delete()[0])

    # Construction

    def column(self, name: str) -> str:
        """A field's column, qualified by the table because filters may join others."""
        return f"{quote(self.meta.db_table)}.{quote(self.fields[name].column)}"

    def _check(self, serializer: type[ModelSerializer[Any]], members: list[Member]) -> None:
        """Raise ImproperlyConfigured for a model that these statements cannot serve."""
        model = self.model.__name__
        constraints = [getattr(each, "fields", ()) for each in self.meta.constraints]
        if ("idempotency_key",) not in constraints:
            raise ImproperlyConfigured(f"{model}.Meta has to inherit from Resource.Meta.")
        keys = {member.name for member in members if member.type in NUMBERS and not member.null}
        if not keys.issuperset(self.ordering) or self.ordering[-1:] != (self.meta.pk.name,):
            raise ImproperlyConfigured(
                f"{model}.Meta.ordering has to name integers that {serializer.__name__} has, "
                f"none of them NULL, and end with {self.meta.pk.name!r}; it is {self.ordering}."
            )

    def _member(self, name: str, api_field: Any) -> Member:
        if isinstance(api_field, HyperlinkedIdentityField):
            return Member(name, self.column(self.meta.pk.name), base_url=BASE_URL)
        field = self.fields[api_field.source]
        return Member(name, self.column(field.name), type_of(field), field.null)

    def _page(self, conditions: list[str]) -> str:
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(map(self.column, self.ordering))
        return f"SELECT {self.json} FROM {self.table} {where} ORDER BY {order} LIMIT {LIMIT}"

    def _follows(self, key: list[str]) -> str:
        """The condition that a row comes after a key; an index on the columns serves it."""
        return f"({', '.join(map(self.column, self.ordering))}) > ({', '.join(key)})"

    def _key_names(self) -> list[str]:
        return [f"_after_{name}" for name in self.ordering]

    def _filtered_page(
        self, rows: Rows, key: Key | None, limit: int, base_url: str | None
    ) -> list[str]:
        """A page of a filtered queryset, compiled by the ORM with the same JSON and condition."""
        if key is not None:
            follows = self._follows(["%s"] * len(key))
            rows = rows.filter(RawSQL(follows, key, models.BooleanField()))
        json = RawSQL(self.json.replace(BASE_URL, "%s"), [base_url] if self.has_url else [])
        return list(rows.order_by(*self.ordering).values_list(json, flat=True)[:limit])

    def _insert(self, names: Names) -> tuple[str, list[Any]]:
        """The INSERT, and the fields for which the model's default is a parameter."""
        given = {name for name, _ in names}
        columns, values, defaults = [], [], []
        for field in self.fields.values():
            if field.name in given:
                value = _parameter(field)
            elif getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
                value = NOW
            elif isinstance(field, PositionField):
                value = field.next_sql()
            elif field.primary_key or field.generated or field.has_db_default():
                continue  # the database has its own
            elif field.null and not field.has_default():
                continue
            else:
                value = _parameter(field)
                defaults.append(field)
            columns.append(quote(field.column))
            values.append(value)
        # SQLite needs a WHERE to tell ON CONFLICT from the ON of a join.
        where = " AND ".join(self._guards(names)) or "TRUE"
        key = quote(self.fields["idempotency_key"].column)
        conflict = f"ON CONFLICT ({key}) WHERE {key} IS NOT NULL DO NOTHING"
        sql = f"""INSERT INTO {self.table} ({", ".join(columns)})
            SELECT {", ".join(values)} WHERE {where}
            {conflict if "idempotency_key" in given else ""} {self._returning}"""
        return sql, defaults

    def _update(self, names: Names) -> str:
        """The UPDATE, up to the condition on the version."""
        given = {name for name, _ in names}
        new = {
            self.fields[name]: _parameter(self.fields[name])
            if null
            else self._changed(self.fields[name], _parameter(self.fields[name]))
            for name, null in names
        }
        for field in self.fields.values():
            if getattr(field, "auto_now", False):
                new[field] = self._later(field, NOW)
            elif (
                isinstance(field, PositionField)
                and field.within in given
                and field.name not in given
            ):
                new[field] = self._moved(field)
        new[self.fields["version"]] = f"{self.version} + 1"
        assignments = ", ".join(f"{quote(field.column)} = {value}" for field, value in new.items())
        conditions = " AND ".join([f"{self.pk} = {PK}", *self._guards(names)])
        return f"UPDATE {self.table} SET {assignments} WHERE {conditions}"

    def _changed(self, field: Any, parameter: str) -> str:
        """The SQL of a field's new value, which is not NULL."""
        if isinstance(field, FirstTimeField):
            return f"COALESCE({self.column(field.name)}, {parameter})"
        return parameter

    def _later(self, field: Any, now: str) -> str:
        return f"{dialect.greatest}({self.column(field.name)}, {now})"

    def _moved(self, field: PositionField) -> str:
        """The position of a row that moves to another parent: the last; otherwise as it was."""
        stays = f"{self.column(field.within)} = %({field.within})s"
        return f"CASE WHEN {stays} THEN {self.column(field.name)} ELSE {field.next_sql()} END"

    def _guards(self, names: Names) -> list[str]:
        """Conditions that the rows of the given foreign keys exist.

        The statement locks those rows until it commits. So the database's own check of the
        foreign key, which would raise IntegrityError, cannot fail.
        """
        guards = []
        for name, null in names:
            if name in self.references and not null:
                target = self.references[name].target_field
                table, column = quote(target.model._meta.db_table), quote(target.column)
                found = f"SELECT 1 FROM {table} WHERE {column} = %({name})s{dialect.share_lock}"
                guards.append(f"EXISTS ({found})")
        return guards

    def _and_is_at(self, versions: set[int] | None) -> str:
        if versions is None:
            return ""
        return f"AND {self.version} IN ({', '.join(map(str, versions)) or 'NULL'})"

    def _adapted(self, values: Values) -> Values:
        """The values as parameters for the database driver."""
        return {
            name: value
            if type(value) in (str, int)  # most are
            else self.fields[name].get_db_prep_save(value, connection)
            for name, value in values.items()
        }


def _names(values: Values) -> Names:
    return tuple((name, value is None) for name, value in values.items())


def _parameter(field: Any) -> str:
    return f"%({field.name})s"


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
