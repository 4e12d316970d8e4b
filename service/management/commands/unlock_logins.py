from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from service.logins import MAX_FAILURES_OF_NETWORK, refused_networks
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
        name = options["username"]
        if name is not None:
            failures = failures.filter(name=name)
        count, _ = failures.delete()
        self.stdout.write(f"forgotten: {count}")
        if name and not count:
            self.stdout.write(f"No login of {name!r} has failed lately; letter case counts.")
        for network in refused_networks():
            self.stdout.write(
                f"Logins from {network} are still refused, because {MAX_FAILURES_OF_NETWORK} with "
                "other names have failed. Without a user name, this command forgets them too."
            )
