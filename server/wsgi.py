"""The WSGI application that gunicorn serves."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from project import environment
from server.chunked import ChunkedBodies

environment.select_settings("project.settings")

application = ChunkedBodies(get_wsgi_application(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
# Import every view now, before gunicorn forks the workers, and not in the first request.
get_resolver().url_patterns  # noqa: B018
