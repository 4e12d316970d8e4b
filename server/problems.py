"""Responses to requests that never reach the application, as problem details (RFC 9457)."""

import http
import json
import socket

from gunicorn.http import errors

# Every other error in a request is 400, also a transfer coding that gunicorn does not know, for
# which gunicorn itself would answer 501.
STATUSES = {
    errors.ConfigurationProblem: http.HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ExpectationFailed: http.HTTPStatus.EXPECTATION_FAILED,
    errors.ForbiddenProxyRequest: http.HTTPStatus.FORBIDDEN,
    # The application set a header that HTTP does not allow.
    errors.InvalidResponseHeader: http.HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InvalidResponseHeaderName: http.HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.LimitRequestHeaders: http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.LimitRequestLine: http.HTTPStatus.REQUEST_URI_TOO_LONG,
}


def status_of(error: BaseException) -> http.HTTPStatus:
    """The status of the response to a request that ended with ``error``.

    It is 500 unless gunicorn's parser found a mistake of the client's.
    """
    if not isinstance(error, errors.ParseException):
        return http.HTTPStatus.INTERNAL_SERVER_ERROR
    return STATUSES.get(type(error), http.HTTPStatus.BAD_REQUEST)


def write_problem(sock: socket.socket, status: http.HTTPStatus, detail: str) -> int:
    """Send a whole response, which says that the connection closes; return its body's length."""
    problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    sock.sendall(head.encode() + body)
    return len(body)
