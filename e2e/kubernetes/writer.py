"""Somebody who writes all the time, and remembers every answer."""

import itertools
import secrets
import threading
import time
from collections import Counter
from types import TracebackType
from typing import NamedTuple, Self

import requests

from e2e.kubernetes.client import TIMEOUT

PAUSE = 0.05  # seconds from an answer to the thread's next request


class Failure(NamedTuple):
    """A request that was not answered with 201."""

    name: str
    at: float  # time.monotonic()
    what: str  # the status and the body, or the error of the connection
    is_outage: bool  # whether it is what the service promises for a database that is away


class Writer:
    """Threads that add lists, each of its own name, from ``with`` until the end of the block.

    Half of them keep their connection, the others open one for each request.
    """

    def __init__(self, url: str, threads: int = 4) -> None:
        self.url = f"{url}/lists"
        self.name = secrets.token_hex(4)
        self.acknowledged: dict[str, float] = {}  # names, with time.monotonic() of the answer
        self.failures: list[Failure] = []
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self.write, args=(number, number % 2 == 0))
            for number in range(threads)
        ]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def write(self, thread: int, keep_alive: bool) -> None:
        session = self.session()
        for count in itertools.count():
            self.add(session, f"{self.name}-{thread}-{count}")
            if not keep_alive:
                session.close()
                session = self.session()
            if self.stopping.wait(PAUSE):
                return

    @staticmethod
    def session() -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        return session

    def add(self, session: requests.Session, name: str) -> None:
        started = time.strftime("%H:%M:%S")
        try:
            answer = session.post(self.url, json={"name": name}, timeout=TIMEOUT)
        except requests.RequestException as error:
            now = time.monotonic()
            self.failures.append(Failure(name, now, f"{started}: {error!r}", is_outage=False))
            return
        now = time.monotonic()
        if answer.status_code == 201:
            self.acknowledged[name] = now
            return
        is_outage = (
            answer.status_code == 503
            and answer.headers["Content-Type"] == "application/problem+json"
            and answer.headers.get("Retry-After", "").isdigit()
        )
        what = f"{started}: {answer.status_code} {answer.headers} {answer.text}"
        self.failures.append(Failure(name, now, what, is_outage))

    def succeeds_again(self) -> bool:
        """Whether a request is acknowledged that began after this was called."""
        seen = len(self.acknowledged) + len(self.threads)
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            if len(self.acknowledged) > seen:
                return True
            time.sleep(PAUSE)
        return False

    def lost(self, stored: list[str]) -> dict[str, int]:
        """Acknowledged names that are not stored exactly once, with how often they are."""
        count = Counter(stored)
        return {name: count[name] for name in self.acknowledged if count[name] != 1}
