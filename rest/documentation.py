"""The OpenAPI document and Swagger UI, for those who may read the API."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.exceptions import NotAuthenticated
from rest_framework.views import APIView

from service.errors import prefers_html


class LoginForBrowsers(APIView):
    """Lead an anonymous browser to the login and back, where another client gets 401."""

    def handle_exception(self, exc: Exception) -> Any:
        reads = self.request.method in ("GET", "HEAD")
        if reads and isinstance(exc, NotAuthenticated) and prefers_html(self.request):
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)


class DocumentView(LoginForBrowsers, SpectacularAPIView):  # type: ignore[misc]
    """The OpenAPI document, as YAML or JSON."""


class DocsView(LoginForBrowsers, SpectacularSwaggerView):  # type: ignore[misc]
    """Swagger UI."""

    # DRF would render its answer to OPTIONS with the template of the page, and fail.
    http_method_names = ["get", "head"]
