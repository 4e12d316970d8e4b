"""The WSGI application that gunicorn serves."""

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from project import environment

environment.select_settings("project.settings")

application = get_wsgi_application()
# Imports every view: once, before the workers are forked, and not within the first request.
get_resolver().url_patterns  # noqa: B018
