"""HTTP for all resources: methods, conditional requests, idempotency, pages."""

from functools import lru_cache
from typing import Any, ClassVar, NoReturn

import orjson
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, QueryDict
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, reverse
from django_filters.rest_framework import FilterSet
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from rest import entity_tags
from rest.exceptions import KeyReused, PreconditionFailed
from rest.idempotency import Idempotency, idempotency
from rest.pagination import KeysetPagination
from rest.parsers import JSONParser
from rest.renderers import JSONRenderer
from rest.serializers import ResourceSerializer
from rest.statements import MAX_ID, Row, Rows, Statements, Values
from service.errors import prefers_html, unavailable


class VersionedViewSet(GenericViewSet):  # type: ignore[type-arg]
    """List, create, read, change and delete the rows of a Resource.

    A subclass declares ``serializer_class`` and, if it has filters, ``filterset_class``. With
    ``parent``, the name of a foreign key, there is a collection for each parent: its path has
    the parent's id as ``<int:{parent}_id>``, and DELETE on it deletes the rows that the filters
    select.
    ``bulk_members`` are those that PATCH on a collection may change for all selected rows.
    """

    serializer_class: type[ResourceSerializer]
    filterset_class: Any = FilterSet
    parent: ClassVar[str | None] = None
    bulk_members: ClassVar[tuple[str, ...]] = ()

    pagination_class = KeysetPagination
    parser_classes = [JSONParser, MultiPartParser]
    collection_actions: ClassVar[dict[str, Any]] = {"get": "list", "post": "create"}
    member_actions: ClassVar[dict[str, Any]] = {
        "get": "retrieve",
        "put": "update",
        "patch": "partial_update",
        "delete": "destroy",
    }

    statements: ClassVar[Statements]
    rows: ClassVar[Rows]  # used instead of get_queryset(), which copies it for each request
    # One for whole and one for partial bodies, shared by all requests: making a serializer takes
    # longer than using it. run_validation() keeps no state.
    validators: ClassVar[dict[bool, ResourceSerializer]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.statements = Statements(cls.serializer_class, cls.parent)
        model: Any = cls.serializer_class.Meta.model
        cls.rows = cls.queryset = model._default_manager.all()
        cls.validators = {
            partial: cls.serializer_class(partial=partial) for partial in (False, True)
        }
        cls.collection_actions = dict(cls.collection_actions)
        if cls.parent:
            cls.collection_actions["delete"] = "destroy_all"
        if cls.bulk_members:
            cls.collection_actions["patch"] = "update_all"

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Send the Allow header only with 405 and on OPTIONS."""
        if self.action in (None, "metadata"):
            return super().default_response_headers
        return {"Vary": "Accept"}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        if not isinstance(response, Response):  # a Response is rendered later, with both
            # Break the reference cycle between view and request, so that the body is freed
            # without the garbage collector. This saves 2 % of a read.
            self.request.parser_context.clear()
            del self.request
        return response

    def perform_authentication(self, request: Request) -> None:
        """Skip authentication for anonymous requests."""
        if "HTTP_AUTHORIZATION" in request.META or request.COOKIES:
            super().perform_authentication(request)

    def get_parsers(self) -> list[BaseParser]:
        """Parse JSON, and the form of the browsable API."""
        form = self.request is not None and self.request.content_type == "multipart/form-data"
        if form and prefers_html(self.request):
            return [JSONParser(), MultiPartParser()]
        return [JSONParser()]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # The databases' integers end at MAX_ID, so there is no row with a greater id.
        if max(kwargs.values(), default=0) > MAX_ID and self.action not in (None, "metadata"):
            raise Http404

    # Actions of a collection. Their docstrings are the summaries in the OpenAPI document, where
    # {row} and {rows} stand for the model's name.

    def list(self, request: Request, **path: int) -> HttpResponseBase:
        """List {rows}, a page at a time."""
        pages = self.pagination_class()
        rows = pages.paginate_queryset(self.filter_queryset(self.rows), request, self)
        if not rows:
            self.require_parent()
        json = f"[{','.join(rows)}]"
        headers = {"Link": pages.link} if pages.link else {}
        if self.wants_json:
            return HttpResponse(json.encode(), "application/json", headers=headers)
        return Response(orjson.loads(json), headers=headers)

    def create(self, request: Request, **path: int) -> HttpResponseBase:
        """Create a {row}."""
        try:
            values = self.validated(request.data)
            self.refuse_other_parent(values)
            key = idempotency(request, self.within)
        except APIException:
            self.require_parent()  # a missing parent is reported first
            raise
        values |= self.within
        row = self.statements.create(values, self.base_url, key)
        if row is None:
            row = self.created_before(key) if key else None
        if row is None:
            self.require_parent()
            self.refuse_missing(values)
            # The row with the key was deleted between two statements.
            problem = unavailable("What this key created has just been deleted; try again.")
            return problem.response(request._request)
        return self.answer(row, 201, {"Location": f"{self.path}{row.id}"})

    def update_all(self, request: Request, **path: int) -> HttpResponseBase:
        """Change the given members of all {rows} that the filters select."""
        rows = self.filter_queryset(self.rows)
        try:
            values = self.validated(request.data, partial=True)
            self.refuse_single_members(request.data)
        except APIException:
            self.require_parent()
            raise
        if not values or not self.statements.change_all(rows, values, self.within):
            self.require_parent()
        return Response(status=204)

    def destroy_all(self, request: Request, **path: int) -> HttpResponseBase:
        """Delete all {rows} that the filters select."""
        if not self.statements.delete_all(self.filter_queryset(self.rows), self.within):
            self.require_parent()
        return Response(status=204)

    # Actions of a row

    def retrieve(self, request: Request, pk: int) -> HttpResponseBase:
        """Read a {row}."""
        row = self.current(pk)
        if self.wants_json and entity_tags.is_known(request, row.version):
            return HttpResponseNotModified(headers={"ETag": entity_tags.entity_tag(row.version)})
        return self.answer(row)

    def update(self, request: Request, pk: int, *, partial: bool = False) -> HttpResponseBase:
        """Replace a {row}."""
        try:
            values = self.validated(request.data, partial=partial)
        except APIException:
            self.current(pk)  # a missing row and a stale version are reported first
            raise
        if not values:
            return self.answer(self.current(pk))
        versions = entity_tags.versions(request)
        row = self.statements.change(pk, values, versions, self.base_url)
        return self.answer(row or self.refuse(pk, values))

    def partial_update(self, request: Request, pk: int) -> HttpResponseBase:
        """Change the given members of a {row}."""
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: int) -> HttpResponseBase:
        """Delete a {row}."""
        if not self.statements.delete(pk, entity_tags.versions(request)):
            self.refuse(pk, {})
        return Response(status=204)

    # What the actions share

    def validated(self, data: Any, *, partial: bool = False) -> Values:
        """The values to write; raises ValidationError."""
        if isinstance(data, QueryDict):
            form = self.serializer_class(data=data, partial=partial, context={"form": True})
            form.is_valid(raise_exception=True)
            return form.validated_data  # type: ignore[no-any-return]
        values: Values = self.validators[partial].run_validation(data)
        return values

    def current(self, pk: int) -> Row:
        """The current row; raises Http404 or PreconditionFailed."""
        row = self.statements.read(pk, self.base_url)
        if row is None:
            raise Http404
        entity_tags.check(self.request, row.version)
        return row

    def created_before(self, idempotency: Idempotency) -> Row | None:
        """The row that an earlier request with this key created; raises KeyReused."""
        found = self.statements.read_by_key(idempotency.key, self.base_url)
        if found is None:
            return None
        fingerprint, row = found
        if fingerprint != idempotency.fingerprint:
            raise KeyReused
        return row

    def refuse(self, pk: int, values: Values) -> NoReturn:
        """Raise the reason why a statement wrote nothing: row, version or foreign key."""
        refers = self.statements.references.keys() & values
        if entity_tags.versions(self.request) is None and not refers:
            raise Http404
        self.current(pk)
        self.refuse_missing(values)
        raise PreconditionFailed

    def refuse_missing(self, values: Values) -> None:
        """Raise ValidationError for foreign keys whose row does not exist."""
        if missing := self.statements.missing(values):
            raise ValidationError({name: [f"There is no such {name}."] for name in missing})

    def refuse_other_parent(self, values: Values) -> None:
        """Raise ValidationError if the body names another parent than the path."""
        for name, pk in self.within.items():
            if values.get(name, pk) != pk:
                raise ValidationError(
                    {name: [f"The path names {pk}: leave this out, or give the same."]}
                )

    def refuse_single_members(self, data: Any) -> None:
        """Raise ValidationError for members that can only be changed one row at a time."""
        fields = self.validators[True].fields
        single = [
            name for name in data if name not in self.bulk_members and not fields[name].read_only
        ]
        if single:
            allowed = ", ".join(self.bulk_members)
            message = f"Of all rows at once, only {allowed} can be changed."
            raise ValidationError({name: [message] for name in single})

    def require_parent(self) -> None:
        """Raise Http404 if the parent in the path does not exist."""
        if self.statements.missing(self.within):
            raise Http404

    @property
    def within(self) -> Values:
        """The parent in the path, by the name of its foreign key."""
        return {self.parent: self.kwargs[f"{self.parent}_id"]} if self.parent else {}

    @property
    def path(self) -> str:
        """The path of a row, without its id."""
        return _path(str(self.statements.meta.model_name), get_script_prefix())

    @property
    def base_url(self) -> str | None:
        """The URL of a row, without its id, for serializers with a URL."""
        if not self.statements.sql.has_url:
            return None
        return f"{self.request.scheme}://{self.request.get_host()}{self.path}"

    @property
    def wants_json(self) -> bool:
        """Whether the client gets JSON, and not the page of the browsable API."""
        return isinstance(self.request.accepted_renderer, JSONRenderer)

    def answer(
        self, row: Row, status: int = 200, headers: dict[str, str] | None = None
    ) -> HttpResponseBase:
        """The row as JSON with its entity tag, or on the page of the browsable API without."""
        if self.wants_json:
            headers = {"ETag": entity_tags.entity_tag(row.version), **(headers or {})}
            return HttpResponse(row.json.encode(), "application/json", status, headers=headers)
        # The page has a form, which needs a serializer. The JSON serves as its instance.
        data = self.get_serializer(orjson.loads(row.json)).data
        return Response(data, status, headers=headers)


@lru_cache(maxsize=32)
def _path(model_name: str, script_prefix: str) -> str:
    # Cached, because reverse() takes a twentieth of a request.
    return reverse(f"{model_name}-detail", args=[0]).removesuffix("0")
