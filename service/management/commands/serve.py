import os
import signal
import sys
from typing import Any

import structlog
from django.conf import settings
from django.core import checks
from django.core.checks.security.base import check_secret_key
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from service.checks import SERVE, ephemeral_secret_key
from service.listening import refusal

logger = structlog.get_logger("service.serve")


class Command(BaseCommand):
    help = (
        "Starts the production server: runs the system checks, migrates unless MIGRATE=never, "
        "and becomes gunicorn, which listens on PORT of HOST, or of all interfaces."
    )
    requires_system_checks = []  # handle() runs them and logs each message as one record

    def handle(self, *args: Any, **options: Any) -> None:
        found = checks.run_checks()
        found += checks.run_checks(tags=[SERVE], include_deployment_checks=True)
        found += ephemeral_secret_key(None) + check_secret_key(None)
        report(found)
        try:
            require_address(settings.HOST, settings.PORT)
            if settings.METRICS_PORT:
                require_address(settings.HOST, settings.METRICS_PORT, "METRICS_PORT")
            if settings.MIGRATE == "auto":
                call_command("migrate", verbosity=0, interactive=False)
                logger.info("the database is up to date")
        except CommandError as error:
            logger.critical(str(error))
            sys.exit(1)
        report(checks.run_checks(tags=[checks.Tags.database], databases=["default"]))
        os.chdir(settings.BASE_DIR)
        # A SIGTERM before gunicorn has installed its handlers would be lost, or end the process
        # without a log line. It stays blocked until the server's configuration unblocks it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.execv(sys.executable, [sys.executable, *settings.SERVER_ARGUMENTS])  # noqa: S606


def report(found: list[checks.CheckMessage]) -> None:
    """Log each message of the system checks, and end the process if one of them is an error."""
    for message in found:
        logger.log(message.level, message.msg, hint=message.hint, check=message.id)
    if any(message.is_serious() for message in found):
        sys.exit(1)


def require_address(host: str, port: int, name: str = "PORT") -> None:
    """Raise CommandError unless a server can listen on ``port`` of the IP address ``host``.

    An empty ``host`` stands for all interfaces; ``name`` is the port's variable.
    """
    if error := refusal(host, port):
        address = f"HOST {host}, {name} {port}" if host else f"{name} {port}"
        raise CommandError(f"cannot listen on {address}: {error.strerror}") from error
