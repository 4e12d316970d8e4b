"""Keeps shared caches from giving one client's response to another."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

CREDENTIALS = ["Cookie", "Authorization"]


class PrivateResponses:
    """Mark responses that depend on who asks: ``Cache-Control: private, no-cache``, and ``Vary``.

    These are all responses while API_ACCESS limits who may read or write, responses to requests
    with credentials, and HTML, which shows who has logged in. A response that has a Cache-Control
    header keeps it, such as those of static files and the admin.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response and depends_on_client(request, response):
            patch_cache_control(response, private=True, no_cache=True)
            patch_vary_headers(response, ["Accept", *CREDENTIALS])
        return response


def depends_on_client(request: HttpRequest, response: HttpResponse) -> bool:
    return (
        settings.API_ACCESS != "anyone"
        or "HTTP_COOKIE" in request.META
        or "HTTP_AUTHORIZATION" in request.META
        or response.get("Content-Type", "").startswith("text/html")
    )
