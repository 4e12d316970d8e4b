"""Logging: one line an event on standard output, as JSON or for people."""

import logging
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

# Names of our fields and gunicorn's atoms: https://docs.gunicorn.org/en/stable/settings.html#access-log-format
ACCESS = {
    "method": "m",
    "path": "U",
    "query": "q",
    "status": "s",
    "bytes": "B",
    "duration_us": "D",
    "remote_address": "h",
    "user_agent": "a",
    "request_id": "{x-request-id}o",
}


def _take_apart(record: logging.LogRecord) -> bool:
    """Make gunicorn's access record one of fields; ``duration_us`` is in microseconds.

    A health check that passed is for debugging: every few seconds there is one.
    """
    if isinstance(record.args, dict):
        # gunicorn escapes quotes for a format that has quotes around its fields.
        fields = {
            name: value.replace('\\"', '"') if isinstance(value, str) else value
            for name, value in ((name, record.args[atom]) for name, atom in ACCESS.items())
        }
        fields["status"] = int(str(fields["status"]))
        # The server listens on IPv6, where an IPv4 address looks like this.
        fields["remote_address"] = str(fields["remote_address"]).removeprefix("::ffff:")
        record.msg, record.args = "request", ()
        vars(record).update(fields)
        if str(fields["path"]).startswith("/health/") and fields["status"] == 200:
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return logging.getLogger(record.name).isEnabledFor(record.levelno)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether Django's record of a failed request says what no other record does."""
    return getattr(record, "status_code", None) != 503  # tasklists.errors logs it with its cause


def configuration(style: str, level: str) -> dict[str, Any]:
    """A ``logging`` configuration; ``style`` is json or console."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Processor]
    if style == "json":
        render = [
            # Without the frames' variables, among which are passwords and tokens.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ]
    else:
        render = [
            structlog.dev.ConsoleRenderer(
                colors=False,
                repr_native_str=True,  # no client's text reaches a terminal as it is
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "news": {"()": "django.utils.log.CallbackFilter", "callback": _is_news},
            "access": {"()": "django.utils.log.CallbackFilter", "callback": _take_apart},
        },
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [
                    *shared,
                    structlog.stdlib.ExtraAdder(allow=ACCESS),
                ],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *render,
                ],
            },
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "structured",
            },
        },
        "root": {"handlers": ["stdout"], "level": level.upper()},
        "loggers": {
            "django": {"handlers": [], "level": level.upper(), "propagate": True},
            # Refused requests are in the access log.
            "django.request": {"level": "ERROR", "filters": ["news"]},
            "django.security": {"level": "ERROR"},
            # It gives every record its request id; its own records repeat the access log.
            "django_structlog": {"level": "CRITICAL"},
            "gunicorn.access": {
                "handlers": [],
                "filters": ["access"],
                "level": level.upper(),
                "propagate": True,
            },
            "gunicorn.error": {"handlers": [], "level": level.upper(), "propagate": True},
        },
    }
