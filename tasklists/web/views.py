"""The page at / for browsers, and /instance, which says which Pod answers."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rest.renderers import JSONRenderer
from service.errors import prefers_html
from tasklists.api import TaskListViewSet
from tasklists.models import TaskList

STARTED_AT = timezone.now()
MAX_LISTS = 10_000  # counting all of a large table would take long
# The browser loads all at once; otherwise it would see what a module imports when it has the module.
MODULES = sorted(file.name for file in Path(__file__).parent.glob("static/tasklists/*.js"))
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

lists = TaskListViewSet.as_view(TaskListViewSet.collection_actions, name="Task lists")


@csrf_exempt  # the API checks the token itself, for those who have logged in
def front(request: HttpRequest) -> Any:
    """Answer browsers with the page, and every other client as /lists does."""
    if request.method in ("GET", "HEAD") and prefers_html(request):
        return page(request)
    return lists(request)


def page(request: HttpRequest) -> HttpResponse:
    """The page. Anonymous users are led to the login if they may not even read."""
    known = request.user.is_authenticated
    if not known and settings.API_ACCESS == "authenticated":
        response: HttpResponse = redirect_to_login(request.get_full_path())
    else:
        if known:
            get_token(request)  # sets the cookie with the token, which every change needs
        context = {
            "access": "write" if known or settings.API_ACCESS == "anyone" else "read",
            "instance": bool(settings.SERVED_BY),
            "csrf_cookie": settings.CSRF_COOKIE_NAME,
            "root": get_script_prefix(),
            "modules": [static(f"tasklists/{name}") for name in MODULES],
        }
        response = render(request, "tasklists/page.html", context)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    patch_vary_headers(response, ["Accept", "Cookie"])
    patch_cache_control(response, private=True, no_cache=True)
    return response


class InstanceView(APIView):
    """Who answers. The connection is closed, so that the next request may reach another Pod."""

    renderer_classes = [JSONRenderer]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        close = request.META.get("server.close_connection")
        if close:  # other servers than server/ keep the connection
            close()
        if not settings.SERVED_BY:
            raise Http404
        super().initial(request, *args, **kwargs)

    def get(self, request: Request) -> Response:
        """Name, version and database of the Pod that answers, and how many lists it knows."""
        members = {
            "name": settings.SERVED_BY,
            "version": settings.VERSION,
            "database": connection.vendor,
            "lists": TaskList.objects.order_by()[:MAX_LISTS].count(),
            "started_at": STARTED_AT,
        }
        return Response(members, headers={"Cache-Control": "no-store"})

    def post(self, request: Request) -> Response:
        """Write to the database, commit, and leave nothing behind; answer as GET does.

        What is written is a session, since no sequence numbers sessions: the ids of lists and
        tasks stay without gaps.
        """
        with transaction.atomic():
            session = SessionStore()
            session.create()
            session.delete()
        return self.get(request)
