#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists what it can do."""

import signal
import sys

from project import environment


def main() -> None:
    # The first process of a container ignores SIGTERM unless it handles it.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    environment.select_settings()
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        sys.exit(f"{error}: install the requirements with `make install`, or activate .venv")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
