"""Idempotency-Key: a client that repeats a POST after a lost response creates nothing twice."""

import hashlib
import re
from typing import Any, NamedTuple

import orjson
from rest_framework.request import Request

from rest.exceptions import BadHeader

KEY = re.compile(r"[!-~]{1,255}")


class Idempotency(NamedTuple):
    key: str
    fingerprint: str  # SHA-256 in hexadecimal


def idempotency(
    request: Request, written: dict[str, Any], within: dict[str, int]
) -> Idempotency | None:
    """The request's key, and a fingerprint of what it writes and of the parent in its path.

    ``written`` are the members of a valid body that clients may write. Returns None without
    the header; raises BadHeader if it is malformed.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not KEY.fullmatch(key):
        raise BadHeader("Idempotency-Key takes 1 to 255 visible ASCII characters.")
    content = orjson.dumps([within, written], option=orjson.OPT_SORT_KEYS)
    return Idempotency(key, hashlib.sha256(content).hexdigest())
