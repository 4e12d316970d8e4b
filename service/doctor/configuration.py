"""Can the variables be read, and what do the system checks say about them?"""

import os
import shlex
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.checks import ERROR, WARNING, CheckMessage

from service.doctor.examination import Examination
from service.doctor.places import Place
from service.doctor.registry import Outcome, Result, check, error, ok
from service.doctor.report import Finding, Status

GROUP = "configuration"
ELSEWHERE = ("service.E010",)  # static_files.py reports it


@check("configuration.variables")
def variables(examination: Examination) -> Outcome:
    invalid = examination.invalid
    if not invalid:
        return ok("every variable can be read")
    return error(invalid.message, None if invalid.secret else examination.place.unset(invalid.name))


@check("configuration.checks", needs=["configuration.variables"], timeout=10)
def system_checks(examination: Examination) -> Result:
    """Run those that `serve` runs; in a container also those of `check --deploy`."""
    from service.checks import SERVE

    place = examination.place
    messages = checks.run_checks(include_deployment_checks=place.is_container)
    serving = (
        []
        if place.is_container
        else checks.run_checks(tags=[SERVE], include_deployment_checks=True)
    )
    findings = [finding(place, message, message.level >= ERROR) for message in reportable(messages)]
    # Not serious in a checkout: runserver starts in spite of them.
    findings += [finding(place, message, serious=False) for message in reportable(serving)]
    return findings or ok("the system checks find nothing")


def reportable(messages: list[CheckMessage]) -> list[CheckMessage]:
    return [
        message
        for message in messages
        if message.level >= WARNING and not message.is_silenced() and message.id not in ELSEWHERE
    ]


def finding(place: Place, message: CheckMessage, serious: bool) -> Finding:
    status = Status.ERROR if serious else Status.WARNING
    name = message.id or "configuration.checks"
    fact = " ".join(f"{message.msg} {message.hint or ''}".split())
    return Finding(name, GROUP, status, fact, fix_of(place, message))


def fix_of(place: Place, message: CheckMessage) -> str | None:
    """The command that removes the cause of a system check's message, if one command can."""
    file = Path(settings.DATABASES["default"]["NAME"])
    match message.id:
        case "service.W002" | "security.W009":
            return place.set("SECRET_KEY", '"$(openssl rand -base64 48)"')
        case "service.W003":
            return place.set("ALLOWED_HOSTS", "localhost,example.com")
        case "service.E004":
            return place.set("TRUST_PROXY_HEADERS", "true")
        case "service.E006" if not place.is_container:
            return f"mkdir -p {shlex.quote(str(file.parent))}"
        case "service.E007" if not is_folder(file):
            paths = [file.parent, *sorted(file.parent.glob(f"{file.name}*"))]
            refused = [path for path in paths if not os.access(path, os.W_OK)]
            return place.make_writable(refused, os.getuid())
        case "service.E009":
            return place.unset("DEBUG")
        case "service.E014":
            return place.unset("METRICS_PORT")
    return None


def is_folder(path: Path) -> bool:
    """Whether it is known to be one: the folder that it is in may not be searched."""
    try:
        return path.is_dir()
    except PermissionError:
        return False
