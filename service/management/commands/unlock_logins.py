from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from service.errors import one_line
from service.models import LoginFailure


class Command(BaseCommand):
    help = (
        "Forgets failed logins, so that those who are locked out may log in at once: those of "
        "one user name, or all of them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", help="only failures with this user name")

    def handle(self, *args: Any, **options: Any) -> None:
        failures = LoginFailure.objects.all()
        if options["username"] is not None:
            failures = failures.filter(name=options["username"])
        try:
            count, _ = failures.delete()
        except Error as error:
            reason = one_line(error)
            raise CommandError(f"the database is unavailable or not migrated: {reason}") from error
        self.stdout.write(f"forgotten: {count}")
