"""Pages by key: the cost of a page does not grow with the table."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from tasklists import statements
from tasklists.api.exceptions import InvalidParameters

if TYPE_CHECKING:
    from rest_framework.views import APIView


class KeysetPagination(BasePagination):
    """A bare array of up to ``limit`` rows whose id is greater than ``after``.

    While there is more, the Link header has the next page as a relative
    reference (RFC 8288). An id is unique, never changes and only grows.
    """

    default_limit = 100
    max_limit = 1000
    parameters = ("limit", "after")

    def paginate_queryset(  # type: ignore[override]
        self, queryset: Any, request: Request, view: "APIView | None" = None
    ) -> list[str]:
        """The JSON of each row, and from then on ``link`` for the header."""
        limit = self.number(request, "limit", self.default_limit, 1, self.max_limit)
        after = self.number(request, "after", 0, 0, statements.MAX_ID)
        rows = statements.page(queryset, after, limit + 1)
        self.link = None
        if len(rows) > limit:
            rows = rows[:limit]
            after = orjson.loads(rows[-1])["id"]
            query = {**request.query_params.dict(), "limit": limit, "after": after}
            self.link = f'<{request.path}?{urlencode(query)}>; rel="next"'
        return rows

    @staticmethod
    def number(request: Request, name: str, default: int, minimum: int, maximum: int) -> int:
        text = request.query_params.get(name)
        if text is None:
            return default
        # Twenty digits are beyond 64 bits, and int() refuses thousands of them.
        if text.isascii() and text.isdigit() and len(text) < 20 and minimum <= int(text) <= maximum:
            return int(text)
        raise InvalidParameters(
            {name: [f"This has to be a whole number from {minimum} to {maximum}."]}
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        def parameter(name: str, description: str, **schema: int) -> dict[str, Any]:
            return {
                "name": name,
                "in": "query",
                "description": description,
                "schema": {"type": "integer", **schema},
            }

        return [
            parameter(
                "limit",
                "How many lists a page has at most.",
                minimum=1,
                maximum=self.max_limit,
                default=self.default_limit,
            ),
            parameter(
                "after",
                "Only lists whose id is greater: the last id of the page before.",
                minimum=0,
                maximum=statements.MAX_ID,
            ),
        ]
