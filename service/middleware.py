"""Middleware of the service. settings.MIDDLEWARE has their order."""

import inspect
import re
from collections.abc import Callable
from itertools import takewhile
from typing import Any, cast

import structlog
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost, MiddlewareNotUsed
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponsePermanentRedirect,
    UnreadablePostError,
)
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

from service import errors
from service.request_id import request_id
from service.trace_context import trace_id

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Give each request an id, which the response and every log record carry.

    Log records of a request with a traceparent header have its trace id too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # structlog makes the variable when it is first bound. Two requests at the same time would
        # make two, and one of them would fail when it resets the other's.
        tokens = structlog.contextvars.bind_contextvars(request_id="", trace_id="")
        structlog.contextvars.reset_contextvars(**tokens)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identifier = request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        context = {"request_id": identifier}
        if (header := request.META.get("HTTP_TRACEPARENT")) and (trace := trace_id(header)):
            context["trace_id"] = trace
        tokens = structlog.contextvars.bind_contextvars(**context)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
        response["X-Request-ID"] = identifier
        return response


class ContentLengthMiddleware:
    """Add Content-Length to complete responses."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        known = response.streaming or response.has_header("Content-Length")
        # A 204 has no Content-Length, and a 304 that of the 200, if any (RFC 9110, section 8.6).
        if not known and response.status_code not in (204, 304):
            response["Content-Length"] = str(len(response.content))
        return response


class ServedByMiddleware:
    """Add Served-By with settings.SERVED_BY, the name of the Pod that answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Served-By"] = settings.SERVED_BY
        return response


class HttpsOnlyMiddleware:
    """Redirect GET and HEAD to HTTPS with 308, and refuse every other method with 403.

    Django's SecurityMiddleware would redirect all of them with 301, unless SECURE_REDIRECT_EXEMPT
    exempts them. Most clients then repeat a POST as a GET, whose 200 looks as if something had been
    created.
    """

    def __init__(self, get_response: GetResponse) -> None:
        if not settings.SECURE_SSL_REDIRECT:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.is_secure():
            return self.get_response(request)
        # Some proxies add the port; that of http does not speak TLS.
        url = f"https://{request.get_host().removesuffix(':80')}{request.get_full_path()}"
        if request.method in ("GET", "HEAD"):
            return HttpResponsePermanentRedirect(url, preserve_request=True)
        detail = f"Only HTTPS is accepted. Nothing was done; send the request to {url} instead."
        return errors.Problem(403, detail).response(request)


class SkipForAnonymousApi:
    """Let anonymous requests to the JSON API skip the middleware for sessions and pages.

    Everything else passes through Django's own middleware: a request with a cookie or an
    Authorization header, one whose Accept header is not in ``json_only``, and every path that
    does not match settings.API_PATHS. So a new page is protected unless somebody lists its path
    there.

    Skipped are only the middleware classes in ``skippable``, which have to follow this class
    in settings.MIDDLEWARE directly. With another class between them none is skipped. CSRF
    protection of views stays in force even for skipped requests, because Django calls
    CsrfViewMiddleware.process_view itself.

    The gain is a tenth of the time of a small request (docs/decisions/service.md).
    """

    # Any other value may select an HTML page, as text/* does. Clients generated from the OpenAPI
    # document accept only errors for DELETE, because its success has no content.
    json_only = ("*/*", "application/json", errors.MEDIA_TYPE)
    skippable = (
        SessionMiddleware,
        CsrfViewMiddleware,
        AuthenticationMiddleware,
        MessageMiddleware,
        XFrameOptionsMiddleware,
    )

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.skip = self.after_skippable(get_response)
        self.is_api_path = re.compile(settings.API_PATHS).fullmatch

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.is_anonymous_api_request(request):
            return self.skip(request)
        return self.get_response(request)

    def is_anonymous_api_request(self, request: HttpRequest) -> bool:
        headers = request.META
        return (
            "HTTP_COOKIE" not in headers
            and "HTTP_AUTHORIZATION" not in headers
            and headers.get("HTTP_ACCEPT", "*/*") in self.json_only
            and self.is_api_path(request.path_info) is not None
        )

    @classmethod
    def after_skippable(cls, handler: GetResponse) -> GetResponse:
        """The first handler in the chain that must not be skipped."""
        middleware = [import_string(path) for path in settings.MIDDLEWARE]
        following = middleware[middleware.index(cls) + 1 :]
        skipped = list(takewhile(cls.skippable.__contains__, following))
        if any(each in cls.skippable for each in following[len(skipped) :]):
            # One that is not skipped may need those before it: users need a session.
            return handler
        for _ in skipped:
            # Django wraps each middleware in convert_exception_to_response.
            handler = cast("Any", inspect.unwrap(handler)).get_response
        return handler


class RefuseMalformedRequests:
    """Refuse a wrong Host, long cookies, and a body that is too large, cut short or compressed."""

    # Browsers send a few hundred characters. Python took quadratic time for quoted cookies
    # (CVE-2024-7592): two seconds for 32 KB.
    max_cookies = 8192

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        problem = self.refusal(request)
        return problem.response(request) if problem else self.get_response(request)

    def refusal(self, request: HttpRequest) -> errors.Problem | None:
        try:
            request.get_host()
        except DisallowedHost as error:
            forwarded = "HTTP_X_FORWARDED_HOST" in request.META and settings.USE_X_FORWARDED_HOST
            header = "X-Forwarded-Host" if forwarded else "Host"
            # Django says "Invalid HTTP_HOST header", whichever header it has read.
            return errors.Problem(400, str(error).replace("HTTP_HOST", header, 1))
        if len(request.META.get("HTTP_COOKIE", "")) > self.max_cookies:
            return errors.Problem(431, f"Cookie takes at most {self.max_cookies} characters.")
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return errors.too_large()
        try:
            complete = not length or len(request.body) == length
        except UnreadablePostError:
            complete = False
        # A truncated body may be valid JSON, but it is not what the client meant to send.
        if not complete:
            return errors.Problem(
                400, f"The body ended before the {length} bytes that Content-Length announced."
            )
        coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if coding not in ("", "identity"):
            return errors.Problem(
                415,
                f"Content-Encoding {coding!r} is not supported; send the body unencoded.",
                headers={"Accept-Encoding": "identity"},  # RFC 7694
            )
        return None


class ProblemDetailsMiddleware:
    """Turn the exceptions of views outside the API, and their 405, into problem details."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            detail = f"The method {request.method} is not allowed here."
            allow = {"Allow": response["Allow"]}
            return errors.Problem(405, detail, headers=allow).response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        problem = errors.from_exception(error)
        return problem.response(request) if problem else None
