"""A container of the image, with a free port of this machine instead of 5000."""

import json
from typing import Any, Self

import requests

from e2e.docker.terminal import SECONDS, Terminal, eventually


class EndedError(Exception):
    """A container that should run has ended; the message is its log. No wait goes on for it."""


class Container:
    def __init__(self, terminal: Terminal, options: str = "", command: str = "") -> None:
        self.terminal = terminal
        self.id = terminal(f"docker run -d -p 127.0.0.1::5000 {options} app:latest {command}")

    def ready(self, port: int = 5000) -> Self:
        """Wait until it answers that it is ready on its ``port``."""
        self.published(port)
        eventually(lambda: self.running() and self.get("/health/ready").ok)
        return self

    def published(self, port: int = 5000) -> None:
        """Find out the address at which this machine reaches its ``port``."""
        self.url = f"http://{self.terminal(f'docker port {self.id} {port}/tcp')}"

    def running(self) -> bool:
        if not self.state()["Running"]:
            raise EndedError(self.log())
        return True

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.terminal.inspect(self.id)["State"]
        return state

    def ended(self, seconds: float = SECONDS) -> int:
        """Wait until it has ended by itself; its exit status."""
        return int(self.terminal(f"docker wait {self.id}", seconds=seconds))

    def stop(self) -> int:
        """`docker stop`, with more time than GRACEFUL_TIMEOUT; the exit status."""
        self.terminal(f"docker stop -t 40 {self.id}")
        return int(self.state()["ExitCode"])

    def log(self) -> str:
        """What `docker logs` shows."""
        done = self.terminal.run(f"docker logs {self.id}")
        return done.stdout + done.stderr

    def events(self) -> list[dict[str, Any]]:
        """The lines of the log, each of which has to be a JSON object."""
        return [json.loads(line) for line in self.log().splitlines()]

    def execute(self, command: str) -> str:
        return self.terminal(f"docker exec {self.id} {command}")

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=10, **options)

    def add(self, name: str) -> None:
        answer = requests.post(f"{self.url}/lists", json={"name": name}, timeout=30)
        assert answer.status_code == 201, answer.text

    def names(self) -> list[str]:
        return [task_list["name"] for task_list in self.get("/lists").json()]

    def add_task(self, title: str) -> None:
        """Add a task to the first list."""
        answer = requests.post(f"{self.url}/lists/1/tasks", json={"title": title}, timeout=30)
        assert answer.status_code == 201, answer.text

    def titles(self) -> list[str]:
        """The titles of the first list's tasks."""
        return [task["title"] for task in self.get("/lists/1/tasks").json()]
