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


def idempotency(request: Request, within: dict[str, int]) -> Idempotency | None:
    """The request's key, and a fingerprint of its body and of the parent in its path.

    Two bodies have the same fingerprint if they are the same JSON, whatever the order of
    their members. Returns None without the header; raises BadHeader if it is malformed.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not KEY.fullmatch(key):
        raise BadHeader("Idempotency-Key takes 1 to 255 visible ASCII characters.")
    body: Any = dict(request.data)
    content = orjson.dumps([within, body], default=str, option=orjson.OPT_SORT_KEYS)
    return Idempotency(key, hashlib.sha256(content).hexdigest())
