"""The OpenAPI document: what drf-spectacular cannot see in the code.

https://drf-spectacular.readthedocs.io/en/latest/customization.html describes the hooks.
"""

import math
from functools import cache
from typing import Any

from django.conf import settings
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_lib_doc_excludes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_serializer,
)

from rest.entity_tags import entity_tag
from rest.parsers import media_types_of
from rest.schema_texts import ACTIONS, COMMON_PROBLEMS, EXAMPLE_KEY, PROBLEM, PROBLEMS
from rest.serializers import ResourceSerializer
from service.errors import MEDIA_TYPE

# Text without a null character, and with one that is not stripped as white space. Generators read
# patterns as Go, Java, JavaScript or Python do: none has \u001c in Go, where \s is ASCII alone.
NOT_NULL = r"[^\x00]*"
TEXT = rf"^{NOT_NULL}[^\s\x00\x1c-\x1f\x85]{NOT_NULL}$"


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    """The error responses of an operation: these, and those that every operation has."""
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        (status, MEDIA_TYPE): OpenApiResponse(reference, PROBLEMS[status])
        for status in sorted({*COMMON_PROBLEMS, *statuses})
    }


class ApiSchema(AutoSchema):  # type: ignore[misc]
    """Describes what every view of the API has in common; use extend_schema() for the rest."""

    def get_description(self) -> str:
        return ""

    def get_tags(self) -> list[str]:
        """The resource: "tasks" for all paths of tasks, also below a list."""
        return [part for part in self.path.split("/") if part and "{" not in part][-1:]

    def get_auth(self) -> list[dict[str, Any]]:
        """How clients authenticate; none if API_ACCESS allows anonymous requests.

        Swagger UI shows a lock as well where ``{}`` is one of several.
        """
        reads = settings.API_ACCESS == "read_only" and self.method == "GET"
        if settings.API_ACCESS == "anyone" or reads:
            return []
        return list(super().get_auth())

    def map_parsers(self) -> list[str]:
        """The media types of a request's body."""
        return media_types_of(self.method)


class ResourceSchema(ApiSchema):
    """Describes an action of a VersionedViewSet as an operation; see ACTIONS."""

    def get_summary(self) -> str:
        """The action's docstring."""
        docstring: str = getattr(self.view, self.view.action).__doc__
        return self.with_names(docstring).rstrip(".")

    def get_operation(self, *args: Any) -> Any:
        """The operation, with an example of each parameter.

        Swagger UI puts a parameter's own example into its form and sends it. So only a required
        parameter has one; that of an optional one, such as If-Match, is in its schema.
        """
        operation = super().get_operation(*args)
        examples = self.parameter_examples()
        for parameter in operation.get("parameters", ()):
            example = examples.get(parameter["name"])
            if example is None:
                continue
            if parameter.get("required"):
                parameter["example"] = example
            else:
                parameter["schema"] = {**parameter["schema"], "examples": [example]}
        return operation

    def parameter_examples(self) -> dict[str, Any]:
        """Examples that fit the serializer's, by the parameter's name."""
        view, row = self.view, self.view.serializer_class.Meta.example
        filters = view.filterset_class.base_filters.items()
        key = view.pagination_class.key(row, view.statements.ordering)
        return {
            **{name: row.get(each.field_name) for name, each in filters},
            "id": row["id"],
            f"{view.parent}_id": row.get(view.parent),
            "limit": view.pagination_class.default_limit,
            "after": int(key) if key.isdigit() else key,
            "Idempotency-Key": EXAMPLE_KEY,
            "If-Match": entity_tag(row.get("version", 1)),
            "If-None-Match": entity_tag(row.get("version", 1)),
        }

    def get_override_parameters(self) -> list[OpenApiParameter]:
        """The headers of the request and of its response."""
        return list(ACTIONS[self.view.action].headers)

    def get_filter_backends(self) -> list[Any]:
        """Changes of all selected rows have the same filters as the list."""
        if self.view.action in ("update_all", "destroy_all"):
            return list(self.view.filter_backends)
        return list(super().get_filter_backends())

    def get_request_serializer(self) -> Any:
        serializer = self.view.serializer_class
        if self.view.action == "update_all":
            return bulk_serializer(serializer, self.view.bulk_members)
        return serializer

    def get_response_serializers(self) -> dict[Any, OpenApiResponse]:
        """The responses by status, or by status and media type."""
        action = ACTIONS[self.view.action]
        body = None if action.status == 204 else self.view.serializer_class
        responses: dict[Any, OpenApiResponse] = {
            action.status: OpenApiResponse(body, self.with_names(action.description))
        }
        if self.view.action == "retrieve":
            responses[304] = OpenApiResponse(description="The client has this version already.")
        others = [*([] if body is None else [406]), *([404] if self.view.parent else [])]
        return responses | problems(*action.problems, *others)

    def get_examples(self) -> list[OpenApiExample]:
        """The serializer's example, and in requests those of its members that are written."""
        serializer, action = self.view.serializer_class, self.view.action
        example, fields = serializer.Meta.example, serializer().fields
        if action == "update_all":
            written = set(self.view.bulk_members)
        else:
            written = {name for name, field in fields.items() if not field.read_only}
            if action == "create":
                written.discard(self.view.parent)  # the path has it
        body = {name: value for name, value in example.items() if name in written}
        name = serializer.Meta.model.__name__
        return [
            *(
                OpenApiExample(name, body, request_only=True, media_type=media_type)
                for media_type in self.map_parsers()
            ),
            OpenApiExample(name, example, response_only=True),
        ]

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def with_names(self, text: str) -> str:
        """Put the model's name in place of {row} and {rows}."""
        meta = self.view.statements.meta
        return text.format(row=meta.verbose_name, rows=meta.verbose_name_plural)


@cache  # drf-spectacular warns of two classes with one name
def bulk_serializer(serializer: type[ResourceSerializer], members: tuple[str, ...]) -> Any:
    """The serializer with the members that PATCH on a collection takes, for the document alone."""
    others = [
        name
        for name, field in serializer().fields.items()
        if not field.read_only and name not in members
    ]
    name = serializer.__name__.removesuffix("Serializer") + "Bulk"
    describe = extend_schema_serializer(component_name=name, exclude_fields=others)
    return describe(type(name, (serializer,), {}))


class ResourceSerializerExtension(OpenApiSerializerExtension):  # type: ignore[misc]
    """Describes which members the service sends, takes, ignores and refuses."""

    target_class = ResourceSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        # What the base class calls, but with the subclass of ResourceSerializer.
        schema: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        members = schema["properties"]
        if direction == "response":
            schema["required"] = list(members)
            return schema
        for member in members.values():
            if "maxLength" in member:
                member["pattern"] = TEXT if member.get("minLength") else f"^{NOT_NULL}$"
            if self.target.partial:
                member.pop("default", None)  # PATCH does not change a member that the body lacks
        # Members that the service sets are accepted and ignored; unknown ones are refused.
        for name, field in self.target.fields.items():
            if field.read_only:
                members[name] = {"description": "Ignored."}
        schema["additionalProperties"] = False
        return schema


class FilterExtension(DjangoFilterExtension):  # type: ignore[misc]
    """Adds the length of text, which django-filter has no notion of."""

    target_class = "rest.filters.StrictFilterBackend"
    priority = 1  # before DjangoFilterExtension

    def resolve_filter_field(self, *args: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().resolve_filter_field(*args)
        *_, filter_field = args
        if maximum := filter_field.extra.get("max_length"):
            for parameter in parameters:
                parameter["schema"] |= {"maxLength": maximum, "pattern": f"^{NOT_NULL}$"}
        return parameters


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    """The scheme that generated clients know, of the two that are accepted."""

    target_class = "rest.authentication.TokenAuthentication"
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A user's token. `Token` is accepted in the place of `Bearer`.",
        }


# Functions that SPECTACULAR_SETTINGS names


def doc_excludes() -> list[type]:
    """The base classes whose docstrings are for developers."""
    return [*get_lib_doc_excludes(), ResourceSerializer]


def canonical_paths(endpoints: list[tuple[str, str, str, Any]], **kwargs: Any) -> list[Any]:
    """Leave out the other spellings of a path: ``/`` and those that end with a slash."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def add_problem(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the schema that get_response_serializers() refers to."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    return result


def declare_64_bits(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add ``format: int64``, without which Java, Go and C# read integers of 32 bits."""

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            types = node.get("type")
            if types == "integer" or (isinstance(types, list) and "integer" in types):
                low, high = node.get("minimum", -math.inf), node.get("maximum", math.inf)
                if not -(2**31) <= low <= high < 2**31:
                    node["format"] = "int64"
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(result)
    return result
