"""Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13)."""

import re

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from tasklists.api.exceptions import PreconditionFailed

TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
TAGS = rf"\s*(?:\*|{TAG}(?:\s*,\s*{TAG})*)\s*"


def entity_tag(version: int) -> str:
    """The strong tag of a list's version."""
    return f'"{version}"'


def is_known(request: Request, version: int) -> bool:
    """Whether the client who reads has this version already (If-None-Match), which is a 304."""
    tags = _tags(request, "If-None-Match")
    return tags is not None and (
        "*" in tags or entity_tag(version) in {tag.removeprefix("W/") for tag in tags}
    )


def check(request: Request, version: int) -> None:
    """Raise PreconditionFailed unless this version is one that If-Match names."""
    tags = _tags(request, "If-Match")
    if tags is not None and not {"*", entity_tag(version)} & set(tags):
        raise PreconditionFailed


def _tags(request: Request, header: str) -> list[str] | None:
    """The tags of a header, which may be ["*"]; None where there is no such header."""
    value = request.headers.get(header)
    if value is None:
        return None
    if not re.fullmatch(TAGS, value):
        # To ignore what cannot be read would overwrite what the client means to protect.
        raise ParseError(f'{header} takes entity tags in double quotes, such as "1", or *.')
    return re.findall(rf"\*|{TAG}", value)
