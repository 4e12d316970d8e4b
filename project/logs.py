"""Logging: one line for each event on standard output, as JSON or for people."""

import io
import json
import logging
from typing import Any, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, ExcInfo, Processor

MAX_TEXT = 2000  # characters of each text in a record, which a client may have written


def _is_logged_here_only(record: logging.LogRecord) -> bool:
    """Whether no other record reports the failed request."""
    return getattr(record, "status_code", None) != 503  # service.errors logs it with its cause


def _shortened(value: Any) -> Any:
    """The value with at most MAX_TEXT characters of each text in it."""
    if isinstance(value, str):
        rest = len(value) - MAX_TEXT
        return value if rest <= 0 else f"{value[:MAX_TEXT]}... and {rest} more characters"
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    return value


def _shorten(logger: Any, method: str, event: EventDict) -> EventDict:
    """Shorten what is neither a number nor a short text, as most values are."""
    for name, value in event.items():
        if type(value) is not int and (type(value) is not str or len(value) > MAX_TEXT):
            event[name] = _shortened(value)
    return event


def _print_traceback(output: TextIO, exc_info: ExcInfo) -> None:
    text = io.StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    output.write("\n".join(_shortened(text.getvalue().split("\n"))))


_encoder = json.JSONEncoder(default=repr)


def _to_json(event: Any, **options: Any) -> str:
    """Encode with one shared encoder, since json.dumps() would create one for each record.

    Values of other types are written with ``repr``.
    """
    return _encoder.encode(event)


def rendering(style: str) -> list[Processor]:
    """The processors that turn an event into a line; ``style`` is json or console."""
    if style == "json":
        return [
            # Without the variables of each frame, because they contain passwords and tokens.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            _shorten,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(_to_json),
        ]
    return [
        _shorten,
        structlog.dev.ConsoleRenderer(
            colors=False,
            repr_native_str=True,  # escapes text from clients, which may contain control sequences
            exception_formatter=_print_traceback,
        ),
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
            "logged_here_only": {
                "()": "django.utils.log.CallbackFilter",
                "callback": _is_logged_here_only,
            },
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
            "django.request": {"level": "ERROR", "filters": ["logged_here_only"]},
            "django.security": {"level": "ERROR"},
            "gunicorn.error": {"handlers": [], "level": level.upper(), "propagate": True},
        },
    }
