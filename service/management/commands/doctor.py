import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from service.doctor.examine import add_arguments, examine
from service.doctor.places import place_named


class Command(BaseCommand):
    help = (
        "Says what is wrong with the configuration, the port, the database, the migrations and the "
        "storage, and which command fixes it. Changes nothing. Exits with 0 if all is well, with 1 "
        "after warnings and with 2 after errors."
    )
    requires_system_checks = []  # they are among what is examined

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        code = examine(
            place_named(settings.RUNS_IN, settings.HELM_VALUES),
            as_document=options["json"],
            wait=options["wait"],
            output=self.stdout,
            progress=self.stderr,
        )
        sys.exit(code)
