"""Runs all checks once, or until there is no error, and prints what they find."""

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg2.extensions

from service.deadlines import Deadlines
from service.doctor import (
    clock,
    configuration,
    database,
    database_state,
    identity,
    migrations,
    secret_key,
    server,
    static_files,
    storage,
)
from service.doctor.connection import CONNECT_TIMEOUT, STATEMENT_TIMEOUT
from service.doctor.examination import Examination, InvalidVariable
from service.doctor.places import Place
from service.doctor.registry import Check, registered, run
from service.doctor.report import EXIT_CODES, Finding, Status, as_json, as_text, overall

RETRY_SECONDS = 2
# In the order of the report. A check can only need those before it.
MODULES = (
    configuration,
    server,
    database,
    database_state,
    migrations,
    storage,
    clock,
    static_files,
    secret_key,
    identity,
)


class Output(Protocol):
    """What the report is written to: standard output, or Django's wrapper around it."""

    def write(self, text: str, /) -> Any: ...

    def flush(self) -> None: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="examine again until there is no error, for up to so many seconds",
    )


def examine(
    place: Place,
    *,
    as_document: bool,
    wait: float,
    output: Output,
    progress: Output,
    invalid: InvalidVariable | None = None,
) -> int:
    """Print the findings and return the exit code. ``progress`` gets a line for each retry."""
    end = time.monotonic() + wait
    with quiet(), deadlines():
        while True:
            findings = run_once(place, invalid)
            status = overall(findings)
            remaining = end - time.monotonic()
            # No variable changes while this process runs.
            if status != Status.ERROR or remaining <= 0 or invalid:
                break
            errors = ", ".join(each.id for each in findings if each.status == Status.ERROR)
            progress.write(f"waiting for {remaining:.0f} s more: {errors}\n")
            progress.flush()
            time.sleep(min(RETRY_SECONDS, remaining))
    encoding = getattr(output, "encoding", None) or "utf-8"
    text = as_json(findings) if as_document else as_text(findings, encoding)
    output.write(f"{text}\n")
    return EXIT_CODES[status]


def checks() -> list[Check]:
    names = [module.__name__ for module in MODULES]
    return sorted(registered, key=lambda each: names.index(each.function.__module__))


def run_once(place: Place, invalid: InvalidVariable | None) -> list[Finding]:
    examination = Examination(place, invalid)
    try:
        return run(checks(), examination)
    finally:
        examination.close()


def without_settings(place: Place, invalid: InvalidVariable, arguments: list[str]) -> int:
    """Examine what can be examined when a variable keeps the settings from being loaded."""
    parser = argparse.ArgumentParser(prog="manage.py doctor")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return examine(
        place,
        as_document=options.json,
        wait=options.wait,
        output=sys.stdout,
        progress=sys.stderr,
        invalid=invalid,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep log records, which go to standard output as well, out of the report."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def deadlines() -> Iterator[None]:
    """Use the time limits of these checks in place of those of the settings."""
    before = psycopg2.extensions.get_wait_callback()
    psycopg2.extensions.set_wait_callback(Deadlines(CONNECT_TIMEOUT, STATEMENT_TIMEOUT))
    try:
        yield
    finally:
        psycopg2.extensions.set_wait_callback(before)
