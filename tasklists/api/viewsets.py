from typing import Any, NoReturn

import orjson
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from tasklists import statements
from tasklists.api import entity_tags
from tasklists.api.exceptions import PreconditionFailed
from tasklists.api.filters import TaskListFilter
from tasklists.api.pagination import KeysetPagination
from tasklists.api.parsers import JSONParser
from tasklists.api.renderers import JSONRenderer
from tasklists.api.serializers import TaskListSerializer
from tasklists.errors import prefers_html
from tasklists.models import TaskList


class TaskListViewSet(GenericViewSet):  # type: ignore[type-arg]
    """Task lists: list, create, read, change and delete.

    A change may be made on condition: If-Match with the list's ETag.
    """

    queryset = TaskList.objects.all()
    serializer_class = TaskListSerializer
    filterset_class = TaskListFilter
    pagination_class = KeysetPagination
    parser_classes = [JSONParser, MultiPartParser]

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Allow only where it is asked for: with 405 and with OPTIONS."""
        if self.action in (None, "metadata"):
            return super().default_response_headers
        return {"Vary": "Accept"}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As DRF's, and leave nothing behind.

        Its view and its request refer to themselves, so that they, the body and the
        answer would stay until garbage is collected.
        """
        response = super().dispatch(request, *args, **kwargs)
        if not isinstance(response, Response):  # which is rendered later
            self.request.parser_context.clear()
            vars(self).clear()
        return response

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

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if kwargs.get("pk", 0) > statements.MAX_ID and self.action not in (None, "metadata"):
            raise Http404

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Filters choose among lists; a single one is chosen by its path."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def list(self, request: Request) -> HttpResponseBase:
        """List lists, a page at a time."""
        pages = self.pagination_class()
        # Not get_queryset(), which copies what is not evaluated anyway.
        rows = pages.paginate_queryset(self.filter_queryset(self.queryset), request)
        json = f"[{','.join(rows)}]"
        headers = {"Link": pages.link} if pages.link else {}
        if self.is_program:
            return HttpResponse(json.encode(), "application/json", headers=headers)
        return Response(orjson.loads(json), headers=headers)

    def create(self, request: Request) -> HttpResponseBase:
        """Make a list."""
        row = statements.create(self.validated(request.data)["name"])
        return self.answer(row, 201, {"Location": reverse("list", args=[row.id])})

    def retrieve(self, request: Request, pk: int) -> HttpResponseBase:
        """Read a list."""
        row = self.current(pk)
        if self.is_program and entity_tags.is_known(request, row.version):
            return HttpResponseNotModified(headers={"ETag": entity_tags.entity_tag(row.version)})
        return self.answer(row)

    def update(self, request: Request, pk: int, *, partial: bool = False) -> HttpResponseBase:
        """Replace a list's name."""
        try:
            data = self.validated(request.data, partial=partial)
        except APIException:
            self.current(pk)  # that there is none is told first
            raise
        if not data:
            return self.answer(self.current(pk))
        versions = entity_tags.versions(request)
        row = statements.change(pk, data["name"], versions)
        return self.answer(row or self.refuse(pk))

    def partial_update(self, request: Request, pk: int) -> HttpResponseBase:
        """Change what is given."""
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: int) -> HttpResponseBase:
        """Delete a list."""
        if not statements.delete(pk, entity_tags.versions(request)):
            self.refuse(pk)
        return Response(status=204)

    def validated(self, data: Any, *, partial: bool = False) -> Any:
        """What a request may write; raises ValidationError."""
        # Not get_serializer(): its context would hold the request as long as DRF's fields and
        # their serializer hold each other.
        serializer = self.serializer_class(data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def current(self, pk: int) -> statements.Row:
        """The list as it is; raises Http404 or PreconditionFailed."""
        row = statements.read(pk)
        if row is None:
            raise Http404
        entity_tags.check(self.request, row.version)
        return row

    def refuse(self, pk: int) -> NoReturn:
        """Raise the reason why nothing was written: no such list, or not at such a version."""
        if entity_tags.versions(self.request) is None:
            raise Http404
        self.current(pk)
        raise PreconditionFailed

    @property
    def is_program(self) -> bool:
        """Whether the client is to get JSON, and not the page around it."""
        return isinstance(self.request.accepted_renderer, JSONRenderer)

    def answer(
        self, row: statements.Row, status: int = 200, headers: dict[str, str] | None = None
    ) -> HttpResponseBase:
        """The list; its entity tag is that of the JSON and not of the page for browsers."""
        if self.is_program:
            headers = {"ETag": entity_tags.entity_tag(row.version), **(headers or {})}
            return HttpResponse(row.json.encode(), "application/json", status, headers=headers)
        task_list = TaskList(**orjson.loads(row.json))
        return Response(self.get_serializer(task_list).data, status, headers=headers)
