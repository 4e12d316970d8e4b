"""The OpenAPI document: what drf-spectacular cannot see in the code."""

from typing import Any

from django.conf import settings
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_lib_doc_excludes
from drf_spectacular.utils import OpenApiParameter

from rest.serializers import ResourceSerializer

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Each invalid part: a pointer into the body, or a query's parameter.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "format": "json-pointer"},
                    "parameter": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
DESCRIPTIONS = {
    400: "The request is invalid.",
    401: "The token or session is missing or wrong.",
    403: "This user may not do this.",
    404: "There is nothing at this address.",
    406: "None of the accepted media types is available.",
    412: "The current version is not among those in If-Match.",
    413: "The body is larger than 1 MiB.",
    415: "The body's media type or coding is not supported.",
    422: "The Idempotency-Key was used with another body.",
    503: "The database is unavailable; try again after the seconds in Retry-After.",
}
HEADERS = {
    "ETag": "The version, as a strong entity tag.",
    "Link": 'The next page, rel="next", as a relative reference; absent on the last one.',
    "Location": "Where the new one is, as a relative reference.",
}
IF_MATCH = ("If-Match", "Only if the current version is one of these; otherwise 412.")
# By action: the header parameters, and the headers of the response.
PARAMETERS = {
    "create": (
        "Idempotency-Key",
        "1 to 255 visible ASCII characters. Repeating a request with its key creates nothing "
        "again, and is answered with what the first one created, as it is now.",
    ),
    "retrieve": ("If-None-Match", "304 if the current version is one of these."),
    "update": IF_MATCH,
    "partial_update": IF_MATCH,
    "destroy": IF_MATCH,
}
RESPONSE_HEADERS = {
    "list": ["Link"],
    "create": ["Location", "ETag"],
    "retrieve": ["ETag"],
    "update": ["ETag"],
    "partial_update": ["ETag"],
}
# A member that the service sets.
IGNORED = {"description": "Ignored."}
# White space as Python strips it. JavaScript's \s has no \u001c to \u001f.
SPACE = r"\s\u001c-\u001f"


def text_pattern(minimum: int, maximum: int) -> str:
    """A regular expression for text that has this length once white space is stripped."""
    stripped = rf"[^{SPACE}\u0000]([^\u0000]{{0,{maximum - 2}}}[^{SPACE}\u0000])?"
    return rf"^[{SPACE}]*{stripped if minimum else f'({stripped})?'}[{SPACE}]*$"


class ResourceSchema(AutoSchema):  # type: ignore[misc]
    """Adds to each operation its summary, examples, problem details, headers and conditions."""

    def get_summary(self) -> str:
        """The action's docstring, with the model's name in place of {row} and {rows}."""
        meta = self.view.statements.meta
        docstring = getattr(self.view, self.view.action).__doc__
        summary: str = docstring.format(row=meta.verbose_name, rows=meta.verbose_name_plural)
        return summary.rstrip(".")

    def get_tags(self) -> list[str]:
        """The resource: "tasks" for all paths of tasks, also below a list."""
        return [self.view.row_path.strip("/").rpartition("/")[2]]

    def get_description(self) -> str:
        return ""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        if self.view.action not in PARAMETERS:
            return []
        name, description = PARAMETERS[self.view.action]
        return [OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)]

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def get_auth(self) -> list[dict[str, Any]]:
        """How clients authenticate; ``{}`` if API_ACCESS allows anonymous requests."""
        reads = settings.API_ACCESS == "read_only" and self.method == "GET"
        open_to_all = settings.API_ACCESS == "anyone" or reads
        return [*super().get_auth(), *([{}] if open_to_all else [])]

    def get_filter_backends(self) -> list[Any]:
        """Changes of all selected rows have the same filters as the list."""
        if self.view.action in ("update_all", "destroy_all"):
            return list(self.view.filter_backends)
        return list(super().get_filter_backends())

    def _is_list_view(self, serializer: Any = None) -> bool:
        return bool(self.view.action == "list")

    def _get_request_body(self, *args: Any, **kwargs: Any) -> Any:
        body = super()._get_request_body(*args, **kwargs)
        if body:
            body["content"]["application/json"]["example"] = self.request_example()
        return body

    def request_example(self) -> dict[str, Any]:
        """Those members of the serializer's example that this operation may write."""
        fields, action = self.view.validators[False].fields, self.view.action
        example = self.view.serializer_class.Meta.example
        if action == "update_all":
            return {name: example[name] for name in self.view.bulk_members}
        return {
            name: value
            for name, value in example.items()
            if not fields[name].read_only and (action != "create" or name != self.view.parent)
        }

    def _get_request_for_media_type(self, *args: Any, **kwargs: Any) -> Any:
        """Give the request of PATCH on a collection a schema with the members that it takes."""
        schema, required = super()._get_request_for_media_type(*args, **kwargs)
        if self.view.action == "update_all":
            fields = self.view.validators[True].fields
            members = {
                name: self._map_serializer_field(fields[name], "request")
                for name in self.view.bulk_members
            }
            for member in members.values():
                member.pop("default", None)
            members |= {name: IGNORED for name, field in fields.items() if field.read_only}
            schema = {"type": "object", "properties": members, "additionalProperties": False}
        return schema, required

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        action = self.view.action
        if action == "update_all":
            responses: dict[str, Any] = {"204": {}}
        else:
            responses = super()._get_response_bodies(direction)
        meta = self.view.statements.meta
        descriptions = {
            "list": f"A page of {meta.verbose_name_plural}.",
            "destroy": "It is deleted.",
            "destroy_all": "They are deleted.",
            "update_all": "They are changed.",
        }
        for response in responses.values():
            for content in response.get("content", {}).values():
                example = self.view.serializer_class.Meta.example
                content["example"] = [example] if action == "list" else example
            response["description"] = descriptions.get(action, f"The {meta.verbose_name}.")
            response["headers"] = {
                name: {"description": HEADERS[name], "schema": {"type": "string"}}
                for name in RESPONSE_HEADERS.get(action, [])
            }
        if action == "retrieve":
            responses["304"] = {"description": "The client has this version already."}
        for status in self.problems():
            responses[str(status)] = {
                "description": DESCRIPTIONS[status],
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            }
        return responses

    def problems(self) -> list[int]:
        """The statuses of the problem details that this operation may return."""
        statuses = {400, 401, 403, 406, 413, 415, 503}
        if self.view.parent or self.view.action in self.view.row_actions.values():
            statuses.add(404)
        if self.view.action in self.view.row_actions.values():
            statuses.add(412)
        if self.view.action == "create":
            statuses.add(422)
        return sorted(statuses)


def doc_excludes() -> list[type]:
    """The base classes whose docstrings are for developers."""
    return [*get_lib_doc_excludes(), ResourceSerializer]


def canonical_paths(endpoints: list[tuple[str, str, str, Any]], **kwargs: Any) -> list[Any]:
    """Leave out the other spellings of a path: ``/`` and those that end with a slash."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the schema of problem details, and what a request's members really take."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    for name in [name for name in schemas if name.endswith("Request")]:
        response = schemas[name.removeprefix("Patched").removesuffix("Request")]
        response["required"] = list(response["properties"])
        # Members that the service sets are accepted and ignored; unknown ones are refused.
        members = schemas[name]["properties"]
        members |= {member: IGNORED for member in response["properties"] if member not in members}
        schemas[name]["additionalProperties"] = False
        for member in members.values():
            describe_text(member)
            if name.startswith("Patched"):
                member.pop("default", None)  # it is not what PATCH does without the member
    for path in result["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and parameter["schema"] == {"type": "string"}:
                    parameter["schema"]["pattern"] = text_pattern(0, 255)
                if parameter["name"] == "Idempotency-Key":
                    parameter["schema"]["pattern"] = "^[!-~]{1,255}$"
    return result


def describe_text(member: dict[str, Any]) -> None:
    """Replace the lengths of text, which are checked after white space has been stripped."""
    if member.get("format") == "date":
        member["pattern"] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"  # a format constrains nothing
    elif "maxLength" in member:
        minimum, maximum = member.pop("minLength", 0), member.pop("maxLength")
        member["pattern"] = text_pattern(minimum, maximum)
