"""Clients that read and write without pause while something happens to the service."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.process import Service
from tests.wire import HANG


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait for ``condition``; the limit only guards against a hang."""
    end = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < end, f"waited {HANG} s in vain: {what}"
        time.sleep(0.02)


def patient() -> requests.Session:
    """A session that repeats a request answered with 503 after ``Retry-After``.

    A busy machine sheds requests, which were not carried out then. Whoever sends many at once
    to see what is written uses this.
    """
    retry = Retry(
        total=None, connect=0, read=0, status=HANG, status_forcelist=[503], allowed_methods=None
    )
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=retry))
    return session


class Load:
    """Runs for the duration of the block. A request without an answer fails the block.

    ``answers`` are all that came, and ``acknowledged`` the names of the lists
    that the service said it made.
    """

    def __init__(self, service: Service, clients: int = 4) -> None:
        self.service = service
        self.clients = clients
        self.answers: list[requests.Response] = []
        self.acknowledged: list[str] = []
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        self.executor = ThreadPoolExecutor(self.clients)
        self.futures = [self.executor.submit(self._client) for _ in range(self.clients)]
        return self

    def __exit__(self, *exception: object) -> None:
        self.ended.set()
        self.executor.shutdown()
        for future in self.futures:
            future.result()

    def _client(self) -> None:
        url = f"{self.service.url}/lists"
        with requests.Session() as session:
            while not self.ended.is_set():
                name = uuid.uuid4().hex
                answer = session.post(url, json={"name": name}, timeout=HANG)
                if answer.status_code == 201:
                    self.acknowledged.append(name)
                self.answers.append(answer)
                self.answers.append(session.get(url, params={"limit": 1}, timeout=HANG))

    def wait_for(self, status: int, count: int) -> None:
        """Until ``count`` more answers have this status."""
        count += self.count(status)
        eventually(lambda: self.count(status) >= count, f"{count} answers of {status}")

    def count(self, status: int) -> int:
        return sum(answer.status_code == status for answer in list(self.answers))


def names(service: Service) -> Counter[str]:
    """How many lists of each name there are, page by page."""
    found: Counter[str] = Counter()
    url = "/lists?limit=1000"
    while url:
        page = requests.get(service.url + url, timeout=HANG)
        page.raise_for_status()
        lists: list[dict[str, Any]] = page.json()
        found.update(task_list["name"] for task_list in lists)
        url = page.links.get("next", {}).get("url", "")
    return found
