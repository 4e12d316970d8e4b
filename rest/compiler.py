"""Compiles the SQL of a resource's statements from its model and its serializer."""

from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from rest_framework.relations import HyperlinkedIdentityField
from rest_framework.serializers import ModelSerializer

from rest.models import ComputedField, ParentField, PositionField, Resource
from rest.sql import NUMBERS, Member, dialect, json_object, quote, type_of

GivenFields = tuple[tuple[str, bool], ...]  # each field's name, and whether its value is NULL

# Placeholders. The parameter of a field's value has the field's name.
PK, NOW, LIMIT, BASE_URL = "%(_pk)s", "%(_now)s", "%(_limit)s", "%(_base_url)s"
WINDOW = "%(_window)s"
FILTERS = "{filters}"  # stands for the conditions that a request adds


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

        declared = serializer()
        members = [self._member(name, field) for name, field in declared.fields.items()]
        self._check(declared, parent, members)
        self.has_url = any(member.base_url for member in members)
        self.json = json_object(members)

        self.table = quote(self.meta.db_table)
        self.pk = self.column(self.meta.pk.name)
        self.version = self.column("version")
        row = f"{self.pk}, {self.version}, {self.json}"
        within = [f"{self.column(parent)} = %({parent})s"] if parent else []
        self.returning = f"RETURNING {row}"
        self.read = f"SELECT {row} FROM {self.table} WHERE {self.pk} = {PK}"
        # After a crash of the primary, a row may be visible whose INSERT was still waiting for a
        # standby. The lock gives this statement something to commit, so it waits as the INSERT did.
        self.read_by_key = f"""SELECT {self.column("idempotency_fingerprint")}, {row}
            FROM {self.table} WHERE {self.column("idempotency_key")} = %(idempotency_key)s
            {dialect.share_lock}"""
        self.delete = f"DELETE FROM {self.table} WHERE {self.pk} = {PK}"
        self.within = within
        self.order = ", ".join(map(self.column, self.ordering))
        self.first_page = self._page(within)
        # The parameters of the row after which the next page begins.
        self.after_names = [f"_after_{name}" for name in self.ordering]
        self.comes_after = self._comes_after()
        self.next_page = self._page([*within, self.comes_after])

    def column(self, name: str) -> str:
        """A field's column, qualified by the table because filters may join others."""
        return f"{quote(self.meta.db_table)}.{quote(self.fields[name].column)}"

    def insert(self, fields: GivenFields) -> Insert:
        """An INSERT of the given fields; the others get their defaults.

        It inserts nothing if a foreign key's row is missing, or the idempotency key is taken.
        """
        given = {name for name, _ in fields}
        columns, values, defaults = [], [], []
        for name, field in self.fields.items():
            if name in given:
                value = _parameter(name)
            elif getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
                value = NOW
            elif isinstance(field, ComputedField) and (computed := field.insert_sql(given)):
                value = computed
            elif field.primary_key or field.generated or field.has_db_default():
                continue  # the database has its own
            elif field.null and not field.has_default():
                continue
            else:
                value = _parameter(name)
                defaults.append(field)
            columns.append(quote(field.column))
            values.append(value)
        # SQLite needs a WHERE to tell ON CONFLICT from the ON of a join.
        where = " AND ".join(self._guards(fields)) or "TRUE"
        key = quote(self.fields["idempotency_key"].column)
        conflict = f"ON CONFLICT ({key}) WHERE {key} IS NOT NULL DO NOTHING"
        sql = f"""INSERT INTO {self.table} ({", ".join(columns)})
            SELECT {", ".join(values)} WHERE {where}
            {conflict if "idempotency_key" in given else ""} {self.returning}"""
        return Insert(sql, defaults)

    def update(self, fields: GivenFields) -> str:
        """An UPDATE of the given fields, without the condition on the version and RETURNING."""
        assignments = ", ".join(
            f"{quote(self.fields[name].column)} = {value}"
            for name, value in self.new_values(fields).items()
        )
        conditions = " AND ".join([f"{self.pk} = {PK}", *self._guards(fields)])
        return f"UPDATE {self.table} SET {assignments} WHERE {conditions}"

    def new_values(self, fields: GivenFields) -> dict[str, str]:
        """The SQL of each field that changes when the given fields are written."""
        given = {name for name, _ in fields}
        new = {"version": f"{self.version} + 1"}
        for name, null in fields:
            field = self.fields[name]
            computed = isinstance(field, ComputedField) and not null
            new[name] = field.changed_sql() if computed else _parameter(name)
        for name, field in self.fields.items():
            if getattr(field, "auto_now", False):
                # The statement may have waited for a lock, and the other's time be later.
                new[name] = f"{dialect.greatest}({self.column(name)}, {NOW})"
            elif isinstance(field, ComputedField) and name not in given:
                new |= {name: value} if (value := field.update_sql(given)) else {}
        return new

    def version_condition(self, versions: set[int] | None) -> str:
        """Continues WHERE: the row is at one of these versions; empty if any will do."""
        if versions is None:
            return ""
        return f"AND {self.version} IN ({', '.join(map(str, versions)) or 'NULL'})"

    def _comes_after(self) -> str:
        """The condition that a row comes after a key; an index on the columns serves it."""
        key = [f"%({name})s" for name in self.after_names]
        return f"({', '.join(map(self.column, self.ordering))}) > ({', '.join(key)})"

    def _page(self, conditions: list[str]) -> str:
        return f"""SELECT {self.json} FROM {self.table} {_where(conditions)}
            ORDER BY {self.order} LIMIT {LIMIT}"""

    def search_nearby(self, after: bool) -> str:
        """A page of those among the next WINDOW rows that FILTERS select."""
        where = [*self.within, *([self.comes_after] if after else [])]
        nearby = f"""SELECT * FROM {self.table} {_where(where)} ORDER BY {self.order}
            LIMIT {WINDOW}"""
        return f"""SELECT {self.json} FROM ({nearby}) AS {self.table} WHERE {FILTERS}
            ORDER BY {self.order} LIMIT {LIMIT}"""

    def search_index(self, after: bool) -> str:
        """A page of all rows that FILTERS select, which an index finds before they are sorted."""
        # OFFSET 0 keeps the planner from walking through the table in the order of the pages.
        found = f"SELECT * FROM {self.table} WHERE {FILTERS} OFFSET 0"
        return f"""SELECT {self.json} FROM ({found}) AS {self.table}
            {_where([self.comes_after] if after else [])} ORDER BY {self.order} LIMIT {LIMIT}"""

    def _guards(self, fields: GivenFields) -> list[str]:
        """Conditions that the rows of the given foreign keys exist.

        The statement locks those rows until it commits. So the database's own check of the
        foreign key, which would raise IntegrityError, cannot fail.
        """
        guards = []
        for name, null in fields:
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

    def _check(
        self, serializer: ModelSerializer[Any], parent: str | None, members: list[Member]
    ) -> None:
        """Raise ImproperlyConfigured for what would fail only when a request comes."""
        model, name = self.model.__name__, type(serializer).__name__

        def require(condition: bool, message: str) -> None:
            if not condition:
                raise ImproperlyConfigured(message)

        require(
            parent in (None, *self.references),
            f"{model} has no foreign key {parent!r}, which is to be its parent.",
        )
        constraints = [getattr(each, "fields", ()) for each in self.meta.constraints]
        require(
            ("idempotency_key",) in constraints,
            f"{model}.Meta has to inherit from Resource.Meta.",
        )
        require(
            set(getattr(serializer.Meta, "example", ())) == {member.name for member in members},
            f"{name}.Meta.example has to be a row with all members.",
        )
        keys = {member.name for member in members if member.type in NUMBERS and not member.null}
        require(
            keys.issuperset(self.ordering) and self.ordering[-1:] == (self.meta.pk.name,),
            f"{model}.Meta.ordering has to name integers that {name} has, none of them NULL, "
            f"and end with {self.meta.pk.name!r}; it is {self.ordering}.",
        )
        written = {field.source for field in serializer.fields.values() if not field.read_only}
        for field in self.fields.values():
            require(
                field.name in {*written, parent} or self._has_default(field),
                f"{model}.{field.name} has no default, and {name} does not take it.",
            )
            require(
                not isinstance(field, PositionField) or field.within in self.references,
                f"{model}.{field.name} is within a foreign key that {model} does not have.",
            )
            related = field.related_model if field.name in self.references else None
            # Rows of a resource are deleted by a statement, which only the database sees.
            require(
                isinstance(field, ParentField) or not issubclass(related or object, Resource),
                f"{model}.{field.name} refers to a resource, and has to be a ParentField.",
            )

    @staticmethod
    def _has_default(field: Any) -> bool:
        sets_itself = (
            field.primary_key
            or field.generated
            or field.has_db_default()
            or isinstance(field, PositionField)
            or getattr(field, "auto_now", False)
            or getattr(field, "auto_now_add", False)
        )
        return sets_itself or field.null or field.has_default() or field.get_default() is not None


def _where(conditions: list[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _parameter(name: str) -> str:
    return f"%({name})s"
