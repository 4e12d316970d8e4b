"""Compiles the SQL of a resource's statements from its model and its serializer."""

from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from rest_framework.relations import HyperlinkedIdentityField
from rest_framework.serializers import ModelSerializer

from rest.models import FirstTimeField, PositionField, Resource
from rest.sql import NUMBERS, Member, dialect, json_object, type_of

Names = tuple[tuple[str, bool], ...]  # field names, each with whether its value is NULL

# Placeholders. The parameter of a field's value has the field's name.
PK, NOW, LIMIT, BASE_URL = "%(_pk)s", "%(_now)s", "%(_limit)s", "%(_base_url)s"

quote = connection.ops.quote_name


class Insert(NamedTuple):
    sql: str
    defaults: list[Any]  # the fields for which the model's default is a parameter


class Compiler:
    """SQL for one model, whose rows have the JSON that ``serializer`` declares.

    ``parent`` is the foreign key to the row that a collection belongs to, if any. Each
    statement returns, for each row, its id, its version and its JSON, or only the JSON in a
    page. Raises ImproperlyConfigured for a model that these statements cannot serve.
    """

    def __init__(self, serializer: type[ModelSerializer[Any]], parent: str | None) -> None:
        self.model: type[Resource] = serializer.Meta.model
        self.meta = self.model._meta
        self.fields: dict[str, Any] = {field.name: field for field in self.meta.concrete_fields}
        self.references = {name: field for name, field in self.fields.items() if field.many_to_one}
        self.ordering = tuple(self.meta.ordering)

        if parent not in (None, *self.references):
            raise ImproperlyConfigured(
                f"{self.model.__name__} has no foreign key {parent!r}, which is to be its parent."
            )
        members = [self._member(name, field) for name, field in serializer().fields.items()]
        self._check(serializer, members)
        self.has_url = any(member.base_url for member in members)
        self.json = json_object(members)

        self.table = quote(self.meta.db_table)
        self.pk = self.column(self.meta.pk.name)
        self.version = self.column("version")
        row = f"{self.pk}, {self.version}, {self.json}"
        within = [f"{self.column(parent)} = %({parent})s"] if parent else []
        self.returning = f"RETURNING {row}"
        self.read = f"SELECT {row} FROM {self.table} WHERE {self.pk} = {PK}"
        self.read_by_key = f"""SELECT {self.column("idempotency_fingerprint")}, {row}
            FROM {self.table} WHERE {self.column("idempotency_key")} = %(idempotency_key)s"""
        self.delete = f"DELETE FROM {self.table} WHERE {self.pk} = {PK}"
        self.first_page = self._page(within)
        # The parameters of the row after which the next page begins.
        self.after_names = [f"_after_{name}" for name in self.ordering]
        after = self.comes_after([f"%({name})s" for name in self.after_names])
        self.next_page = self._page([*within, after])

    def column(self, name: str) -> str:
        """A field's column, qualified by the table because filters may join others."""
        return f"{quote(self.meta.db_table)}.{quote(self.fields[name].column)}"

    def insert(self, names: Names) -> Insert:
        """An INSERT of the given fields; for the others it has their defaults.

        It inserts nothing if a foreign key's row is missing, or the idempotency key is taken.
        """
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
            {conflict if "idempotency_key" in given else ""} {self.returning}"""
        return Insert(sql, defaults)

    def update(self, names: Names) -> str:
        """An UPDATE of the given fields, up to the condition on the version."""
        given = {name for name, _ in names}
        new = {"version": f"{self.version} + 1"}
        for name, null in names:
            parameter = _parameter(self.fields[name])
            new[name] = parameter if null else self.changed(name, parameter)
        for name, field in self.fields.items():
            if getattr(field, "auto_now", False):
                new[name] = self.later(name, NOW)
            elif isinstance(field, PositionField) and field.within in given and name not in given:
                new[name] = self._moved(field)
        assignments = ", ".join(
            f"{quote(self.fields[name].column)} = {value}" for name, value in new.items()
        )
        conditions = " AND ".join([f"{self.pk} = {PK}", *self._guards(names)])
        return f"UPDATE {self.table} SET {assignments} WHERE {conditions}"

    def changed(self, name: str, parameter: str) -> str:
        """A field's new value, which is not NULL."""
        if isinstance(self.fields[name], FirstTimeField):
            return f"COALESCE({self.column(name)}, {parameter})"
        return parameter

    def later(self, name: str, now: str) -> str:
        """The time of a change, which is never before that of the last one."""
        return f"{dialect.greatest}({self.column(name)}, {now})"

    def and_is_at(self, versions: set[int] | None) -> str:
        """The condition that the row is at one of these versions; none if any will do."""
        if versions is None:
            return ""
        return f"AND {self.version} IN ({', '.join(map(str, versions)) or 'NULL'})"

    def comes_after(self, key: list[str]) -> str:
        """The condition that a row comes after a key; an index on the columns serves it."""
        return f"({', '.join(map(self.column, self.ordering))}) > ({', '.join(key)})"

    def _page(self, conditions: list[str]) -> str:
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(map(self.column, self.ordering))
        return f"SELECT {self.json} FROM {self.table} {where} ORDER BY {order} LIMIT {LIMIT}"

    def _moved(self, field: PositionField) -> str:
        """The position in the given parent: the last, but unchanged if it is the same parent."""
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

    def _member(self, name: str, api_field: Any) -> Member:
        if isinstance(api_field, HyperlinkedIdentityField):
            return Member(name, self.column(self.meta.pk.name), base_url=BASE_URL)
        field = self.fields.get(api_field.source)
        if field is None:
            raise ImproperlyConfigured(
                f"{self.model.__name__} has no column {api_field.source!r}, which the database "
                f"could write into the member {name!r}."
            )
        return Member(name, self.column(field.name), type_of(field), field.null)

    def _check(self, serializer: type[ModelSerializer[Any]], members: list[Member]) -> None:
        model = self.model.__name__
        constraints = [getattr(each, "fields", ()) for each in self.meta.constraints]
        if ("idempotency_key",) not in constraints:
            raise ImproperlyConfigured(f"{model}.Meta has to inherit from Resource.Meta.")
        if set(getattr(serializer.Meta, "example", ())) != {member.name for member in members}:
            raise ImproperlyConfigured(
                f"{serializer.__name__}.Meta.example has to be a row with all members."
            )
        keys = {member.name for member in members if member.type in NUMBERS and not member.null}
        if not keys.issuperset(self.ordering) or self.ordering[-1:] != (self.meta.pk.name,):
            raise ImproperlyConfigured(
                f"{model}.Meta.ordering has to name integers that {serializer.__name__} has, "
                f"none of them NULL, and end with {self.meta.pk.name!r}; it is {self.ordering}."
            )


def _parameter(field: Any) -> str:
    return f"%({field.name})s"
