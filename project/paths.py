"""The path under which a proxy serves the service."""

import re

# A prefix like this would be taken for a row, and a row for the prefix.
ROW = re.compile(r"/(lists|tasks)/[0-9]+(/|$)")
# The first segments of those paths of the service that no number follows.
OWN = ("admin", "auth", "docs", "health", "instance", "schema", "static")


def prefix(text: str) -> str:
    """The path without a slash at the end; raises ValueError, whose text is the reason.

    What follows decides whether a path begins with the prefix or is one of the service's own
    (service/requests.py). That works only for its paths that a number follows.
    """
    path = text.rstrip("/")
    parts = path.split("/")[1:]
    if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
        raise ValueError
    if {".", ".."} & set(parts):
        raise ValueError("browsers remove . and .. from a path")
    if ROW.match(path):
        raise ValueError(f"/{parts[0]}/{parts[1]} is a path of the service")
    if parts and parts[0] in OWN:
        raise ValueError(f"/{parts[0]} is a path of the service")
    return path
