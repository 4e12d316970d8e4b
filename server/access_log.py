"""The access log: an event for each request, with fields, beside the other records."""

import contextlib
import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from gunicorn.glogging import Logger

from project import settings
from project.logs import rendering

LEVELS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}
RENDERING = rendering(settings.LOG_FORMAT)


class AccessLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, whose access log has a format instead of fields.

    Neither the logging module nor a logger of structlog's takes part, which
    together take longer than to write the line.
    """

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        with contextlib.suppress(OSError):  # server/worker.py closes the connection
            environ["gunicorn.socket"].flush()  # the client does not wait for who reads the log
        # gunicorn's answer to what it could not read has neither path nor status code.
        path, status = environ.get("PATH_INFO", req.path), int(resp.status[:3])
        # A health check that passed is for debugging: every few seconds there is one.
        passed = path.startswith("/health/") and status == 200
        level = "debug" if passed else "info"
        if LEVELS[level] < LEVELS[settings.LOG_LEVEL]:
            return
        request_id = [value for name, value in resp.headers if name == "X-Request-ID"]
        event: Any = {
            "event": "request",
            "method": environ["REQUEST_METHOD"],
            "path": path,
            "query": environ["QUERY_STRING"],
            "status": status,
            "bytes": resp.sent,
            "duration_us": request_time // timedelta(microseconds=1),
            # The server listens on IPv6, where an IPv4 address looks like this.
            "remote_address": environ["REMOTE_ADDR"].removeprefix("::ffff:"),
            "user_agent": environ.get("HTTP_USER_AGENT", "-"),
            "request_id": request_id[0] if request_id else "-",
            "logger": "gunicorn.access",
            "level": level,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        for process in RENDERING:
            event = process(None, "", event)
        with contextlib.suppress(OSError):  # nobody reads it
            sys.stdout.write(f"{event}\n")
            sys.stdout.flush()
