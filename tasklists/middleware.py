"""What happens to every request before the views and to every answer after them."""

import random
import re
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.middleware import csrf
from django.utils.deprecation import MiddlewareMixin

from tasklists import errors

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """X-Request-ID: the client's, if it is one that may be logged and sent back, or a new one.

    Whatever is logged meanwhile has it as well.
    """

    acceptable = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request.META.get("HTTP_X_REQUEST_ID", "")
        if not self.acceptable.fullmatch(request_id):
            # Not uuid4(), which asks the kernel: this is to be unique, and no secret.
            request_id = f"{random.getrandbits(128):032x}"
        tokens = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
        response["X-Request-ID"] = request_id
        return response


class HeadersMiddleware:
    """Content-Length, what protects a browser, and Served-By, which makes replicas visible.

    Django adds all that protects a browser to every answer. With JSON, in which there
    is nothing to click, only nosniff matters, and the rest took a twentieth of a request.
    """

    of_pages: ClassVar = {
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        known = response.streaming or response.has_header("Content-Length")
        # A 204 has none, and a 304 that of the 200, if any (RFC 9110, section 8.6).
        if not known and response.status_code not in (204, 304):
            response["Content-Length"] = str(len(response.content))
        response["X-Content-Type-Options"] = "nosniff"
        if response.get("Content-Type", "").startswith("text/html"):
            for name, value in self.of_pages.items():
                response.headers.setdefault(name, value)
        if settings.SERVED_BY:
            response["Served-By"] = settings.SERVED_BY
        return response


class OfSessions(MiddlewareMixin):
    """Lets a request pass by that has no session, and is for no page that begins one."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.META.get("HTTP_COOKIE") or request.path_info.startswith(("/admin", "/auth/")):
            return super().__call__(request)
        return self.get_response(request)


class SessionMiddleware(OfSessions, sessions.SessionMiddleware): ...


class CsrfViewMiddleware(OfSessions, csrf.CsrfViewMiddleware): ...


class AuthenticationMiddleware(OfSessions, auth.AuthenticationMiddleware): ...


class MessageMiddleware(OfSessions, messages.MessageMiddleware): ...


class ProblemDetailsMiddleware:
    """Refuse what no view should see, and describe what a view outside the API raises."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        problem = self.refusal(request)
        return problem.response(request) if problem else self.get_response(request)

    @staticmethod
    def refusal(request: HttpRequest) -> errors.Problem | None:
        try:
            request.get_host()
        except DisallowedHost as error:
            return errors.from_exception(error)
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return errors.too_large()
        try:
            complete = not length or len(request.body) == length
        except UnreadablePostError:
            complete = False
        # The part that came may well be JSON, but it is not what the client means.
        if not complete:
            return errors.Problem(400, f"The body ended before its {length} bytes.")
        coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if coding not in ("", "identity"):
            return errors.Problem(
                415, f"Content-Encoding {coding!r} is not supported; send the body as it is."
            )
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        problem = errors.from_exception(error)
        return problem.response(request) if problem else None
