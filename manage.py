#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists what it can do."""

import os
import signal
import sys

from project import environment

# Commands whose files belong to the project. What the others write may hold secrets: the database
# has hashes of passwords and tokens, and so has a dump of it.
WRITES_PUBLIC_FILES = {
    "collectstatic",  # the image collects as root, and serves as another user
    "makemigrations",
    "optimizemigration",
    "spectacular",
    "squashmigrations",
    "startapp",
    "startproject",
}


def examine_without_settings(invalid: environment.InvalidValue) -> int:
    """Run doctor although a variable keeps the settings from being loaded."""
    from service.doctor.examination import InvalidVariable
    from service.doctor.examine import without_settings
    from service.doctor.places import place_named

    try:
        place = environment.runs_in("RUNS_IN")
    except environment.InvalidValue:
        place = ""
    found = InvalidVariable(str(invalid), invalid.variable, invalid.secret)
    return without_settings(place_named(place), found, sys.argv[2:])


def main() -> None:
    if not WRITES_PUBLIC_FILES.intersection(sys.argv[1:2]):
        os.umask(0o077)
    # The first process of a container ignores SIGTERM unless it handles it.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    environment.select_settings()
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        sys.exit(f"{error}: install the requirements with `make install`, or activate .venv")
    from django.db import Error

    from service.database_errors import is_outage
    from service.errors import one_line

    try:
        execute_from_command_line(sys.argv)
    except environment.InvalidValue as invalid:
        if sys.argv[1:2] != ["doctor"]:
            raise
        sys.exit(examine_without_settings(invalid))
    except Error as error:
        if not is_outage(error) or "--traceback" in sys.argv:
            raise
        sys.exit(f"CommandError: the database is unavailable or not migrated: {one_line(error)}")


if __name__ == "__main__":
    main()
