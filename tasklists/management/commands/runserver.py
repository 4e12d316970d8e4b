from django.conf import settings
from django.contrib.staticfiles.management.commands import runserver
from django.db import OperationalError


class Command(runserver.Command):
    help = "Serves on port 5000 for development: reloads when the code changes, and shows errors."
    default_port = str(settings.PORT)

    def check_migrations(self) -> None:
        """As Django's, but a database that is away is answered with 503, not with an end."""
        try:
            super().check_migrations()
        except OperationalError as error:
            self.stdout.write(self.style.WARNING(f"\nThe database does not answer: {error}"))
