"""Logging: one line an event on standard output, as JSON or for people."""

import logging
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def _access_fields(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Take gunicorn's access record apart into fields; ``duration_ms`` is in milliseconds."""
    record: logging.LogRecord = event["_record"]
    if record.name != "gunicorn.access" or not isinstance(record.args, dict):
        return event
    atoms = record.args
    event["event"] = "request"
    event["method"] = atoms["m"]
    event["path"] = atoms["U"]
    event["query"] = atoms["q"]
    event["status"] = int(str(atoms["s"]))
    event["bytes"] = atoms["B"]
    event["duration_ms"] = int(str(atoms["D"])) / 1000
    event["remote_address"] = atoms["h"]
    event["user_agent"] = atoms["a"]
    event["request_id"] = atoms["{x-request-id}o"]
    return event


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
            structlog.processors.dict_tracebacks,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        render = [structlog.dev.ConsoleRenderer(colors=False)]
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
                "foreign_pre_chain": [
                    *shared,
                    structlog.stdlib.ExtraAdder(allow=[]),
                    _access_fields,
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
            "gunicorn.access": {"handlers": [], "level": level.upper(), "propagate": True},
            "gunicorn.error": {"handlers": [], "level": level.upper(), "propagate": True},
        },
    }
