"""Which replica and which version is this?"""

import os
import platform
import socket

import django
from django.conf import settings

from service.doctor.examination import Examination
from service.doctor.registry import Outcome, check, ok


@check("identity.name")
def name(examination: Examination) -> Outcome:
    return ok(f"{socket.gethostname()}, {examination.place.description}")


@check("identity.version", needs=["configuration.variables"])
def version(examination: Examination) -> Outcome:
    revision = f", revision {settings.REVISION}" if settings.REVISION else ""
    return ok(
        f"{settings.SERVICE_NAME} {settings.VERSION}{revision}, "
        f"Python {platform.python_version()}, Django {django.get_version()}"
    )


@check("identity.user")
def user(examination: Examination) -> Outcome:
    return ok(f"user {os.getuid()}, group {os.getgid()}")
