"""The page at / for browsers."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from django import db
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page

from service.errors import from_exception, prefers_html
from tasklists.api import TaskListViewSet

# The page preloads all modules, so that the browser fetches them at once and does not discover each
# one in the module that imports it.
FOLDER = Path(__file__).parent
MODULES = sorted(file.name for file in FOLDER.glob("static/tasklists/*.js"))
# The one script inside the page, because a file of its own could be the one that is missing.
RELOAD = (FOLDER / "templates/tasklists/reload.js").read_bytes()
RELOAD_HASH = b64encode(sha256(RELOAD).digest()).decode()
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        f"script-src 'self' 'sha256-{RELOAD_HASH}'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

lists = TaskListViewSet.as_view(TaskListViewSet.collection_actions, name="Task lists")


@csrf_exempt  # the page is read-only, and the API checks the token itself
def front(request: HttpRequest) -> Any:
    """Answer browsers with the page, and every other client as /lists does."""
    if request.method in ("GET", "HEAD") and names_text(request) and prefers_html(request):
        return page(request)
    return lists(request)


def names_text(request: HttpRequest) -> bool:
    """Whether HTML can be meant at all. Saves others a sixth of the time of a small request."""
    return "text/" in request.META.get("HTTP_ACCEPT", "").lower()


@gzip_page  # WhiteNoise compresses the other files
def page(request: HttpRequest) -> HttpResponse:
    """The page, or a redirect to the login for anonymous users who may not even read."""
    username = name_of_user(request)
    logged_in = username is not None
    if not logged_in and settings.API_ACCESS == "authenticated":
        response: HttpResponse = redirect_to_login(request.get_full_path())
    else:
        if logged_in:
            get_token(request)  # sets the cookie with the CSRF token, which writes need
        context = {
            "username": username,
            "access": "write" if logged_in or settings.API_ACCESS == "anyone" else "read",
            "instance": bool(settings.SERVED_BY),
            "csrf_cookie": settings.CSRF_COOKIE_NAME,
            "root": get_script_prefix(),
            "modules": [static(f"tasklists/{name}") for name in MODULES],
        }
        response = render(request, "tasklists/page.html", context)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def name_of_user(request: HttpRequest) -> str | None:
    """The name of the user who has logged in, or None for an anonymous user.

    Empty if the database is unreachable, because it stores the sessions. The page is served
    nevertheless: it contains no data, and the API checks the session of every request. After a
    reload during an outage, the page says so, and shows the lists when the outage is over.
    """
    try:
        return request.user.get_username() if request.user.is_authenticated else None
    except db.Error as error:
        problem = from_exception(error)  # logs the outage
        if problem is None or problem.status != 503:
            raise
        return ""
