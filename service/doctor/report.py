"""What the checks have found, as lines for people and as JSON for programs."""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


MARKS = {Status.OK: "✓", Status.WARNING: "!", Status.ERROR: "✗", Status.SKIPPED: "–"}  # noqa: RUF001
ASCII_MARKS = {Status.OK: "+", Status.WARNING: "!", Status.ERROR: "x", Status.SKIPPED: "-"}
EXIT_CODES = {Status.OK: 0, Status.WARNING: 1, Status.ERROR: 2}


class Finding(NamedTuple):
    """The outcome of one check; ``fix`` is a command that removes the cause, if there is one."""

    id: str
    group: str
    status: Status
    fact: str
    fix: str | None = None


def overall(findings: Sequence[Finding]) -> Status:
    """The worst status; a check that was skipped is neither good nor bad."""
    statuses = {finding.status for finding in findings}
    return next((each for each in (Status.ERROR, Status.WARNING) if each in statuses), Status.OK)


def as_json(findings: Sequence[Finding]) -> str:
    checks = [finding._asdict() for finding in findings]
    return json.dumps({"status": overall(findings), "checks": checks}, indent=2)


def as_text(findings: Sequence[Finding], encoding: str) -> str:
    """One line for each finding, its fix on the next one, and a summary at the end."""
    marks = MARKS if _encodable("".join(MARKS.values()), encoding) else ASCII_MARKS
    width = max(len(finding.id) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{marks[finding.status]} {finding.id:<{width}}  {finding.fact}")
        if finding.fix:
            lines.append(f"  {'':<{width}}  fix: {finding.fix}")
    lines += ["", _summary(findings)]
    # A message of the database may be in any language.
    return "\n".join(lines).encode(encoding, "backslashreplace").decode(encoding)


def _summary(findings: Sequence[Finding]) -> str:
    counts = [
        (sum(finding.status == status for finding in findings), word)
        for status, word in ((Status.ERROR, "error"), (Status.WARNING, "warning"))
    ]
    found = [f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count]
    if not found:
        return "Nothing is wrong."
    return f"{', '.join(found)}. docs/doctor.md explains each check."


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
