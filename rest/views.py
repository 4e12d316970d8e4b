"""What all views of resources share: parsers, authentication, responses."""

from functools import lru_cache
from typing import Any, ClassVar

import orjson
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, reverse
from django_filters.rest_framework import FilterSet
from rest_framework.authentication import SessionAuthentication
from rest_framework.metadata import SimpleMetadata
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from rest import entity_tags
from rest.filters import check_parameters
from rest.pagination import KeysetPagination
from rest.parsers import JSONParser, accept_headers, media_types_of, parsers_of
from rest.renderers import JSONRenderer
from rest.schema import ResourceSchema
from rest.schema_texts import ACTIONS
from rest.serializers import ResourceSerializer
from rest.statements import MAX_ID, Row, Statements, Values
from service.errors import prefers_html

# The actions whose success has content; "metadata" answers OPTIONS.
WITH_CONTENT = {"metadata", *(name for name, action in ACTIONS.items() if action.status != 204)}


BODY_METHODS = {"POST", "PUT", "PATCH"}


class Metadata(SimpleMetadata):
    """DRF's body of OPTIONS, with the media types that the path's methods accept."""

    def determine_metadata(self, request: Request, view: APIView) -> dict[str, Any]:
        metadata: dict[str, Any] = super().determine_metadata(request, view)
        methods = [method for method in view.allowed_methods if method in BODY_METHODS]
        accepted = [media_type for method in methods for media_type in media_types_of(method)]
        return {**metadata, "parses": list(dict.fromkeys(accepted))}


class ResourceView(GenericViewSet):  # type: ignore[type-arg]
    """Reads requests for a resource, and writes responses as JSON or as a page."""

    serializer_class: type[ResourceSerializer]
    queryset: Any
    filterset_class: Any = FilterSet
    parent: ClassVar[str | None] = None
    pagination_class = KeysetPagination
    metadata_class = Metadata
    schema = ResourceSchema()
    # For the pages of the browsable API; get_parsers() chooses for each request.
    parser_classes = [JSONParser, MultiPartParser]

    statements: ClassVar[Statements]
    # One for whole and one for partial bodies, shared by all requests: making a serializer takes
    # longer than using it. run_validation() keeps no state.
    validators: ClassVar[dict[bool, ResourceSerializer]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if getattr(cls, "serializer_class", None) is None:
            return  # VersionedViewSet, which declares no resource
        cls.statements = Statements(cls.serializer_class, cls.parent)
        model: Any = cls.serializer_class.Meta.model
        cls.queryset = model._default_manager.all()
        cls.validators = {
            partial: cls.serializer_class(partial=partial) for partial in (False, True)
        }

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Send Allow, Accept-Post and Accept-Patch only with 405 and on OPTIONS."""
        if self.action in (None, "metadata"):
            return {**super().default_response_headers, **accept_headers(self.allowed_methods)}
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
        """Skip authentication for anonymous requests; check the CSRF token of every form.

        Browsers send a form from any site to any other without asking. JSON they do not.
        """
        if "HTTP_AUTHORIZATION" in request.META or request.COOKIES:
            super().perform_authentication(request)
        if is_form(request._request):
            SessionAuthentication().enforce_csrf(request)

    def get_parsers(self) -> list[BaseParser]:
        """Parse JSON, and the form of the browsable API."""
        if self.request is None:  # while drf-spectacular makes its mock request
            return []  # type: ignore[unreachable]
        parsers: list[BaseParser] = [*parsers_of(self.request.method)]
        if is_form(self.request):
            parsers.append(MultiPartParser())
        return parsers

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Negotiate only if a success has content; otherwise any Accept header will do."""
        force = force or self.action not in WITH_CONTENT
        return super().perform_content_negotiation(request, force)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # The databases' integers end at MAX_ID, so there is no row with a greater id. OPTIONS
        # describes the path, whether or not there is a row.
        if max(kwargs.values(), default=0) > MAX_ID and self.action not in (None, "metadata"):
            raise Http404
        # `DELETE /lists/1?completed=true` is meant for the tasks of the list, and would delete it.
        # StrictFilterBackend checks the parameters of a collection. POST ignores them, because the
        # browsable API sends its form to the address of its page.
        if "pk" in kwargs and request.method in ("PUT", "PATCH", "DELETE"):
            check_parameters(request.query_params, [])

    def validated(self, data: Any, *, partial: bool = False) -> Values:
        """The values to write; raises ValidationError."""
        if isinstance(data, QueryDict):
            form = self.serializer_class(data=data, partial=partial, context={"form": True})
            form.is_valid(raise_exception=True)
            return form.validated_data  # type: ignore[no-any-return]
        values: Values = self.validators[partial].run_validation(data)
        return values

    @property
    def within(self) -> Values:
        """The parent in the path, by the name of its foreign key."""
        return {self.parent: self.kwargs[f"{self.parent}_id"]} if self.parent else {}

    @property
    def row_path(self) -> str:
        """The path of a row, without its id."""
        return _row_path(str(self.statements.meta.model_name), get_script_prefix())

    @property
    def base_url(self) -> str | None:
        """The URL of a row, without its id, for serializers that have a URL."""
        if not self.statements.has_url:
            return None
        return f"{self.request.scheme}://{self.request.get_host()}{self.row_path}"

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


def is_form(request: HttpRequest) -> bool:
    """Whether the request is a form of the browsable API, which only browsers send."""
    return request.content_type == "multipart/form-data" and prefers_html(request)


@lru_cache(maxsize=32)
def _row_path(model_name: str, script_prefix: str) -> str:
    # Cached, because reverse() takes a twentieth of a request.
    return reverse(f"{model_name}-detail", args=[0]).removesuffix("0")
