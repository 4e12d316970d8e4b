"""The WSGI application that gunicorn serves."""

from typing import Any

from django.conf import settings
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection, reset_queries
from django.urls import get_resolver

from project import environment

environment.select_settings()

application = get_wsgi_application()
# Import every view now, before gunicorn forks the workers, and not in the first request.
get_resolver().url_patterns  # noqa: B018


def close_unusable_connection(**_: Any) -> None:
    """Do for the default database what close_old_connections does for all of them."""
    connection.close_if_unusable_or_obsolete()


# Django's receivers look up every configured database and cache around each request, which takes
# 8 % of a read. Requests use one database and no cache, and queries are recorded only with DEBUG.
for signal in request_started, request_finished:
    signal.disconnect(close_old_connections)
    signal.connect(close_unusable_connection)
request_finished.disconnect(close_caches)
if not settings.DEBUG:
    request_started.disconnect(reset_queries)
