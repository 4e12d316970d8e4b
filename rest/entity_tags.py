"""Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13)."""

import re

from rest_framework.request import Request

from rest.exceptions import BadHeader, PreconditionFailed

MAX_TAGS = 100  # in a header; each one in If-Match becomes a number in the statement
# The next tag in a list, and the comma after it. The repetitions do not backtrack (*+), so this
# takes time in proportion to what it reads.
TAG = re.compile(r'[ \t]*+((?:W/)?"[\x21\x23-\x7e\x80-\xff]*+")[ \t]*+(,|\Z)')


def entity_tag(version: int) -> str:
    """The strong entity tag of a row's version."""
    return f'"{version}"'


def is_known(request: Request, version: int) -> bool:
    """Whether If-None-Match says that the client has this version, so that the answer is 304."""
    tags = _tags(request.META.get("HTTP_IF_NONE_MATCH"), "If-None-Match")
    if tags is None:
        return False
    return "*" in tags or entity_tag(version) in {tag.removeprefix("W/") for tag in tags}


def versions(request: Request) -> set[int] | None:
    """The versions that If-Match names; None if any version will do."""
    tags = _tags(request.META.get("HTTP_IF_MATCH"), "If-Match")
    if tags is None or "*" in tags:
        return None
    return {int(tag[1:-1]) for tag in tags if re.fullmatch(r'"(0|[1-9][0-9]{0,18})"', tag)}


def check(request: Request, version: int) -> None:
    """Raise PreconditionFailed if If-Match does not name this version."""
    named = versions(request)
    if named is None or version in named:
        return
    if not _tags(request.META["HTTP_IF_MATCH"], "If-Match"):
        # Ignoring a malformed header would overwrite what the client means to protect.
        raise PreconditionFailed('If-Match takes entity tags in double quotes, such as "1", or *.')
    raise PreconditionFailed


def _tags(value: str | None, header: str) -> list[str] | None:
    """The tags in a header, or ["*"]; empty if it is malformed, and None without it.

    Raises BadHeader if there are more than MAX_TAGS.
    """
    if value is None:
        return None
    if value.strip(" \t") == "*":
        return ["*"]
    tags: list[str] = []
    end = 0
    while found := TAG.match(value, end):
        if len(tags) == MAX_TAGS:
            raise BadHeader(f"{header} takes at most {MAX_TAGS} entity tags.")
        tags.append(found[1])
        if not found[2]:
            return tags
        end = found.end()
    return []
