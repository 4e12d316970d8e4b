"""The actions of a resource: conditional requests, idempotency, pages."""

from typing import Any, ClassVar, NoReturn

import orjson
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from rest import entity_tags
from rest.exceptions import KeyReused, PreconditionFailed
from rest.idempotency import Idempotency, idempotency
from rest.statements import ATTEMPTS, Row, Values
from rest.views import ResourceView
from service.errors import unavailable
from service.metrics import IDEMPOTENT_REPLAYS


class VersionedViewSet(ResourceView):
    """List, create, read, change and delete the rows of a Resource.

    A subclass declares ``serializer_class`` and, if it has filters, ``filterset_class``. With
    ``parent``, the name of a foreign key, there is a collection for each parent: its path has
    the parent's id as ``<int:{parent}_id>``, and DELETE on it deletes the rows that the filters
    select. ``bulk_members`` are those that PATCH on a collection may change for all selected
    rows.
    """

    bulk_members: ClassVar[tuple[str, ...]] = ()
    collection_actions: ClassVar[dict[str, Any]] = {"get": "list", "post": "create"}
    row_actions: ClassVar[dict[str, Any]] = {
        "get": "retrieve",
        "put": "update",
        "patch": "partial_update",
        "delete": "destroy",
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.collection_actions = dict(cls.collection_actions)
        if cls.parent:
            cls.collection_actions["delete"] = "destroy_all"
        if cls.bulk_members:
            cls.collection_actions["patch"] = "update_all"

    # Actions of a collection. Their docstrings are the summaries in the OpenAPI document, where
    # {row} and {rows} stand for the model's name. They use self.queryset, because
    # get_queryset() copies it.

    def list(self, request: Request, **ids: int) -> HttpResponseBase:
        """List {rows}, a page at a time."""
        pages = self.pagination_class()
        rows = pages.paginate_queryset(self.filter_queryset(self.queryset), request, self)
        if not rows:
            self.require_parent()
        json = f"[{','.join(rows)}]"
        headers = {"Link": pages.link} if pages.link else {}
        if self.wants_json:
            return HttpResponse(json.encode(), "application/json", headers=headers)
        return Response(orjson.loads(json), headers=headers)

    def create(self, request: Request, **ids: int) -> HttpResponseBase:
        """Create a {row}."""
        try:
            values = self.validated(request.data)
            self.refuse_other_parent(values)
            key = idempotency(request, self.validators[False].written(request.data), self.within)
        except APIException:
            self.require_parent()  # a missing parent is reported first
            raise
        values |= self.within
        for _ in range(ATTEMPTS):
            row = self.statements.create(values, self.base_url, key)
            if row is None and (row := self.created_before(key)):
                IDEMPOTENT_REPLAYS.inc()
            if row is not None:
                return self.answer(row, 201, {"Location": f"{self.row_path}{row.id}"})
            self.require_parent()
            self.refuse_missing(values)
            # What this key created was there for the INSERT, and has been deleted since.
        problem = unavailable("What this key created is deleted again and again; try again.")
        return problem.response(request._request)

    def update_all(self, request: Request, **ids: int) -> HttpResponseBase:
        """Change the given members of all {rows} that the filters select."""
        queryset = self.filter_queryset(self.queryset)
        try:
            values = self.validated(request.data, partial=True)
            self.refuse_single_members(request.data)
        except APIException:
            self.require_parent()
            raise
        if not values or not self.statements.change_all(queryset, values, self.within):
            self.require_parent()
        return Response(status=204)

    def destroy_all(self, request: Request, **ids: int) -> HttpResponseBase:
        """Delete all {rows} that the filters select."""
        if not self.statements.delete_all(self.filter_queryset(self.queryset), self.within):
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
        if row is None:
            self.raise_reason(pk, values)
        return self.answer(row)

    def partial_update(self, request: Request, pk: int) -> HttpResponseBase:
        """Change the given members of a {row}."""
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: int) -> HttpResponseBase:
        """Delete a {row}."""
        if not self.statements.delete(pk, entity_tags.versions(request)):
            self.raise_reason(pk, {})
        return Response(status=204)

    # What actions look up and refuse

    def current(self, pk: int) -> Row:
        """The current row; raises Http404 or PreconditionFailed."""
        row = self.statements.read(pk, self.base_url)
        if row is None:
            raise Http404
        entity_tags.check(self.request, row.version)
        return row

    def created_before(self, idempotency: Idempotency | None) -> Row | None:
        """The row that an earlier request with this key created; raises KeyReused."""
        found = idempotency and self.statements.read_by_key(idempotency.key, self.base_url)
        if not idempotency or not found:
            return None
        fingerprint, row = found
        if fingerprint != idempotency.fingerprint:
            raise KeyReused
        return row

    def raise_reason(self, pk: int, values: Values) -> NoReturn:
        """Raise why a statement wrote nothing: the row, its version or a foreign key."""
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
                message = f"The path names {pk}: omit this member, or give the same id."
                raise ValidationError({name: [message]})

    def refuse_single_members(self, data: Any) -> None:
        """Raise ValidationError for members that can only be changed one row at a time."""
        fields = self.validators[True].fields
        writable = [name for name, field in fields.items() if not field.read_only]
        single = [name for name in writable if name in data and name not in self.bulk_members]
        if single:
            rows, allowed = self.statements.meta.verbose_name_plural, ", ".join(self.bulk_members)
            message = f"This cannot be changed for all {rows} at once; only {allowed} can."
            raise ValidationError({name: [message] for name in single})

    def require_parent(self) -> None:
        """Raise Http404 if the parent in the path does not exist."""
        if self.statements.missing(self.within):
            raise Http404
