"""Error responses as problem details (RFC 9457), for exceptions of Django and of the database."""

import sys
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
import structlog
from django import db
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string

from service.database_errors import is_bad_value, is_conflict, is_lock_timeout, is_outage
from service.suggestions import suggestion

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 1  # seconds
MAX_ACCEPT = 1000  # characters of a browser's Accept header, which has some 130

logger = structlog.get_logger(__name__)


class Problem(NamedTuple):
    """An error response; ``errors`` has an entry for each invalid part of the request."""

    status: int
    detail: str
    errors: list[dict[str, str]] | None = None
    headers: dict[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        members: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = self.errors
        return members

    def response(self, request: HttpRequest, *, as_page: bool | None = None) -> HttpResponse:
        """A page or JSON; without ``as_page`` a page for browsers and JSON for other clients."""
        members = self.as_dict()
        if prefers_html(request) if as_page is None else as_page:
            page = render_to_string("service/problem.html", members)
            response = HttpResponse(page, status=self.status)
        else:
            response = HttpResponse(orjson.dumps(members), MEDIA_TYPE, self.status)
        for header, value in (self.headers or {}).items():
            response[header] = value
        response["Vary"] = "Accept"
        return response


class Refused(Exception):  # noqa: N818 - the request is refused; nothing is wrong here
    """Raised in a view outside the API to answer with ``problem``."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def prefers_html(request: HttpRequest) -> bool:
    """Whether the Accept header names HTML, as browsers do; ``*/*`` alone does not count."""
    if len(request.META.get("HTTP_ACCEPT", "")) > MAX_ACCEPT:
        return False  # Django would make an object of each media type
    try:
        preferred = request.get_preferred_type(["application/json", "text/html"])
    except ValueError:  # a parameter is in an encoding that does not exist
        return False
    return preferred == "text/html"


def from_exception(error: BaseException) -> Problem | None:
    """The error response to an exception of Django's, or None if the exception is a defect."""
    match error:
        case Refused():
            return error.problem
        case Http404():
            return Problem(404, "There is nothing at this address.")
        case PermissionDenied():
            return Problem(403, str(error) or "This is not allowed.")
        case SuspiciousOperation() | MultiPartParserError():
            return Problem(400, str(error) or "The request is malformed.")
        case db.Error() if is_conflict(error) or is_lock_timeout(error):
            logger.warning("a transaction conflicted with another one", error=one_line(error))
            return unavailable("Other requests changed the same objects; try again.")
        case db.IntegrityError():
            logger.warning("the database refused a write", error=one_line(error))
            return Problem(409, "The write conflicts with stored data.")
        case db.Error() if is_bad_value(error):
            logger.warning("the database refused a value", error=one_line(error))
            reason = str(error).partition("\n")[0].rstrip(".")  # the rest quotes the statement
            return Problem(400, f"The database refuses a value of this request: {reason}.")
        case db.Error() if is_outage(error):
            logger.error("the database is unavailable", error=one_line(error))
            return unavailable("The database is unavailable; try again.")
    return None


def one_line(error: BaseException) -> str:
    """The error's message on one line, for a log record or a command's error."""
    return " ".join(str(error).split())


def unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER)})


def too_large() -> Problem:
    return Problem(
        413, f"The body exceeds the limit of {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400, for exceptions of middleware.

    ProblemDetailsMiddleware handles those of views.
    """
    return Problem(400, str(exception)).response(request)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if near := suggestion(request.path_info):
        detail = f"There is no {request.path}; did you mean {settings.URL_PREFIX}{near}?"
    else:
        detail = f"There is nothing at {request.path}."
    return Problem(404, detail).response(request)


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    problem = from_exception(error) if error else None
    return (problem or Problem(500, "This is a defect; it has been logged.")).response(request)
