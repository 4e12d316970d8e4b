"""Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13)."""

import re

from rest_framework.request import Request

from rest.exceptions import PreconditionFailed

TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
TAGS = rf"\s*(?:\*|{TAG}(?:\s*,\s*{TAG})*)\s*"


def entity_tag(version: int) -> str:
    """The strong entity tag of a row's version."""
    return f'"{version}"'


def is_known(request: Request, version: int) -> bool:
    """Whether If-None-Match says that the client has this version, so that the answer is 304."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if header is None:
        return False
    tags = _tags(header)
    return "*" in tags or entity_tag(version) in {tag.removeprefix("W/") for tag in tags}


def versions(request: Request) -> set[int] | None:
    """The versions that If-Match names; None if any version will do."""
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        return None
    tags = _tags(header)
    if "*" in tags:
        return None
    return {int(tag[1:-1]) for tag in tags if re.fullmatch(r'"(0|[1-9][0-9]{0,18})"', tag)}


def check(request: Request, version: int) -> None:
    """Raise PreconditionFailed if If-Match does not name this version."""
    named = versions(request)
    if named is None or version in named:
        return
    if not _tags(request.META["HTTP_IF_MATCH"]):
        # Ignoring a malformed header would overwrite what the client means to protect.
        raise PreconditionFailed('If-Match takes entity tags in double quotes, such as "1", or *.')
    raise PreconditionFailed


def _tags(value: str) -> list[str]:
    """The tags in a header, or ["*"]; an empty list if it is malformed."""
    return re.findall(rf"\*|{TAG}", value) if re.fullmatch(TAGS, value) else []
