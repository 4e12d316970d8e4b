"""Renderers of responses."""

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer

from service.errors import MEDIA_TYPE


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None  # JSON is always UTF-8

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        # The browsable API asks for indented JSON.
        indent = orjson.OPT_INDENT_2 if (renderer_context or {}).get("indent") else 0
        return orjson.dumps(data, option=indent)


class ProblemRenderer(JSONRenderer):
    """Stands for the media type of errors in content negotiation, and renders nothing."""

    media_type = MEDIA_TYPE
