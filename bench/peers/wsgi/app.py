"""The least that a WSGI application does: what the server alone makes possible."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b"[]"


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
    start_response("200 OK", headers)
    return [BODY]
