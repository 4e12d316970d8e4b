"""Clients that write all the time, and remember every answer."""

import itertools
import secrets
import threading
import time
from collections import Counter
from types import TracebackType
from typing import NamedTuple, Self

import requests

from e2e.kubernetes.client import TIMEOUT
from e2e.kubernetes.release import Release

PAUSE = 0.05  # seconds


class Failure(NamedTuple):
    """A request that was not answered with 201."""

    name: str
    at: float  # time.monotonic()
    what: str  # the status and the body, or the error of the connection
    is_outage: bool  # whether it is what the service promises for an unavailable database


class Writer:
    """Threads that add lists, each of its own name, from ``with`` until the end of the block.

    Half of them keep their connection, the others open one for each request. ``pause`` is the
    number of seconds from an answer to the thread's next request.
    """

    path = "/lists"
    member = "name"
    timeout: float = TIMEOUT  # seconds

    def __init__(self, url: str, threads: int = 4, pause: float = PAUSE) -> None:
        self.url = url
        self.pause = pause
        self.name = secrets.token_hex(4)
        self.acknowledged: dict[str, float] = {}  # names, with time.monotonic() of the answer
        self.served_by: list[str] = []  # the pods that acknowledged, in the order of the answers
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
            self.add(session, f"{self.name}-{thread}-{count}", count)
            if not keep_alive:
                session.close()
                session = self.session()
            if self.stopping.wait(self.pause):
                return

    @staticmethod
    def session() -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        return session

    def add(self, session: requests.Session, name: str, count: int) -> None:
        self.post(session, name)

    def post(
        self, session: requests.Session, name: str, headers: dict[str, str] | None = None
    ) -> requests.Response | None:
        """Add one; return the answer if it is 201, and otherwise remember the failure."""
        started = time.strftime("%H:%M:%S")
        try:
            answer = self.send(session, name, headers)
        except requests.RequestException as error:
            now = time.monotonic()
            self.failures.append(Failure(name, now, f"{started}: {error!r}", is_outage=False))
            return None
        now = time.monotonic()
        if answer.status_code == 201:
            self.acknowledged[name] = now
            self.served_by.append(answer.headers.get("Served-By", ""))
            return answer
        is_outage = (
            answer.status_code == 503
            and answer.headers["Content-Type"] == "application/problem+json"
            and answer.headers.get("Retry-After", "").isdigit()
        )
        what = f"{started}: {answer.status_code} {answer.headers} {answer.text}"
        self.failures.append(Failure(name, now, what, is_outage))
        return None

    def send(
        self, session: requests.Session, name: str, headers: dict[str, str] | None
    ) -> requests.Response:
        url, body = self.url + self.path, {self.member: name}
        return session.post(url, json=body, headers=headers, timeout=self.timeout)

    def succeeds_again(self) -> bool:
        """Whether a request is acknowledged that began after this was called."""
        seen = len(self.acknowledged) + len(self.threads)
        end = time.monotonic() + self.timeout
        while time.monotonic() < end:
            if len(self.acknowledged) > seen:
                return True
            time.sleep(PAUSE)
        return False

    def unexpected_failures(self) -> list[Failure]:
        """Those that are not what the service promises for an unavailable database."""
        return [failure for failure in self.failures if not failure.is_outage]

    def lost(self, stored: list[str]) -> dict[str, int]:
        """The names that are acknowledged but not stored, and those that are stored twice.

        The values are how often each is stored.
        """
        count = Counter(stored)
        own = {name for name in count if name.startswith(self.name)}
        return {name: count[name] for name in own | self.acknowledged.keys() if count[name] != 1}


class PersistentWriter(Writer):
    """Repeats each request with the same Idempotency-Key until it is acknowledged."""

    # A commit may wait for a standby, and the service gives up waiting after 11 seconds.
    timeout = 30

    def add(self, session: requests.Session, name: str, count: int) -> None:
        while not self.post(session, name, {"Idempotency-Key": name}):
            if self.stopping.wait(self.pause):
                return


class TaskWriter(Writer):
    """Adds tasks to a list, every other one with an Idempotency-Key and then once more.

    A pod of a version without tasks answers 404. That is no failure: its name is kept in
    ``without_tasks``, and the request is repeated until a pod with tasks answers.
    """

    member = "title"

    def __init__(self, url: str, list_id: int, threads: int = 4) -> None:
        super().__init__(url, threads)
        self.path = f"/lists/{list_id}/tasks"
        self.without_tasks: set[str] = set()

    def add(self, session: requests.Session, name: str, count: int) -> None:
        if count % 2:
            self.post(session, name)
            return
        key = {"Idempotency-Key": name}
        first = self.post(session, name, key)
        again = self.post(session, name, key) if first else None
        if first and again and first.headers["Location"] != again.headers["Location"]:
            what = f"made twice: {first.text} {again.text}"
            self.failures.append(Failure(name, time.monotonic(), what, is_outage=False))

    def send(
        self, session: requests.Session, name: str, headers: dict[str, str] | None
    ) -> requests.Response:
        while True:
            answer = super().send(session, name, headers)
            if answer.status_code != 404 or self.stopping.wait(PAUSE):
                return answer
            self.without_tasks.add(answer.headers["Served-By"])
            session.close()  # another pod may answer on another connection


def only_outages_and_nothing_lost(release: Release, writer: Writer) -> None:
    """The database was unavailable, and clients got 503 meanwhile. No container was restarted."""
    assert writer.failures, "the database was always available"
    assert writer.unexpected_failures() == []
    assert writer.lost(release.client().names()) == {}
    restarts = [
        status["restartCount"]
        for pod in release.pods()
        for status in pod["status"]["containerStatuses"]
    ]
    assert set(restarts) == {0}


def settle(release: Release, writer: Writer, *others: Writer) -> None:
    """Wait for what was begun to end; then no client may have noticed it.

    ``writer`` has to succeed again. The others may write what the present version does not have.
    """
    release.wait_until_rolled_out()
    release.wait_until_old_pods_are_gone()
    assert writer.succeeds_again()
    assert [failure for each in (writer, *others) for failure in each.failures] == []
