"""/instance: which process answers, and what it knows. The cluster view of the page reads it."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.crypto import get_random_string
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rest.renderers import JSONRenderer
from rest.schema import problems
from rest.views import Metadata
from tasklists.models import TaskList

Method = Callable[..., Response]

STARTED_AT = timezone.now()  # server/wsgi.py imports this module before it forks the workers
MAX_LISTS = 10_000  # counting all rows of a large table would take long


class InstanceSerializer(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField(help_text="The value of SERVED_BY, such as the Pod's name.")
    version = serializers.CharField(help_text="The version of the service.")
    database = serializers.CharField(help_text="`sqlite` or `postgresql`.")
    lists = serializers.IntegerField(
        min_value=0,
        max_value=MAX_LISTS,
        help_text=f"How many lists its database has; {MAX_LISTS:,} if there are more.",
    )
    started_at = serializers.DateTimeField(
        format="%Y-%m-%dT%H:%M:%S.%fZ", help_text="When the process started."
    )


def describe(summary: str) -> Callable[[Method], Method]:
    """Describe an operation of /instance in the OpenAPI document."""
    example = {
        "name": "app-7d4b9c6f5-x2x4z",
        "version": settings.VERSION,
        "database": "postgresql",
        "lists": 12,
        "started_at": "2026-11-26T08:15:30.123456Z",
    }
    describe_as: Callable[[Method], Method] = extend_schema(
        summary=summary,
        request=None,
        responses={200: OpenApiResponse(InstanceSerializer, "The process.")} | problems(404),
        examples=[OpenApiExample("Instance", example, response_only=True)],
    )
    return describe_as


class InstanceView(APIView):
    """Tells which process answers, and closes the connection.

    The next request of the client may then reach another Pod. The response is JSON whatever the
    Accept header says, and 404 unless SERVED_BY is set.
    """

    renderer_classes = [JSONRenderer]
    metadata_class = Metadata

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Send Allow only with 405 and on OPTIONS, as resources do."""
        headers = {"Cache-Control": "no-store"}
        if self.request.method not in ("GET", "HEAD", "POST"):
            headers["Allow"] = ", ".join(self.allowed_methods)
        return headers

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return JSONRenderer(), JSONRenderer.media_type

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        close = request.META.get("server.close_connection")
        if close:  # absent in other servers than server/
            close()
        if not settings.SERVED_BY:
            raise Http404
        super().initial(request, *args, **kwargs)

    @describe("Ask who answers")
    def get(self, request: Request) -> Response:
        members = {
            "name": settings.SERVED_BY,
            "version": settings.VERSION,
            "database": connection.vendor,
            "lists": TaskList.objects.order_by()[:MAX_LISTS].count(),
            "started_at": STARTED_AT,
        }
        return Response(InstanceSerializer(members).data)

    @describe("Ask who answers, after a write to the database")
    def post(self, request: Request) -> Response:
        """Commit a write that leaves no row behind, and answer as GET does.

        It writes a session, because sessions have random keys. A list would use up an id, and the
        ids of lists would have gaps.
        """
        if request.data != {}:
            raise ParseError("A body has to be an empty JSON object, or be omitted.")
        with transaction.atomic():
            Session.objects.create(
                session_key=get_random_string(32), session_data="", expire_date=timezone.now()
            ).delete()
        return self.get(request)
