"""Every path of the service."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from rest.documentation import DocsView, DocumentView
from service import errors
from tasklists import urls as api

urlpatterns = [
    *api.urlpatterns,  # without include(), whose resolver takes 2 % of a read
    path(
        "admin",
        RedirectView.as_view(
            pattern_name="admin:index", query_string=True, http_method_names=["get", "head"]
        ),
    ),
    path("admin/", admin.site.urls),
    path("auth/", include("rest_framework.urls")),
    re_path("^schema/?$", DocumentView.as_view(), name="schema"),
    re_path("^docs/?$", DocsView.as_view(url_name="schema"), name="docs"),
    # With DEBUG, Django would answer an unknown path with a page of its own.
    # Exempt from CSRF, because it changes nothing: a POST to an unknown path is 404, not 403.
    re_path("", csrf_exempt(errors.not_found)),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
