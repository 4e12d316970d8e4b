"""What happens to every request before the views and to every answer after them."""

import re
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django_structlog.middlewares import RequestMiddleware

from tasklists import errors

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware(RequestMiddleware):
    """X-Request-ID: the client's, if it is one that may be logged and sent back, or a new one."""

    acceptable = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

    def prepare(self, request: HttpRequest) -> None:
        if not self.acceptable.fullmatch(request.META.get("HTTP_X_REQUEST_ID", "")):
            request.META.pop("HTTP_X_REQUEST_ID", None)
        super().prepare(request)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        response["X-Request-ID"] = structlog.contextvars.get_contextvars()["request_id"]
        super().handle_response(request, response)


class ServedByMiddleware:
    """Served-By: who answered, which makes replicas with a database of their own visible."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if settings.SERVED_BY:
            response["Served-By"] = settings.SERVED_BY
        return response


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
