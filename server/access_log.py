"""The access log: one structured event for each request whose head could be parsed."""

import contextlib
import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from gunicorn.glogging import Logger

from server import metrics
from service.client_address import client_address
from service.trace_context import trace_id

MAX_LENGTH = 500  # characters of each value that the client chose
LEVELS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}


def cut(text: str) -> str:
    """A value of the client's, or its beginning if it is long."""
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}..."


def trace_context(request: Any) -> dict[str, str]:
    """The entry ``trace_id`` of the event, or nothing if the request has no valid traceparent."""
    # Joined as in the WSGI environ, from which the application takes its trace id.
    header = ",".join(value for name, value in request.headers if name == "TRACEPARENT")
    found = trace_id(header) if header else None
    return {"trace_id": found} if found else {}


class AccessLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger with an access log of structured events instead of a format string.

    Each event is rendered by settings.ACCESS_LOG_PROCESSORS and written to standard output.
    It does not pass through the logging module and a structlog logger, because these take
    longer than everything else that is done for a line.
    """

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Log a request; ``environ`` has the path decoded, unless the server itself answered."""
        path, status = environ.get("PATH_INFO", req.path) or "", int(resp.status[:3])
        # Probes and Prometheus ask every few seconds, so their requests are logged at debug level
        # if they succeed.
        passed = path.startswith(("/health/", metrics.PATH)) and status == 200
        level = "debug" if passed else "info"
        if LEVELS[level] < LEVELS[settings.LOG_LEVEL]:
            return
        agents = [value for name, value in req.headers if name == "USER-AGENT"]
        forwarded = [value for name, value in req.headers if name == "X-FORWARDED-FOR"]
        request_id = [value for name, value in resp.headers if name == "X-Request-ID"]
        event: Any = {
            "event": "request",
            "method": req.method,
            "path": cut(path),
            "query": cut(req.query),
            "status": status,
            "bytes": resp.sent,
            "duration_us": request_time // timedelta(microseconds=1),
            "remote_address": client_address(environ["REMOTE_ADDR"], ",".join(forwarded)),
            "user_agent": cut(",".join(agents)) if agents else "-",
            "request_id": request_id[0] if request_id else "-",
            **trace_context(req),
            "logger": "gunicorn.access",
            "level": level,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        for process in settings.ACCESS_LOG_PROCESSORS:
            event = process(None, "", event)
        with contextlib.suppress(OSError):  # whoever reads the log has closed the pipe
            sys.stdout.write(f"{event}\n")
            sys.stdout.flush()
