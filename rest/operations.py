"""Operations for migrations: indexes that block no writers, and the functions of rest/search.py."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class AddIndexOnline(AddIndexConcurrently):
    """AddIndex that blocks no writers on PostgreSQL, in a migration with ``atomic = False``.

    It can be repeated: what an attempt left that was interrupted is built anew or, if it is
    complete, kept.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        if connection.vendor == "sqlite":
            schema_editor.add_index(to_state.apps.get_model(app_label, self.model_name), self.index)
            return
        with connection.cursor() as cursor:
            name = connection.ops.quote_name(self.index.name)
            query = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
            cursor.execute(query, [name])
            found = cursor.fetchone()
            if found == (True,):
                return
            # The statement waits for all older transactions, and nobody waits for it. With a
            # lock_timeout it would give up and lose its work.
            cursor.execute("SELECT current_setting('lock_timeout')")
            [lock_timeout] = cursor.fetchone()
            cursor.execute("SET lock_timeout = 0")
            if found:
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            cursor.execute("SET lock_timeout = %s", [lock_timeout])

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            model = from_state.apps.get_model(app_label, self.model_name)
            schema_editor.remove_index(model, self.index)
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


# The collations whose case mapping does not depend on the database's locale, the best first. Those
# of ICU and pg_unicode_fast have Unicode's full mapping, as Python has. The others map one
# character to one, so İ and ß are replaced first.
COLLATIONS = ["pg_unicode_fast", "und-x-icu", "pg_c_utf8", "C.utf8", "C.UTF-8"]
FULL = COLLATIONS[:2]

CREATE_KEY = """
CREATE OR REPLACE FUNCTION search_key(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE
  WHEN octet_length($1) = length($1) THEN upper($1 COLLATE pg_catalog."C")
  ELSE normalize(upper({lower_case}), NFC)
    COLLATE pg_catalog."C"
END
$$
"""
FULL_MAPPING = "lower(normalize($1, NFC) COLLATE pg_catalog.{collation})"
SIMPLE_MAPPING = """replace(
    lower(replace(normalize($1, NFC), 'İ', 'i̇') COLLATE pg_catalog.{collation}), 'ß', 'ss')"""

# PL/pgSQL takes a third of the time of a query over generate_series(). Restricted, because a search
# would start parallel workers, which takes five times as long as the search itself.
CREATE_GRAMS = """
CREATE OR REPLACE FUNCTION search_grams(key text, shortest integer) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED COST 100 AS $$
DECLARE
  gram text;
  grams text[] := '{}';
BEGIN
  IF octet_length(key) = length(key) THEN
    shortest := 3;
  END IF;
  FOR size IN shortest .. 3 LOOP
    FOR start IN 1 .. length(key) - size + 1 LOOP
      gram := substr(key, start, size);
      IF size = 3 OR octet_length(gram) > size THEN
        grams := grams || gram;
      END IF;
    END LOOP;
  END LOOP;
  RETURN grams;
END
$$
"""


def create_functions(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create ``search_key`` and ``search_grams`` on PostgreSQL, for RunPython."""
    if schema_editor.connection.vendor == "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            """SELECT collname FROM pg_collation
            WHERE collnamespace = 'pg_catalog'::regnamespace AND collname = ANY(%s) AND collencoding
            IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
            ORDER BY array_position(%s, collname::text) LIMIT 1""",
            [COLLATIONS, COLLATIONS],
        )
        [collation] = cursor.fetchone() or ["default"]
        mapping = FULL_MAPPING if collation in FULL else SIMPLE_MAPPING
        name = schema_editor.connection.ops.quote_name(collation)
        cursor.execute(CREATE_KEY.format(lower_case=mapping.format(collation=name)))
        cursor.execute(CREATE_GRAMS)


def drop_functions(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION search_grams(text, integer)")
        schema_editor.execute("DROP FUNCTION search_key(text)")
