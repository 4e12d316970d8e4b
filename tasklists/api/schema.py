"""The OpenAPI document: what drf-spectacular cannot see in the code."""

from typing import Any

from django.conf import settings
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

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
    404: "There is no such list.",
    406: "None of the accepted media types is available.",
    412: "The list is not at the version that If-Match names.",
    413: "The body is larger than 1 MiB.",
    415: "The body's media type or coding is not supported.",
    503: "The database is not available; try again after the seconds in Retry-After.",
}
HEADERS = {
    "ETag": "The list's version, as a strong entity tag.",
    "Link": 'The next page, rel="next", as a relative reference; absent on the last one.',
    "Location": "Where the new list is, as a relative reference.",
}
# Text as it may be sent: 1 to 255 characters between white space as Python has it, without NUL.
SPACE = r"\s\u001c-\u001f"
TRIMMED = rf"[^{SPACE}\u0000]([^\u0000]{{0,253}}[^{SPACE}\u0000])?"
NAME_PATTERN = rf"^[{SPACE}]*{TRIMMED}[{SPACE}]*$"
FILTER_PATTERN = rf"^[{SPACE}]*({TRIMMED})?[{SPACE}]*$"


class ProblemAwareSchema(AutoSchema):  # type: ignore[misc]
    """Adds to each operation its problem details, headers and conditions."""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        header = {
            "retrieve": ("If-None-Match", "304 if the list is still at one of these versions."),
            "update": ("If-Match", "412 unless the list is at one of these versions."),
        }
        header["partial_update"] = header["destroy"] = header["update"]
        if self.view.action not in header:
            return []
        name, description = header[self.view.action]
        return [OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)]

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def get_auth(self) -> list[dict[str, Any]]:
        """API_ACCESS as it is set: with ``{}`` a request needs no credentials."""
        reads = settings.API_ACCESS == "read_only" and self.method == "GET"
        open_to_all = settings.API_ACCESS == "anyone" or reads
        return [*super().get_auth(), *([{}] if open_to_all else [])]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        action = self.view.action
        for response in responses.values():
            response["description"] = {"list": "A page of lists.", "destroy": "It is gone."}.get(
                action, "The list."
            )
            names = {"list": ["Link"], "create": ["Location", "ETag"], "destroy": []}
            response["headers"] = {
                name: {"description": HEADERS[name], "schema": {"type": "string"}}
                for name in names.get(action, ["ETag"])
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
        """The statuses of the problems that this operation may answer with."""
        statuses = {400, 401, 403, 406, 413, 415, 503}
        if self.view.action not in ("list", "create"):
            statuses |= {404, 412}
        return sorted(statuses)


def canonical_paths(endpoints: list[tuple[str, str, str, Any]], **kwargs: Any) -> list[Any]:
    """Leave out the other spellings of a path: ``/`` and those that end with a slash."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def add_problem(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the schema of problem details, and what a name may be until it is trimmed."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    for name in ("TaskListRequest", "PatchedTaskListRequest"):
        requested = schemas[name]["properties"]["name"]
        del requested["maxLength"], requested["minLength"]
        requested["pattern"] = NAME_PATTERN
    for parameter in result["paths"]["/lists"]["get"]["parameters"]:
        if parameter["name"].startswith("name"):
            parameter["schema"]["pattern"] = FILTER_PATTERN
    return result
