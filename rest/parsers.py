"""Parsers of request bodies."""

from collections.abc import Container, Mapping
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
        body = stream.read()
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {reason(body, error)}.") from None
        if isinstance(data, dict) and len(data) > MAX_BODY_MEMBERS:
            raise ParseError(
                f"The body has {len(data)} members; at most {MAX_BODY_MEMBERS} are accepted."
            )
        return data


def reason(body: bytes, error: orjson.JSONDecodeError) -> str:
    """Why the body is not JSON: as orjson says, which does not say where UTF-8 is broken."""
    try:
        body.decode()
    except UnicodeDecodeError as undecodable:
        return f"at byte {undecodable.start} it is not UTF-8"
    return str(error)


class MergePatchParser(JSONParser):
    """JSON Merge Patch (RFC 7396), which for objects without nested members is our PATCH."""

    media_type = "application/merge-patch+json"


def parsers_of(method: str | None) -> list[JSONParser]:
    """The parsers of a method's body, and so the media types that it declares and accepts."""
    return [JSONParser(), MergePatchParser()] if method == "PATCH" else [JSONParser()]


def media_types_of(method: str | None) -> list[str]:
    return [parser.media_type for parser in parsers_of(method)]


def accept_headers(methods: Container[str]) -> dict[str, str]:
    """Accept-Post and Accept-Patch (RFC 5789), each if ``methods`` has its method."""
    return {
        f"Accept-{method.capitalize()}": ", ".join(media_types_of(method))
        for method in ("POST", "PATCH")
        if method in methods
    }
