"""Who may use the API: the setting API_ACCESS."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class ApiAccess(BasePermission):
    """Users may do everything; what anonymous clients may do depends on API_ACCESS.

    With ``anyone`` they may do everything, with ``read_only`` read, with ``authenticated``
    nothing.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if settings.API_ACCESS == "anyone":
            return True
        if settings.API_ACCESS == "read_only" and request.method in SAFE_METHODS:
            return True
        return request.user.is_authenticated
