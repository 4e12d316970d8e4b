"""Logging: one line an event on standard output, as JSON or for people."""

import json
import logging
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor


def _is_news(record: logging.LogRecord) -> bool:
    """Whether Django's record of a failed request says what no other record does."""
    return getattr(record, "status_code", None) != 503  # service.errors logs it with its cause


_encoder = json.JSONEncoder(default=repr)


def _to_json(event: Any, **options: Any) -> str:
    """As json.dumps, which makes an encoder for each record, and with ``repr`` for other types."""
    return _encoder.encode(event)


def rendering(style: str) -> list[Processor]:
    """From an event's fields to its line; ``style`` is json or console."""
    if style == "json":
        return [
            # Without the frames' variables, among which are passwords and tokens.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(_to_json),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=False,
            repr_native_str=True,  # no client's text reaches a terminal as it is
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def configuration(style: str, level: str) -> dict[str, Any]:
    """A ``logging`` configuration; ``style`` is json or console."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
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
        },
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *rendering(style),
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
            "gunicorn.error": {"handlers": [], "level": level.upper(), "propagate": True},
        },
    }
