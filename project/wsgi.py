"""The WSGI application that gunicorn serves."""

from typing import Any

from django import db
from django.conf import settings
from django.core import cache, signals
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from project import environment
from project.chunked import ChunkedBodies

environment.select_settings("project.settings")

application = ChunkedBodies(get_wsgi_application(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
# Imports every view: once, before the workers are forked, and not within the first request.
get_resolver().url_patterns  # noqa: B018
# What Django does with each request, and here to no end: nothing is cached, and queries are
# recorded only with DEBUG.
signals.request_finished.disconnect(cache.close_caches)
if not settings.DEBUG:
    signals.request_started.disconnect(db.reset_queries)


def close_old_connection(**_: Any) -> None:
    """As Django's, of the one connection that requests use: to list all takes longer."""
    db.connection.close_if_unusable_or_obsolete()


for signal in signals.request_started, signals.request_finished:
    signal.disconnect(db.close_old_connections)
    signal.connect(close_old_connection)
