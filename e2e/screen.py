"""A terminal on which somebody types."""

import contextlib
import os
import pty
import shlex
import subprocess
from collections.abc import Mapping


def type_keys(
    command: str, keys: str, environment: Mapping[str, str] | None = None, seconds: float = 60
) -> str:
    """Run ``command`` on a terminal where somebody types ``keys``; what the screen shows.

    Raises AssertionError when the command fails, and TimeoutExpired when it does not end
    ``seconds`` after it has closed the terminal.
    """
    screen, line = pty.openpty()
    process = subprocess.Popen(
        shlex.split(command), env=environment, stdin=line, stdout=line, stderr=line
    )
    os.close(line)
    os.write(screen, keys.encode())
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while part := os.read(screen, 4096):
            shown += part
    os.close(screen)
    assert process.wait(seconds) == 0, f"$ {command}\n{shown.decode()}"
    return shown.decode()
