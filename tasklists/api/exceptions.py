"""The API's exceptions, and every exception in it as problem details."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings

from tasklists import errors


class InvalidParameters(exceptions.ValidationError):
    """Parameters of the query that are unknown or out of range: ``{name: [message, ...]}``."""

    default_detail = "The query is invalid."


class PreconditionFailed(exceptions.APIException):
    status_code = 412
    default_detail = "The list has changed meanwhile: read it again."


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """Problem details of what DRF or Django raises; None for a defect, which stays one."""
    problem = (
        describe(error)
        if isinstance(error, exceptions.APIException)
        else errors.from_exception(error)
    )
    if problem is None:
        return None
    request = context["request"]
    renderer = getattr(request, "accepted_renderer", None)
    # The page of the browsable API needs the database: not when that is what is away.
    if isinstance(renderer, BrowsableAPIRenderer) and problem.status != 503:
        return Response(problem.as_dict(), problem.status, headers=problem.headers)
    return problem.response(request._request)


def describe(error: exceptions.APIException) -> errors.Problem:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if isinstance(error, exceptions.ValidationError):
        member = "parameter" if isinstance(error, InvalidParameters) else "pointer"
        found = list(flatten(error.detail, member))
        detail = " ".join(
            f"{part[member].lstrip('/')}: {part['detail']}".lstrip(": ") for part in found
        )
        return errors.Problem(error.status_code, detail, found, headers)
    detail = str(error.detail)
    if isinstance(error, exceptions.ParseError):
        return errors.Problem(400, detail, [{"pointer": "", "detail": detail}], headers)
    return errors.Problem(error.status_code, detail, None, headers)


def flatten(detail: Any, member: str, at: str = "") -> Any:
    """DRF's nested messages as ``{member: where, "detail": message}``, one by one."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if name == api_settings.NON_FIELD_ERRORS_KEY:
                yield from flatten(inner, member, at)
            else:
                yield from flatten(inner, member, f"{at}/{name}" if member == "pointer" else name)
    elif isinstance(detail, list):
        for inner in detail:
            yield from flatten(inner, member, at)
    else:
        yield {member: at, "detail": str(detail)}
