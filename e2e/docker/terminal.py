"""A terminal that remembers what its commands made in the Docker Engine, and removes that alone."""

import contextlib
import json
import os
import pty
import re
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Value = TypeVar("Value")

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 60  # for what takes a few; a build has BUILD_SECONDS
BUILD_SECONDS = 900


def eventually(look: Callable[[], Value], seconds: float = SECONDS) -> Value:
    """The first true value that ``look`` returns, asked again for up to ``seconds``.

    A look that fails, because an answer is not there yet or not yet the
    expected one, counts as false.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            value, reason = look(), None
        except (AssertionError, LookupError, OSError, ValueError, CommandError) as error:
            value, reason = None, error
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s; last: {reason or value!r}") from reason
        time.sleep(0.1)


class CommandError(Exception):
    pass


class Terminal:
    """Runs command lines in the project's folder, without settings from its user's environment."""

    def __init__(self, **environment: str) -> None:
        settings = ("COMPOSE_", "POSTGRES_", "TASKLISTS_", "SECRET_KEY", "API_ACCESS", "LOG_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(settings)}
        self.environment |= {"COMPOSE_DISABLE_ENV_FILE": "true", **environment}
        self.containers: list[str] = []
        self.networks: list[str] = []
        self.volumes: list[str] = []

    def __call__(self, command: str, *, seconds: float = SECONDS) -> str:
        """What ``command`` prints; CommandError, with what it complains about, if it fails."""
        detached = re.match("docker run .*-d ", command)
        volumes = self._volumes() if detached else set()
        done = self.run(command, seconds=seconds)
        output = done.stdout.strip()
        if detached and output:  # also when it could be made, but not be started
            self.containers.append(output)
            self.volumes += self._mounted(output) - volumes
        if done.returncode:
            raise CommandError(f"{command}: {done.stderr or output}")
        if command.startswith("docker network create "):
            self.networks.append(output)
        elif command.startswith("docker volume create "):
            self.volumes.append(output)
        return output

    def run(self, command: str, *, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            shell=True,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def type(self, command: str, keys: str) -> str:
        """Run ``command`` on a terminal where somebody types ``keys``; what the screen shows.

        Raises AssertionError when the command fails, and TimeoutExpired when it does not end
        SECONDS after it has closed the terminal.
        """
        screen, line = pty.openpty()
        process = subprocess.Popen(
            shlex.split(command), env=self.environment, stdin=line, stdout=line, stderr=line
        )
        os.close(line)
        os.write(screen, keys.encode())
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while part := os.read(screen, 4096):
                shown += part
        os.close(screen)
        assert process.wait(SECONDS) == 0, f"$ {command}\n{shown.decode()}"
        return shown.decode()

    def inspect(self, name: str, kind: str = "container") -> dict[str, Any]:
        described: dict[str, Any] = json.loads(self(f"docker {kind} inspect {name}"))[0]
        return described

    def clean(self) -> None:
        """Remove what the commands made and did not remove themselves."""
        for container in self.containers:
            self.run(f"docker rm -f -v {container}")
        # `docker rm -f` of a container that runs with --rm leaves its volume behind.
        for volume in self.volumes:
            self.run(f"docker volume rm {volume}")
        for network in self.networks:
            self.run(f"docker network rm {network}")
        self.containers, self.networks, self.volumes = [], [], []

    def _volumes(self) -> set[str]:
        return set(self.run("docker volume ls -q").stdout.split())

    def _mounted(self, container: str) -> set[str]:
        # A container that ended at once and ran with --rm is gone, its volume too.
        names = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
        return set(self.run(f"docker container inspect -f '{names}' {container}").stdout.split())
