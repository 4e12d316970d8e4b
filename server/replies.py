"""Responses that the server makes itself, without the application."""

import json
from http import HTTPStatus
from typing import Any, NamedTuple

from django.conf import settings
from gunicorn.http import errors, wsgi

from server.connection import Connection
from server.request import BodyTooLarge, Request, RequestTimeout, UnreadRequest
from service.request_id import request_id

# Every other error in a request is 400, also a transfer coding other than chunked, for which
# gunicorn itself would answer 501.
STATUSES = {
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RequestTimeout: HTTPStatus.REQUEST_TIMEOUT,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
}
RETRY_AFTER = 1  # seconds
MAX_DETAIL = 500  # characters; a detail may quote what the client sent


class Reply(NamedTuple):
    """The status, headers and body of a response."""

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes


# Which the application's responses have too.
PROTECTIVE = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", settings.SECURE_REFERRER_POLICY),
    ("Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY),
]
ALIVE = Reply(
    HTTPStatus.OK,
    [("Content-Type", "application/json"), ("Cache-Control", "no-store"), *PROTECTIVE],
    b'{"status": "ok"}',
)


def problem(
    status: HTTPStatus, detail: str, request: Request | None, retry_after: int | None = None
) -> Reply:
    """Problem details (RFC 9457) with the headers that the application's responses have."""
    members = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail[:MAX_DETAIL],
    }
    given = [value for name, value in request.headers if name == "X-REQUEST-ID"] if request else []
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Cache-Control", "no-store"),  # a cache may otherwise keep a 414
        *PROTECTIVE,
        ("X-Request-ID", request_id(",".join(given))),
    ]
    if settings.SERVED_BY:
        headers.append(("Served-By", settings.SERVED_BY))
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return Reply(status, headers, json.dumps(members).encode())


def refusal(error: errors.ParseException, request: Request | None) -> Reply:
    """The reply to a request that is malformed or too large."""
    return problem(STATUSES.get(type(error), HTTPStatus.BAD_REQUEST), str(error), request)


def overloaded(request: Request | None) -> Reply:
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The service is overloaded; try again.",
        request,
        retry_after=RETRY_AFTER,
    )


def defect(request: Request | None) -> Reply:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "This is a defect; it has been logged.", request
    )


def write(conn: Connection, request: Request | None, config: Any, reply: Reply) -> wsgi.Response:
    """Collect a reply in ``conn`` instead of what was collected; ``request`` is None if unread.

    If conn.closes is set, the reply says so.
    """
    conn.unsent = b""
    # A response to HEAD has no body, and that to an unread request may be one.
    unread = UnreadRequest("HEAD" if conn.reader.is_head else "GET")
    response = wsgi.Response(request or unread, conn, config)
    if conn.closes:
        response.force_close()
    length = ("Content-Length", str(len(reply.body)))
    response.start_response(f"{reply.status.value} {reply.status.phrase}", [*reply.headers, length])
    if response.req.method != "HEAD":
        response.write(reply.body)
    response.close()
    return response
