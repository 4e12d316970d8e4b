"""The requests that wait for a thread."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from server.connection import Connection

MAX_WAIT = 0.6  # seconds; reading and the application take the rest of a second, as a rule
SMOOTHING = 1 / 8  # the weight of the last request in the average


class RequestQueue:
    """Whole requests, the oldest first, which a fixed number of threads takes.

    A request that would wait for longer than MAX_WAIT is not taken in. The wait is estimated
    from how long the application took for the last requests, so the queue is short when
    requests take long. A request that finds nobody waiting is always taken in.
    """

    def __init__(self, threads: int, when_saturated: Callable[[], object]) -> None:
        self.threads = threads
        self.busy = 0  # threads that have taken a request
        self.when_saturated = when_saturated  # called when the last free thread takes a request,
        self.announced = False  # but not again before this is reset
        self.seconds = 0.0  # that a thread takes for a request, on average
        self.waiting: deque[Connection] = deque()
        self.begun: deque[Connection] = deque()  # whose response a thread has to go on with
        self.lock = threading.Lock()

    def put(self, conn: Connection) -> bool:
        """Take in a request; return False if it would wait for too long."""
        remaining = MAX_WAIT - (time.monotonic() - conn.since)
        with self.lock:
            if self.waiting and len(self.waiting) * self.seconds > remaining * self.threads:
                return False
            self.waiting.append(conn)
            return True

    def put_back(self, conn: Connection) -> None:
        """Let a thread go on with a response; it need not queue behind the requests."""
        with self.lock:
            self.begun.append(conn)

    def get(self) -> Connection | None:
        """The next connection, if any, for a thread that calls done() when it has handled it.

        Those that have waited for MAX_WAIT are left to take_late().
        """
        with self.lock:
            queue = self.begun or self.waiting
            if not queue or (queue is self.waiting and self.is_late(queue[0])):
                return None
            self.busy += 1
            conn = queue.popleft()
            announce = self.busy == self.threads and not self.announced
            self.announced = self.announced or announce
        if announce:
            self.when_saturated()
        return conn

    def done(self, seconds: float) -> None:
        """A thread has handled a connection, which took ``seconds``."""
        with self.lock:
            self.busy -= 1
            # A single request that took very long says little about those to come.
            self.seconds += SMOOTHING * (min(seconds, MAX_WAIT) - self.seconds)

    def is_saturated(self) -> bool:
        """Whether no thread is free."""
        return self.busy >= self.threads

    def take_late(self, limit: int) -> list[Connection]:
        """Remove and return those that have waited for MAX_WAIT, at most ``limit`` of them."""
        if not self.waiting:
            return []
        late: list[Connection] = []
        with self.lock:
            while self.waiting and self.is_late(self.waiting[0]) and len(late) < limit:
                late.append(self.waiting.popleft())
        return late

    @staticmethod
    def is_late(conn: Connection) -> bool:
        return conn.since <= time.monotonic() - MAX_WAIT


class OwnThreadsQueue(RequestQueue):
    """A queue with dedicated threads, which block until a request arrives and never poll."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads, lambda: None)
        self.arrived = threading.Semaphore(0)

    def put(self, conn: Connection) -> bool:
        taken_in = super().put(conn)
        self.arrived.release()
        return taken_in

    def wait(self) -> Connection | None:
        """Block until a request arrives; return None if it was not taken in, or removed since."""
        self.arrived.acquire()
        return self.get()


class Queues(NamedTuple):
    """The queues of a worker."""

    requests: RequestQueue
    probes: OwnThreadsQueue  # requests for /health/ready
    scrapes: OwnThreadsQueue  # requests to METRICS_PORT
