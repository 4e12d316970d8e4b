"""The base class of models that the API serves, and their special fields."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from rest.sql import dialect, quote


class Resource(models.Model):
    """A row with an entity tag and, if its creator sent one, an Idempotency-Key.

    ``version`` grows by one with each change. A subclass with a Meta of its own inherits it
    from Resource.Meta, which has the constraint that makes idempotency keys unique.
    """

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveBigIntegerField(default=1, editable=False)
    idempotency_key = models.CharField(max_length=255, null=True, editable=False)  # noqa: DJ001
    # Of the request that had this key: SHA-256 in hexadecimal (rest/idempotency.py).
    idempotency_fingerprint = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001

    class Meta:
        abstract = True
        ordering = ["id"]
        constraints = [
            # Partial, so that rows without a key have no entry in the index.
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="%(class)s_idempotency_key",
            )
        ]

    def change(self, values: dict[str, Any]) -> None:
        """Write the given fields, and no others, as the next version.

        The caller holds the row's lock. Without values nothing is written. A row that moves to
        another parent goes to the end there, unless its position is given too.
        """
        if not values:
            return
        for field in self._meta.concrete_fields:
            if isinstance(field, PositionField) and field.within in values:
                values = {field.name: None, **values}
        for name, value in values.items():
            setattr(self, name, value)
        self.version += 1
        self.save(update_fields=[*values, "version", "updated_at"])


class ComputedField(models.Field):  # type: ignore[type-arg]
    """A field for which a statement computes the value.

    The parameter of a field's new value is ``%(name)s``, with the field's name.
    """

    def insert_sql(self, given: set[str]) -> str | None:
        """The value in a new row that gives ``given`` fields, but not this one; None for NULL."""
        return None

    def update_sql(self, given: set[str]) -> str | None:
        """The new value if a change gives ``given`` fields, but not this one; None to keep it."""
        return None

    def changed_sql(self) -> str:
        """The new value if a change gives one that is not NULL."""
        return f"%({self.name})s"


class ParentField(models.ForeignKey):  # type: ignore[type-arg]
    """A foreign key with ON DELETE CASCADE in the database.

    Django 5.2 cascades only in Python, which the API's DELETE statement bypasses. Here the
    constraint is part of the column's type, as the schema editor sees it. That way it is the
    same on PostgreSQL and SQLite, and survives when SQLite rebuilds the table in a later
    migration. Django 6.1 has DB_CASCADE, which replaces this class.
    """

    def __init__(self, to: Any, on_delete: Any = models.CASCADE, **kwargs: Any) -> None:
        if on_delete is not models.CASCADE:
            raise ImproperlyConfigured("A ParentField deletes its rows: on_delete is CASCADE.")
        kwargs["db_constraint"] = False  # or Django would add a second constraint
        super().__init__(to, on_delete, **kwargs)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        """Used by schema editors only; queries use db_type(), which stays as it is."""
        parameters = super().db_parameters(connection)
        target: Any = self.target_field
        table, column = quote(target.model._meta.db_table), quote(target.column)
        references = f"REFERENCES {table} ({column}) ON DELETE CASCADE"
        return {**parameters, "type": f"{parameters['type']} {references}"}


class PositionField(ComputedField, models.BigIntegerField):  # type: ignore[type-arg]
    """A position among the rows with the same parent; by default after the last of them.

    ``within`` names the foreign key to the parent. Several rows may share a position.
    """

    # The integers that JSON represents exactly in JavaScript. Rows after the greatest share it.
    greatest = 2**53 - 1
    default_validators = [MinValueValidator(-greatest), MaxValueValidator(greatest)]

    def __init__(self, *, within: str, **kwargs: Any) -> None:
        self.within = within
        super().__init__(**{**kwargs, "blank": True})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "within": self.within}

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Set the default of a row that the ORM saves, as the admin does."""
        if getattr(model_instance, self.attname) is None:
            parent: Any = self.model._meta.get_field(self.within)
            within = {self.within: getattr(model_instance, parent.attname)}
            siblings = self.model._base_manager.filter(**within)
            last = siblings.aggregate(last=models.Max(self.attname))["last"]
            setattr(model_instance, self.attname, min((last or 0) + 1, self.greatest))
        return super().pre_save(model_instance, add)

    def insert_sql(self, given: set[str]) -> str:
        table, column = quote(self.model._meta.db_table), quote(str(self.column))
        parent: Any = self.model._meta.get_field(self.within)
        pk = f"%({self.within})s" if self.within in given else "NULL"
        return f"""(SELECT {dialect.least}(COALESCE(MAX({column}), 0) + 1, {self.greatest})
            FROM {table} WHERE {quote(parent.column)} = {pk})"""

    def update_sql(self, given: set[str]) -> str | None:
        """After the last row of the parent that the row moves to, if that is another parent."""
        if self.within not in given:
            return None
        table = quote(self.model._meta.db_table)
        parent: Any = self.model._meta.get_field(self.within)
        stays = f"{table}.{quote(parent.column)} = %({self.within})s"
        position = f"{table}.{quote(str(self.column))}"
        return f"CASE WHEN {stays} THEN {position} ELSE {self.insert_sql(given)} END"


class FirstTimeField(ComputedField, models.DateTimeField):  # type: ignore[type-arg]
    """The first time that something happened: a later time does not replace it, NULL does.

    That holds for the statements of the API. The ORM writes any value.
    """

    def changed_sql(self) -> str:
        column = f"{quote(self.model._meta.db_table)}.{quote(str(self.column))}"
        return f"COALESCE({column}, %({self.name})s)"
