from django.conf import settings
from django.core.management.commands import runserver
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import Error

from service.errors import MEDIA_TYPE

# In place of HTML: what answers a request that cannot be read as HTTP.
WSGIRequestHandler.error_content_type = MEDIA_TYPE
WSGIRequestHandler.error_message_format = (
    '{"type": "about:blank", "title": "%(explain)s", "status": %(code)d}'
)


# Not the command of staticfiles, whose own handler of assets answers errors with pages:
# WhiteNoise serves them here as it does under `serve`, but for the need to collect them.
class Command(runserver.Command):
    help = "Serves on port 5000 for development: reloads when the code changes, and shows errors."
    default_port = str(settings.PORT)

    def check_migrations(self) -> None:
        """As Django's, but a database that is away is answered with 503, not with an end."""
        try:
            super().check_migrations()
        except Error as error:
            self.stdout.write(self.style.WARNING(f"\nThe database does not answer: {error}"))
