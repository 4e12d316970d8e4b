"""Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13)."""

import re

from rest_framework.request import Request

from tasklists.api.exceptions import PreconditionFailed

TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
TAGS = rf"\s*(?:\*|{TAG}(?:\s*,\s*{TAG})*)\s*"


def entity_tag(version: int) -> str:
    """The strong tag of a list's version."""
    return f'"{version}"'


def is_known(request: Request, version: int) -> bool:
    """Whether the client who reads has this version already (If-None-Match), which is a 304."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if header is None:
        return False
    tags = _tags(header)
    return "*" in tags or entity_tag(version) in {tag.removeprefix("W/") for tag in tags}


def versions(request: Request) -> set[int] | None:
    """Those that If-Match names; None if the list may be at any."""
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        return None
    tags = _tags(header)
    if "*" in tags:
        return None
    return {int(tag[1:-1]) for tag in tags if re.fullmatch(r'"(0|[1-9][0-9]{0,18})"', tag)}


def check(request: Request, version: int) -> None:
    """Raise PreconditionFailed unless this version is one that If-Match names."""
    named = versions(request)
    if named is None or version in named:
        return
    if not _tags(request.META["HTTP_IF_MATCH"]):
        # To ignore what cannot be read would overwrite what the client means to protect.
        raise PreconditionFailed('If-Match takes entity tags in double quotes, such as "1", or *.')
    raise PreconditionFailed


def _tags(value: str) -> list[str]:
    """The tags of a header, which may be ["*"]; none where it cannot be read."""
    return re.findall(rf"\*|{TAG}", value) if re.fullmatch(TAGS, value) else []
