"""The access log: an event for each request, with fields, beside the other records."""

import contextlib
import logging
from datetime import timedelta
from typing import Any

import structlog
from gunicorn.glogging import Logger

from project import settings
from project.logs import rendering

# Not by way of the logging module, which takes several times as long.
_events = structlog.wrap_logger(
    structlog.WriteLogger(),
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *rendering(settings.LOG_FORMAT),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(settings.LOG_LEVEL),
).bind(logger="gunicorn.access")


class AccessLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, whose access log has a format instead of fields."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        with contextlib.suppress(OSError):  # project/worker.py closes the connection
            environ["gunicorn.socket"].flush()  # the client does not wait for who reads the log
        # gunicorn's answer to what it could not read has neither path nor status code.
        path, status = environ.get("PATH_INFO", req.path), int(resp.status[:3])
        headers = {name.lower(): value for name, value in resp.headers}
        # A health check that passed is for debugging: every few seconds there is one.
        passed = path.startswith("/health/") and status == 200
        with contextlib.suppress(OSError):  # nobody reads it
            _events.log(
                logging.DEBUG if passed else logging.INFO,
                "request",
                method=environ["REQUEST_METHOD"],
                path=path,
                query=environ["QUERY_STRING"],
                status=status,
                bytes=resp.sent,
                duration_us=request_time // timedelta(microseconds=1),
                # The server listens on IPv6, where an IPv4 address looks like this.
                remote_address=environ["REMOTE_ADDR"].removeprefix("::ffff:"),
                user_agent=environ.get("HTTP_USER_AGENT", "-"),
                request_id=headers.get("x-request-id", "-"),
            )
