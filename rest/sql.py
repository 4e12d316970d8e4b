"""What differs between the SQL of PostgreSQL and SQLite: mainly a row as a JSON object.

The JSON of a column depends on the type of its field. To support another type, add it to
``values`` of both dialects; a resource with an unknown type fails at import.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models

NUMBERS = [
    "AutoField",
    "BigAutoField",
    "IntegerField",
    "BigIntegerField",
    "SmallIntegerField",
    "PositiveIntegerField",
    "PositiveBigIntegerField",
    "PositiveSmallIntegerField",
]
TEXTS = ["CharField", "TextField", "SlugField"]
# PostgreSQL's functions take 100 arguments at most, and a URL takes two.
MAX_MEMBERS = 49

quote = connection.ops.quote_name


class Member(NamedTuple):
    """A member of the JSON object, whose value comes from ``column``."""

    name: str
    column: str  # qualified and quoted
    type: str = ""  # the internal type of the model's field
    null: bool = False
    base_url: str = ""  # a placeholder: the value is then this URL followed by the column


def type_of(field: "models.Field[Any, Any]") -> str:
    """The internal type of a field; for a foreign key or a generated column, of its values."""
    values: Any = getattr(field, "output_field", None) or getattr(field, "target_field", field)
    return str(values.get_internal_type())


class PostgreSQL:
    """Builds JSON with format(); row_to_json() takes a quarter longer for a page."""

    greatest, least = "GREATEST", "LEAST"
    # Keeps a referenced row from being deleted until the statement has committed.
    share_lock = " FOR KEY SHARE"

    # By type: the placeholder in the template of format(), and its argument. Percent signs are
    # doubled, because the statement is itself a template for the driver's parameters.
    values = {
        **dict.fromkeys(NUMBERS, ("%%s", "{}")),
        **dict.fromkeys(TEXTS, ("%%s", "to_json({})")),
        "BooleanField": ("%%s", "{}::text"),  # format() would write t or f
        "DateField": ('"%%s"', "to_char({}, 'YYYY-MM-DD')"),
        "DateTimeField": (
            '"%%s"',
            """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        ),
    }

    @classmethod
    def json(cls, members: Iterable[Member]) -> str:
        template, arguments = [], []
        for member in members:
            placeholder, argument = cls.value(member)
            template.append(f'"{member.name}":{placeholder}')
            arguments.append(argument)
        return f"format('{{{','.join(template)}}}', {', '.join(arguments)})"

    @classmethod
    def value(cls, member: Member) -> tuple[str, str]:
        if member.base_url:
            return '"%%s%%s"', f"{member.base_url}, {member.column}"
        placeholder, argument = cls.values[member.type]
        argument = argument.format(member.column)
        if not member.null:
            return placeholder, argument
        # format() writes NULL as an empty string, so the quotes have to be in the argument.
        if placeholder != "%%s":
            argument = f"""'"' || {argument} || '"'"""
        return "%%s", f"COALESCE(({argument})::text, 'null')"


class SQLite:
    """Builds JSON with json_object(), which has to be given true and false as JSON."""

    greatest, least = "MAX", "MIN"
    share_lock = ""  # SQLite has one writer at a time

    values = {
        **dict.fromkeys([*NUMBERS, *TEXTS, "DateField"], "{}"),
        "BooleanField": "json(CASE {} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)",
        # Django stores no fraction of a second that is 0.
        "DateTimeField": "replace(substr({} || '.000000', 1, 26), ' ', 'T') || 'Z'",
    }

    @classmethod
    def json(cls, members: Iterable[Member]) -> str:
        pairs = [f"'{member.name}', {cls.value(member)}" for member in members]
        return f"json_object({', '.join(pairs)})"

    @classmethod
    def value(cls, member: Member) -> str:
        if member.base_url:
            return f"{member.base_url} || {member.column}"
        return cls.values[member.type].format(member.column)


dialect: Any = {"postgresql": PostgreSQL, "sqlite": SQLite}[connection.vendor]


def json_object(members: Iterable[Member]) -> str:
    """The SQL expression for a row as a JSON object; raises ImproperlyConfigured."""
    members = list(members)
    if len(members) > MAX_MEMBERS:
        raise ImproperlyConfigured(f"A resource has at most {MAX_MEMBERS} members.")
    for member in members:
        if not member.base_url and member.type not in dialect.values:
            raise ImproperlyConfigured(
                f"rest/sql.py does not know how to write a {member.type} ({member.name}) as JSON."
            )
    sql: str = dialect.json(members)
    return sql
