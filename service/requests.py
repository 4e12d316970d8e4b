"""What Django and Python make of a request's path and headers. apps.py installs it."""

import re
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.utils.functional import cached_property
from django.utils.http import parse_header_parameters

MAX_CONTENT_TYPE = 256  # characters; Django REST Framework reads no longer ones either


class Request(WSGIRequest):
    """A request without URL_PREFIX in its path, and whose Content-Type can always be read as UTF-8.

    Django reads Content-Type before any middleware runs, so what fails there is 500: a parameter
    in an encoding that does not exist. It would also take a charset for the encoding of the query
    and of forms, and Python has encodings that are not of text ("zlib") or always fail
    ("undefined"). A header that is long or cannot be read loses its parameters here.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        if settings.URL_PREFIX:
            environ["PATH_INFO"] = without_prefix(environ.get("PATH_INFO", ""))
        if settings.USE_X_FORWARDED_HOST and "HTTP_X_FORWARDED_HOST" in environ:
            # Apache adds its own host to the one that an outer proxy has set. The first counts.
            environ["HTTP_X_FORWARDED_HOST"] = first(environ["HTTP_X_FORWARDED_HOST"])
            if not environ["HTTP_X_FORWARDED_HOST"]:
                del environ["HTTP_X_FORWARDED_HOST"]
        if settings.SECURE_PROXY_SSL_HEADER and "HTTP_X_FORWARDED_PROTO" in environ:
            environ["HTTP_X_FORWARDED_PROTO"] = first(environ["HTTP_X_FORWARDED_PROTO"]).lower()
        super().__init__(environ)

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]  # noqa: N802
        """Without those that no database can look up; the service sets none with a NUL."""
        return {name: value for name, value in super().COOKIES.items() if "\0" not in value}

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        header = meta.get("CONTENT_TYPE", "")
        if len(header) <= MAX_CONTENT_TYPE:
            with suppress(ValueError):
                self.content_type, self.content_params = parse_header_parameters(header)
                return
        media_type = header.partition(";")[0].strip().lower()[:MAX_CONTENT_TYPE]
        meta["CONTENT_TYPE"] = self.content_type = media_type
        self.content_params = {}


def first(text: str) -> str:
    """The first element of a list in a header, which may have empty ones; "" if there is none."""
    return next(filter(None, map(str.strip, text.split(","))), "")


def without_prefix(path: str) -> str:
    """The path without settings.URL_PREFIX, which a proxy may have removed or not.

    Where a number follows, the prefix is a path of the service: with the prefix ``/tasks``,
    ``/tasks/7`` is a task, since ``/7`` is nothing.
    """
    prefix: str = settings.URL_PREFIX
    rest = path[len(prefix) :]
    if not path.startswith(prefix) or not re.match(r"/(?![0-9])|$", rest):
        return path
    return rest


class KnownEncodings(dict[str, Any]):
    """Python's cache of encodings, without the names that are none.

    Python remembers each name that it was ever asked for (python/cpython#146054),
    and Django asks for those in the headers of requests and in the parts of forms. So clients could
    fill the memory with invented names.
    """

    def __setitem__(self, name: str, codec: Any) -> None:
        if codec is not None:
            super().__setitem__(name, codec)
