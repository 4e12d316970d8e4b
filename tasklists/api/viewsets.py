from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from tasklists.api import entity_tags
from tasklists.api.filters import TaskListFilter
from tasklists.api.parsers import JSONParser
from tasklists.api.renderers import JSONRenderer
from tasklists.api.serializers import TaskListSerializer
from tasklists.errors import prefers_html
from tasklists.models import TaskList


class TaskListViewSet(ModelViewSet):  # type: ignore[type-arg]
    """Task lists: list, create, read, change and delete.

    A change may be made on condition: If-Match with the list's ETag.
    """

    queryset = TaskList.objects.order_by("id")
    serializer_class = TaskListSerializer
    filterset_class = TaskListFilter
    parser_classes = [JSONParser, MultiPartParser]

    def perform_authentication(self, request: Request) -> None:
        """Only of a request that says who it is from."""
        if "HTTP_AUTHORIZATION" in request.META or request.COOKIES:
            super().perform_authentication(request)

    def get_parsers(self) -> list[BaseParser]:
        """JSON; from a browser's page also its form."""
        form = self.request is not None and self.request.content_type == "multipart/form-data"
        if form and prefers_html(self.request):
            return [JSONParser(), MultiPartParser()]
        return [JSONParser()]

    def get_queryset(self) -> QuerySet[TaskList]:
        """What a change reads stays locked until it is committed."""
        lists = super().get_queryset()
        changes = self.action in ("update", "partial_update", "destroy")
        return lists.select_for_update() if changes else lists

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Filters choose among lists; a single one is chosen by its path."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def get_object(self) -> TaskList:
        task_list: TaskList = super().get_object()
        entity_tags.check(self.request, task_list.version)
        return task_list

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List lists, a page at a time."""
        # Rows are what the answer has: model instances and a serializer would double the time.
        lists = self.filter_queryset(self.get_queryset())
        rows = self.paginate_queryset(lists.values(*TaskListSerializer.Meta.fields))
        return self.get_paginated_response(rows)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a list."""
        return self.tagged(super().create(request, *args, **kwargs))

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {"Location": reverse("list", args=[data["id"]])}

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """Read a list."""
        response = self.tagged(super().retrieve(request, *args, **kwargs))
        if response.has_header("ETag") and entity_tags.is_known(request, response.data["version"]):
            return HttpResponseNotModified(headers={"ETag": response["ETag"]})
        return response

    @transaction.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Replace a list's name."""
        return self.tagged(super().update(request, *args, **kwargs))

    @transaction.atomic
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete a list."""
        return super().destroy(request, *args, **kwargs)

    def tagged(self, response: Response) -> Response:
        """With the entity tag, which is that of the JSON and not of the page for browsers."""
        if isinstance(self.request.accepted_renderer, JSONRenderer):
            response["ETag"] = entity_tags.entity_tag(response.data["version"])
        return response
