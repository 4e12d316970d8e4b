import errno
from typing import Any

from django.conf import settings
from django.core.management.commands import runserver
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.db import Error

from service.errors import MEDIA_TYPE


class RequestHandler(WSGIRequestHandler):
    """Answers requests that are not valid HTTP with problem details instead of HTML."""

    error_content_type = MEDIA_TYPE
    error_message_format = '{"type": "about:blank", "title": "%(explain)s", "status": %(code)d}'


class Server(WSGIServer):
    """Uses RequestHandler; runserver has no option for its own handler."""

    def __init__(self, address: Any, handler: type[WSGIRequestHandler], **options: Any) -> None:
        super().__init__(address, RequestHandler, **options)

    def server_bind(self) -> None:
        """Name the port that is taken; of an error without a number runserver prints the text."""
        try:
            super().server_bind()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            port = self.server_address[1]
            raise OSError(
                f"cannot listen on port {port}: {error.strerror}. End the program that listens "
                f"there, or choose another port: set PORT={port + 1}"
            ) from error


class Command(runserver.Command):
    """Django's own runserver.

    The one of django.contrib.staticfiles would answer errors below STATIC_URL with HTML.
    WhiteNoise serves the static files here as it does under `serve`, except that with DEBUG
    they need not be collected.
    """

    default_port = str(settings.PORT)
    help = (
        f"Starts the development server on port {default_port}. It reloads when code changes and "
        "shows errors."
    )
    server_cls = Server

    def check_migrations(self) -> None:
        """Warn about an unavailable database instead of ending; requests then get 503."""
        try:
            super().check_migrations()
        except Error as error:
            self.stdout.write(self.style.WARNING(f"\nThe database is unavailable: {error}"))
