"""Search for a part of a text, with the same answer on both databases and in every locale.

Two texts are compared by their search key: Unicode's full mapping to capital letters, in normal
form C. On PostgreSQL it is the function ``search_key``, which a migration creates; on SQLite it is
a Python function on each connection. The functions of PostgreSQL are part of indexes, so their
results must never change: a new rule needs functions with other names.
"""

from typing import Any
from unicodedata import normalize

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.backends.signals import connection_created
from django.db.models import F, Func, Value
from django.db.models.functions import Collate
from django.db.models.sql.compiler import SQLCompiler
from django.dispatch import receiver

MAX_INDEXED = 255  # characters of a search by which the index is asked


def search_key(text: str | None) -> str | None:
    """The text in upper case and normal form C; texts with the same key are the same to a search.

    Lower case comes first because some capital letters have a twin that is the capital of the
    same small letter, such as U+1E9E and "SS".
    """
    if text is None or text.isascii():
        return text and text.upper()
    return normalize("NFC", normalize("NFC", text).lower().upper())


@receiver(connection_created)
def add_search_key(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("search_key", 1, search_key, deterministic=True)


@models.CharField.register_lookup
@models.TextField.register_lookup
class ContainsKey(models.Lookup):
    """Django's ``icontains``, but by search keys; it uses a SearchIndex if the field has one."""

    lookup_name = "icontains"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        text, text_params = self.process_lhs(compiler, connection)
        part, part_params = self.process_rhs(compiler, connection)
        params = [*text_params, *part_params]
        if connection.vendor == "sqlite":
            return f"instr(search_key({text}), search_key({part})) > 0", params
        sql = f"strpos(search_key({text}), search_key({part})) > 0"
        if self.indexed:
            # The index needs only the beginning; splitting a very long text takes seconds.
            key = f"left(search_key({part}), {MAX_INDEXED})"
            grams = f"search_grams({key}, least(3, length({key})))"
            sql += f' AND (search_grams(search_key({text}), 1) COLLATE "C") @> {grams}'
            params += [*params, *part_params]
        return sql, params

    @property
    def indexed(self) -> bool:
        """Whether a SearchIndex serves this search.

        It has no ASCII parts of fewer than three characters.
        """
        key, field = search_key(str(self.rhs)) or "", getattr(self.lhs, "target", None)
        if field is None or (key.isascii() and len(key) < 3):
            return False
        indexes = field.model._meta.indexes
        return any(isinstance(each, SearchIndex) and field.name in each.fields for each in indexes)


class SearchIndex(models.Index):
    """Makes ``icontains`` of one text field fast on PostgreSQL; SQLite goes without.

    It is an inverted index of all parts of three characters. Text that is not ASCII has its parts
    of one and of two characters in it as well: they are words in Chinese, and an emoji is one.
    """

    def create_sql(
        self,
        model: type[models.Model],
        schema_editor: BaseDatabaseSchemaEditor,
        using: str = "",
        **kwargs: Any,
    ) -> Statement:
        if schema_editor.connection.vendor == "sqlite":
            return Statement("-- SQLite searches without the index %(name)s", name=self.name)
        [field] = self.fields
        key = Func(F(field), function="search_key")
        # Comparing byte by byte makes the index faster to build than a language's order does.
        grams = Collate(Func(key, Value(1), function="search_grams"), "C")
        index = models.Index(grams, name=self.name)
        return index.create_sql(model, schema_editor, using=" USING gin", **kwargs)

    def remove_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, **kwargs: Any
    ) -> Any:
        if schema_editor.connection.vendor == "sqlite":
            return Statement("-- SQLite is without the index %(name)s", name=self.name)
        return super().remove_sql(model, schema_editor, **kwargs)


def uses_search_index(queryset: models.QuerySet[Any]) -> bool:
    """Whether a SearchIndex serves the filters of the queryset, which refer to no other table."""
    query = queryset.query
    searches = [leaf for leaf in query.where.leaves() if isinstance(leaf, ContainsKey)]
    return (
        connection.vendor == "postgresql"
        and len(query.alias_map) == 1
        and any(search.indexed for search in searches)
    )
