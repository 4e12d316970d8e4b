"""Registers the checks and runs them in order, each within a time limit.

A check whose need has failed is skipped, so that one cause is one error.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from django import db

from service.doctor.examination import Examination
from service.doctor.report import Finding, Status
from service.errors import one_line

TIMEOUT = 2  # seconds for a check that asks for no other limit
TOTAL_TIMEOUT = 17  # seconds for all checks, so that the process ends within 20


class Outcome(NamedTuple):
    status: Status
    fact: str
    fix: str | None = None


# A check of Django's is reported under its own id, so one function may find several.
Result = Outcome | list[Finding]
Function = Callable[[Examination], Result]
Registered = TypeVar("Registered", bound=Function)


class Check(NamedTuple):
    id: str
    group: str
    needs: Sequence[str]
    timeout: float
    applies: Callable[[Examination], bool]
    function: Function


registered: list[Check] = []


def check(
    id: str,  # noqa: A002
    *,
    group: str | None = None,
    needs: Sequence[str] = (),
    timeout: float = TIMEOUT,
    applies: Callable[[Examination], bool] = lambda _: True,
) -> Callable[[Registered], Registered]:
    """Register a function as the check ``id``.

    ``group`` is by default the part of the id before the dot. The check is skipped if one of
    ``needs`` was an error or skipped, and left out where it does not apply.
    """

    def register(function: Registered) -> Registered:
        found = Check(id, group or id.partition(".")[0], needs, timeout, applies, function)
        registered.append(found)
        return function

    return register


def ok(fact: str) -> Outcome:
    return Outcome(Status.OK, fact)


def warning(fact: str, fix: str | None = None) -> Outcome:
    return Outcome(Status.WARNING, fact, fix)


def error(fact: str, fix: str | None = None) -> Outcome:
    return Outcome(Status.ERROR, fact, fix)


def skipped(fact: str) -> Outcome:
    return Outcome(Status.SKIPPED, fact)


def run(checks: Sequence[Check], examination: Examination) -> list[Finding]:
    """Run the checks in this order; takes TOTAL_TIMEOUT seconds at most, and raises nothing."""
    end = time.monotonic() + TOTAL_TIMEOUT
    findings: list[Finding] = []
    # For each check that failed or was skipped, the one with which it began.
    causes: dict[str, str] = {}
    for each in checks:
        # ``applies`` may need the settings, which cannot be loaded then.
        if not examination.invalid and not each.applies(examination):
            continue
        if cause := next((causes[need] for need in each.needs if need in causes), None):
            result: Result = skipped(f"skipped: needs {cause}")
            causes[each.id] = cause
        else:
            result = limited(each, examination, end - time.monotonic())
        found = result if isinstance(result, list) else [Finding(each.id, each.group, *result)]
        for finding in found:
            if finding.status in (Status.ERROR, Status.SKIPPED):
                causes.setdefault(finding.id, finding.id)
        findings += found
    return findings


def limited(each: Check, examination: Examination, remaining: float) -> Result:
    """The result of the check. Its thread goes on if it does not return in time."""
    if remaining <= 0:
        return skipped(f"skipped: the checks before it took {TOTAL_TIMEOUT} s")
    seconds = min(each.timeout, remaining)
    results: list[Result] = []

    def work() -> None:
        try:
            results.append(each.function(examination))
        except db.Error as reason:
            results.append(error(f"the database ends this check: {one_line(reason)}"))
        except Exception as exception:
            name = type(exception).__name__
            results.append(error(f"this check failed itself: {name}: {one_line(exception)}"))

    thread = threading.Thread(target=work, name=each.id, daemon=True)
    thread.start()
    thread.join(seconds)
    return results[0] if results else error(f"no answer within {seconds:.2g} s")
