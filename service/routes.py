"""The route of a request, which is the URL pattern that its path matches, for the metrics."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

ROUTE = "http.route"  # the key in the WSGI environ, where the server finds it
STATIC_FILE = "/static/{file}"
HEALTH_PATHS = ("/health/live", "/health/ready")
# One route for all of them: anonymous clients get an answer from each of its 40 patterns, with
# every method, and each combination would take 4 KB in every worker.
ADMIN_PAGE = "/admin/{page}"


class RouteMiddleware:
    """Store the route of a request in its WSGI environ. Without METRICS_PORT, nobody reads it.

    Requests that other middleware answers have no route, except static files and health checks.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_PORT:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if ROUTE not in request.META and is_static_file(request, response):
            request.META[ROUTE] = STATIC_FILE
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        match = request.resolver_match
        # The last pattern of project/urls.py matches every path, and has no name.
        if match and (match.route or match.url_name):
            request.META[ROUTE] = readable(match.route)


def is_static_file(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether WhiteNoise has answered, which comes before the URL patterns."""
    path: str = settings.STATIC_URL.removeprefix(settings.URL_PREFIX)
    return request.path_info.startswith(path) and response.status_code < 400


@cache
def readable(pattern: str) -> str:
    """The pattern ``lists/<int:pk>/`` as ``/lists/{pk}``. Cached, because patterns never change."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", simplify_regex(pattern))
    return ADMIN_PAGE if path.startswith("/admin/") else path.rstrip("/") or "/"
