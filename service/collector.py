"""Metrics that are determined at each scrape: the version that runs, and the database's state."""

import platform
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily

from service.health import database_probe


class ServiceCollector:
    """A collector of prometheus_client. settings.METRICS_COLLECTORS names it."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics. Takes as long as /health/ready: DATABASE_TIMEOUT at most."""
        build = gauge(
            "build_info", "The version that runs.", labels=["version", "revision", "python"]
        )
        build.add_metric([settings.VERSION, settings.REVISION, platform.python_version()], 1)
        yield build
        state = database_probe.state()
        yield gauge(
            "database_up",
            "Whether the database accepts writes, is migrated and lets the role do its work.",
            value=int(state.fault is None),
        )
        if state.applied is not None and state.missing is not None:
            yield gauge(
                "migrations_applied",
                "Migrations that the database has, of those of this version.",
                value=state.applied,
            )
            yield gauge(
                "migrations_missing",
                "Migrations that the database does not have, of those of this version.",
                value=state.missing,
            )


def gauge(name: str, documentation: str, **arguments: Any) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{settings.SERVICE_NAME}_{name}", documentation, **arguments)
