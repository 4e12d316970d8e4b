"""Keyset pages: the cost of a page does not grow with the table."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from rest.exceptions import InvalidParameters
from rest.statements import MAX_ID, Key


class KeysetPagination(BasePagination):
    """A bare array of up to ``limit`` rows that come after the row with the key ``after``.

    A key has the row's values of the model's ordering: "7" for ("id",), "3,7" for ("order",
    "id"). Clients take it from the Link header, which leads to the next page while there are
    more rows, as a relative reference (RFC 8288). The row itself may be gone by then.
    """

    default_limit = 100
    max_limit = 1000
    parameters = ("limit", "after")

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: Any
    ) -> list[str]:
        """Return the JSON of each row, and set ``link`` to the value of the Link header."""
        statements = view.statements
        limit = self.limit(request)
        after = self.after(request, len(statements.ordering))
        rows: list[str] = statements.page(queryset, after, limit + 1, view.within, view.base_url)
        self.link = None
        if len(rows) > limit:
            rows = rows[:limit]
            key = self.key(orjson.loads(rows[-1]), statements.ordering)
            query = {**request.query_params.dict(), "limit": limit, "after": key}
            self.link = f'<{request.path}?{urlencode(query, safe=",")}>; rel="next"'
        return rows

    @staticmethod
    def key(row: dict[str, Any], ordering: Sequence[str]) -> str:
        """The key of a row: the value of ``after`` with which the next page begins."""
        return ",".join(str(row[name]) for name in ordering)

    def limit(self, request: Request) -> int:
        text = request.query_params.get("limit")
        if text is None:
            return self.default_limit
        number = integer(text)
        if number is None or not 1 <= number <= self.max_limit:
            raise InvalidParameters(
                {"limit": [f"This has to be a whole number from 1 to {self.max_limit}."]}
            )
        return number

    @staticmethod
    def after(request: Request, length: int) -> Key | None:
        text = request.query_params.get("after")
        if text is None:
            return None
        numbers = [integer(part) for part in text.split(",", length)]
        key = tuple(number for number in numbers if number is not None and abs(number) <= MAX_ID)
        # Only the id cannot be negative.
        if len(numbers) != length or len(key) != length or key[-1] < 0:
            expected = (
                f"a whole number from 0 to {MAX_ID}" if length == 1 else "the value that Link has"
            )
            raise InvalidParameters({"after": [f"This has to be {expected}."]})
        return key

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        rows = view.statements.meta.verbose_name_plural
        length = len(view.statements.ordering)

        def parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
            return {"name": name, "in": "query", "description": description, "schema": schema}

        promise = (
            f"The pages from the first to the last have every one of the {rows} once that was "
            "there when the first one was read, and is neither deleted nor moved meanwhile. "
            f"{rows.capitalize()} that are created meanwhile may be missing, and in pages after "
            "them for ever: to find new ones, begin with the first page again."
        )
        if length == 1:
            after = parameter(
                "after",
                f"Only {rows} with a greater id: the last id of the previous page. {promise}",
                type="integer",
                minimum=0,
                maximum=MAX_ID,
            )
        else:
            after = parameter(
                "after",
                f"Only {rows} after this position: an opaque value, taken from Link. {promise}",
                type="string",
                pattern="^" + r"-?[0-9]{1,16}," * (length - 1) + "[0-9]{1,18}$",
            )
        limit = parameter(
            "limit",
            f"The greatest number of {rows} in the page.",
            type="integer",
            minimum=1,
            maximum=self.max_limit,
            default=self.default_limit,
        )
        return [limit, after]


def integer(text: str) -> int | None:
    """The integer, or None if the text is not an integer of at most 19 digits."""
    digits = text.removeprefix("-")
    # Twenty digits are beyond 64 bits, and int() refuses thousands of them.
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
