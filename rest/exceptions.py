"""The API's exceptions, and how each exception becomes problem details."""

from collections.abc import Iterator
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from rest.parsers import accept_headers, media_types_of
from rest.renderers import JSONRenderer
from service import csrf, errors

# How many unknown members or parameters an error points at, and how much of their names, or of a
# media type, it repeats.
MAX_UNKNOWN, MAX_NAME = 10, 64
CSRF_FAILED = "CSRF Failed: "  # DRF's, before Django's reason


class InvalidParameters(exceptions.ValidationError):
    """Query parameters that are unknown or out of range: ``{name: [message, ...]}``."""

    default_detail = "The query is invalid."


class BadHeader(exceptions.APIException):
    status_code = 400
    default_detail = "A header is malformed."


class PreconditionFailed(exceptions.APIException):
    status_code = 412
    default_detail = (
        "This has changed since you read it. Fetch it again and retry with the new ETag."
    )


class KeyReused(exceptions.APIException):
    status_code = 422
    default_detail = (
        "This Idempotency-Key was used for a request with another body or path. "
        "Repeat that request, or use a new key."
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """Problem details for what DRF or Django raises; None for a defect, which Django logs."""
    request = context["request"]
    match error:
        case exceptions.UnsupportedMediaType():
            problem: errors.Problem | None = unsupported(request)
        case exceptions.NotAcceptable():
            problem = not_acceptable(context["view"])
        case exceptions.PermissionDenied() if str(error.detail).startswith(CSRF_FAILED):
            problem = csrf.problem(request._request, str(error.detail).removeprefix(CSRF_FAILED))
        case exceptions.APIException():
            problem = describe(error)
        case _:
            problem = errors.from_exception(error)
    if problem is None:
        return None
    renderer = getattr(request, "accepted_renderer", None)
    # The browsable API's page needs the database, which a 503 says is unavailable.
    if isinstance(renderer, BrowsableAPIRenderer) and problem.status != 503:
        return Response(problem.as_dict(), problem.status, headers=problem.headers)
    # Where a success would be JSON, an error is too, whatever the Accept header prefers.
    as_page = False if isinstance(renderer, JSONRenderer) else None
    return problem.response(request._request, as_page=as_page)


def unsupported(request: Request) -> errors.Problem:
    """415, which names the media types that the method takes."""
    method = str(request.method)
    given = f"Content-Type {request.content_type[:MAX_NAME]!r} is not supported"
    if not request.content_type:
        given = "The body needs a Content-Type"
    detail = f"{given}; send {' or '.join(media_types_of(method))}."
    return errors.Problem(415, detail, headers=accept_headers([method]))


def not_acceptable(view: APIView) -> errors.Problem:
    """406, which names the media types of which the Accept header has to allow one."""
    offered = [*(renderer.media_type for renderer in view.renderer_classes), errors.MEDIA_TYPE]
    return errors.Problem(406, f"The Accept header allows none of {', '.join(offered)}.")


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
    if isinstance(error, exceptions.NotAuthenticated):
        detail = "Send `Authorization: Token KEY` or `Bearer KEY`, or log in."
    if isinstance(error, exceptions.ParseError):
        return errors.Problem(400, detail, [{"pointer": "", "detail": detail}], headers)
    return errors.Problem(error.status_code, detail, None, headers)


def flatten(detail: Any, member: str, at: str = "") -> Iterator[dict[str, str]]:
    """Yield DRF's nested messages one by one as ``{member: where, "detail": message}``.

    ``member`` is "pointer" (a JSON Pointer into the body) or "parameter" (a name).
    """
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if name == api_settings.NON_FIELD_ERRORS_KEY:
                yield from flatten(inner, member, at)
            elif member == "pointer":
                token = str(name).replace("~", "~0").replace("/", "~1")  # RFC 6901
                yield from flatten(inner, member, f"{at}/{token}")
            else:
                yield from flatten(inner, member, name)
    elif isinstance(detail, list):
        for inner in detail:
            yield from flatten(inner, member, at)
    else:
        yield {member: at, "detail": str(detail)}
