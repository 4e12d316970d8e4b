"""The path under which a proxy serves the service."""

import re

# The first parts of the service's own paths that are not followed by a number.
OWN = ("admin", "auth", "docs", "health", "schema", "static")


def prefix(text: str) -> str:
    """The path without a slash at the end; raises ValueError, whose text is the reason.

    A path of the service is told from one with the prefix by what follows (service/requests.py). So
    the prefix cannot begin like ``/admin/``.
    """
    path = text.rstrip("/")
    parts = path.split("/")[1:]
    if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
        raise ValueError
    if {".", ".."} & set(parts):
        raise ValueError("browsers remove . and .. from a path")
    if parts and parts[0] in OWN:
        raise ValueError(f"/{parts[0]} is a path of the service")
    return path
