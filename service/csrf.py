"""What is answered to a request that fails Django's CSRF check, and logged about it."""

from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware import csrf

from service.errors import Problem

MAX_ORIGIN = 300  # characters that are repeated of a client's Origin or Referer
# How Django's reasons for a foreign Origin or Referer begin; the client's header follows.
FOREIGN = tuple(
    reason.partition("%s")[0] for reason in (csrf.REASON_BAD_ORIGIN, csrf.REASON_BAD_REFERER)
)

logger = structlog.get_logger(__name__)


def failure(request: HttpRequest, reason: str) -> HttpResponse:
    """settings.CSRF_FAILURE_VIEW."""
    return problem(request, reason).response(request)


def problem(request: HttpRequest, reason: str) -> Problem:
    """403, which says what to do; ``reason`` is one of Django's.

    Logs a warning with the same text, since Django REST Framework logs nothing.
    """
    detail = explain(request, reason)
    logger.warning("a request failed the CSRF check", reason=detail)
    return Problem(403, detail)


def explain(request: HttpRequest, reason: str) -> str:
    own = f"{request.scheme}://{request.get_host()}"
    match reason:
        case csrf.REASON_NO_REFERER:
            return (
                "Over HTTPS the CSRF check needs an Origin or a Referer header, and this request "
                f"has neither. Send Origin: {own}. Browsers send it, unless an extension or a "
                "proxy removes it."
            )
        case csrf.REASON_MALFORMED_REFERER:
            referer = request.META["HTTP_REFERER"][:MAX_ORIGIN]
            return f"The Referer header, {referer!r}, is no URL; send one that begins with {own}/."
        case csrf.REASON_INSECURE_REFERER:
            return f"The form is from {sender(request)!r}, without HTTPS. Open it at {own} instead."
        case _ if reason.startswith(FOREIGN):
            return (
                f"The form is from the origin {sender(request)!r}, and the CSRF check expects "
                f"{own!r}. If both are this service, it is behind a proxy: set "
                "TRUST_PROXY_HEADERS, and have the proxy send X-Forwarded-Proto and "
                "X-Forwarded-Host. If the form is another site's, add its origin to "
                "CSRF_TRUSTED_ORIGINS."
            )
        case csrf.REASON_NO_CSRF_COOKIE:
            return f"{reason} Allow cookies of {own}, reload the form and send it again."
    return (
        f"{reason} Reload the form and send it again. A script has to send the value of the cookie "
        f"{settings.CSRF_COOKIE_NAME} as X-CSRFToken."
    )


def sender(request: HttpRequest) -> str:
    """The origin that Origin or, without it, Referer names."""
    origin: str | None = request.META.get("HTTP_ORIGIN")
    if origin is None:
        referer = urlsplit(request.META["HTTP_REFERER"])
        origin = f"{referer.scheme}://{referer.netloc.rpartition('@')[2]}"
    return origin[:MAX_ORIGIN]
