"""What the application counts. docs/monitoring.md lists all metrics.

Each worker process counts for itself; server/metrics.py adds up the counts of all.
"""

from django.conf import settings
from django.db import Error
from prometheus_client import Counter

from service.database_errors import ERROR_CLASSES, error_class

CONNECTIONS_OPENED = Counter(
    "database_connections_opened",
    "Connections to the database that were opened.",
    namespace=settings.SERVICE_NAME,
)
DATABASE_ERRORS = Counter(
    "database_errors",
    "Errors of the database and of connections to it.",
    ["class"],
    namespace=settings.SERVICE_NAME,
)
IDEMPOTENT_REPLAYS = Counter(
    "idempotent_replays",
    "Requests answered with what an earlier one with the same Idempotency-Key created.",
    namespace=settings.SERVICE_NAME,
)
# All series exist from the start: rate() and increase() miss the error with which a series begins.
_errors = {name: DATABASE_ERRORS.labels(name) for name in ERROR_CLASSES}


def count_database_error(error: Error) -> None:
    _errors[error_class(error)].inc()
