"""What each action of a VersionedViewSet answers.

This is for the OpenAPI document and, by the status of a success, for content negotiation.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter

from rest.entity_tags import MAX_TAGS


def header(name: str, description: str, **kwargs: Any) -> OpenApiParameter:
    """A header of requests or, if ``response`` lists statuses, of these responses."""
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, **kwargs)


EXAMPLE_KEY = "0b3d2ea3-9c1f-4a53-9d0c-3f6a6f1c7a52"
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "1 to 255 visible ASCII characters. Repeating a request with its key creates nothing again, "
    "and is answered with the object that the first one created, in its present state.",
    pattern="^[!-~]{1,255}$",
)
IF_MATCH = header(
    "If-Match",
    f"Only if the current version is one of these; otherwise 412. At most {MAX_TAGS} entity tags.",
)
IF_NONE_MATCH = header(
    "If-None-Match",
    f"304 if the current version is one of these. At most {MAX_TAGS} entity tags.",
)
ETAG = header("ETag", "The version, as a strong entity tag.", response=[200, 201])
LINK = header(
    "Link",
    'The next page, rel="next", as a relative reference; absent on the last one.',
    response=[200],
)
LOCATION = header("Location", "Where the new one is, as a relative reference.", response=[201])


class Action(NamedTuple):
    status: int  # of success
    description: str  # of success; {row} and {rows} stand for the model's name
    headers: Sequence[OpenApiParameter] = ()
    problems: Sequence[int] = ()  # besides COMMON_PROBLEMS


ACTIONS = {
    "list": Action(200, "A page of {rows}.", [LINK]),
    "create": Action(201, "The {row}.", [IDEMPOTENCY_KEY, LOCATION, ETAG], (409, 422)),
    "update_all": Action(204, "They are changed."),
    "destroy_all": Action(204, "They are deleted."),
    "retrieve": Action(200, "The {row}.", [IF_NONE_MATCH, ETAG], (404, 412)),
    "update": Action(200, "The {row}.", [IF_MATCH, ETAG], (404, 409, 412)),
    "partial_update": Action(200, "The {row}.", [IF_MATCH, ETAG], (404, 409, 412)),
    "destroy": Action(204, "It is deleted.", [IF_MATCH], (404, 412)),
}

COMMON_PROBLEMS = (400, 401, 403, 408, 413, 414, 415, 431, 500, 503)
PROBLEMS = {
    400: "The request is invalid.",
    401: "The token or session is missing or wrong.",
    403: "This user may not do this, a CSRF token is missing, or only HTTPS is accepted.",
    404: "There is nothing at this address.",
    406: "None of the accepted media types is available.",
    408: "The request did not arrive in time.",
    409: "The write conflicts with stored data.",
    412: "The current version is not among those in If-Match.",
    413: f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.",
    414: "The request line is too long.",
    415: "The body's media type or coding is not supported.",
    422: "The Idempotency-Key was used for a request with another body or path.",
    431: "The headers, or one of them, are too long.",
    500: "A defect of the service, which has logged it.",
    503: "The database is unavailable or the service overloaded; try again after the seconds in "
    "Retry-After.",
}

# The schema of an error response: service.errors.Problem as JSON.
PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "examples": [
        {
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "name: This field may not be blank.",
            "errors": [{"pointer": "/name", "detail": "This field may not be blank."}],
        }
    ],
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
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
