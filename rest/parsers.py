"""Parsers of request bodies."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

# A resource has at most 49 (rest/sql.py).
MAX_BODY_MEMBERS = 100


class JSONParser(BaseParser):
    """JSON (RFC 8259) in UTF-8, without NaN and lone surrogates; nesting is limited."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}.") from None
        if isinstance(data, dict) and len(data) > MAX_BODY_MEMBERS:
            raise ParseError(
                f"The body has {len(data)} members; at most {MAX_BODY_MEMBERS} are accepted."
            )
        return data
