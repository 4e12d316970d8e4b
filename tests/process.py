"""The service as its users run it: a process of its own, spoken to over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120  # a guard against a hang; an idle machine needs three


def sqlite_url(file: Path) -> str:
    return f"sqlite:///{quote(str(file))}"


# For processes that cover no line that others do not, and would be slower by half.
WITHOUT_COVERAGE = {"COVERAGE_PROCESS_CONFIG": ""}


def free_port() -> int:
    with socket.create_server(("", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def reserve_port(port: int = 0) -> socket.socket:
    """A socket that keeps a port from being given to another process until it is closed.

    The other process may be the suite on another database. The service can still bind the port,
    because both set SO_REUSEADDR.
    """
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind(("", port))
    return reservation


def environment(variables: dict[str, str]) -> dict[str, str]:
    """This process's environment, less what configures the service, and with ``variables``."""
    from project.environment import declared

    names = {*declared, *(f"{name}_FILE" for name in declared), "DJANGO_SETTINGS_MODULE"}
    return {k: v for k, v in os.environ.items() if k not in names} | variables


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` to its end with nothing configured but ``variables``."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start ``manage.py`` with nothing configured but ``variables``; it prints to a pipe."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Service:
    """``manage.py serve``, ready when the block begins and stopped with SIGTERM when it ends.

    ``process`` is gunicorn's arbiter; ``url`` is where it answers.
    """

    def __init__(
        self,
        variables: dict[str, str],
        command: tuple[str, ...] = ("serve",),
        awaited: str = "/health/ready",
        output: IO[str] | None = None,
    ) -> None:
        self.reservation = reserve_port(int(variables.get("PORT", "0")))
        self.port: int = self.reservation.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = variables | {"PORT": str(self.port)}
        self.command = command
        self.awaited = awaited  # the path that has to succeed before the block begins
        self.output = output or tempfile.TemporaryFile("a+")  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *self.command],
            cwd=ROOT,
            env=environment(self.variables),
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        # Pytest shows what is printed if the test fails.
        if not self.output.closed and self.output.seekable():
            lines = [line for line in self.text().splitlines() if '"level": "info"' not in line]
            print("\n".join(lines)[-20_000:])
        self.output.close()
        self.reservation.close()

    def wait_until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended:\n{self.text()}")
            try:
                if requests.get(f"{self.url}{self.awaited}", timeout=5).ok:
                    return
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.05)
        raise AssertionError(f"the service was not ready in {START_SECONDS} s:\n{self.text()}")

    def workers(self) -> list[psutil.Process]:
        """gunicorn's, all of them: the first answers before the others are forked."""
        count = int(self.variables.get("WEB_CONCURRENCY", "2"))
        end = time.monotonic() + START_SECONDS
        while len(workers := psutil.Process(self.process.pid).children()) != count:
            assert time.monotonic() < end, f"{len(workers)} workers instead of {count}"
            time.sleep(0.02)
        return workers

    def text(self) -> str:
        """All that the process has written so far."""
        # The service writes through the same open file, which moves the position that seek() sets.
        file = self.output.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode()

    def records(self) -> list[dict[str, Any]]:
        """Its log, line by line; every line has to be JSON. The last one may be incomplete yet."""
        return [json.loads(line) for line in self.text().rpartition("\n")[0].splitlines()]
