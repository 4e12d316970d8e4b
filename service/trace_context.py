"""Reads the trace id of a request from its W3C Trace Context header.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re

# Versions after 00 may add fields at the end. Version ff and ids of zeros only are invalid.
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
VERSION_00 = 55  # characters of a header of version 00, which has no further fields


def trace_id(traceparent: str) -> str | None:
    """The trace id in a ``traceparent`` header, or None if the header is invalid."""
    found = TRACEPARENT.fullmatch(traceparent)
    if not found or (traceparent.startswith("00") and len(traceparent) != VERSION_00):
        return None
    return found[1]
