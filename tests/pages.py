"""Views that somebody might add to the service, outside of its API."""

from typing import NoReturn

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines

ERRORS: dict[str, Exception] = {
    "missing": Http404(),
    "forbidden": PermissionDenied(),
    "suspicious": SuspiciousOperation("odd"),
    "outage": OperationalError("server closed the connection"),
    "interface": InterfaceError("connection already closed"),
    "conflict": IntegrityError("duplicate key"),
    "data": DataError("out of range"),
    "defect": RuntimeError("a secret"),
}


def form(request: HttpRequest) -> HttpResponse:
    """A form with a CSRF token, which says who the user is."""
    template = engines["django"].from_string("<form>{% csrf_token %}</form>{{ user }}|{{ body }}")
    return HttpResponse(template.render({"body": request.POST.get("text", "")}, request))


def fail(request: HttpRequest, name: str) -> NoReturn:
    raise ERRORS[name]
