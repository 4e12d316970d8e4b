"""The connections that wait for their client."""

import select
import selectors
import threading
import time
from collections import deque

from gunicorn.workers.gthread import TConn

# How many seconds a connection stays open for the client's next bytes once it is to be closed.
LINGER = 2


class WaitingConnections:
    """The connections that no thread is handling, each with a deadline in ``timeout``.

    The threads of the pool take turns: one polls all connections, and handles the connection
    that it finds. In gunicorn's gthread, the main thread polls, passes each connection to the
    pool through a queue, and gets it back through a pipe, which takes longer than many a request.
    """

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.poll_lock = threading.Lock()  # held by the thread that polls
        self.lock = threading.Lock()  # held while a connection is added or removed
        self.ready: deque[TConn] = deque()

    def put(self, conn: TConn, timeout: float, event: int = selectors.EVENT_READ) -> None:
        """Wait for ``event`` on the connection until ``timeout``, by time.monotonic()."""
        conn.sock.waiting_since, conn.timeout = time.monotonic(), timeout
        with self.lock:
            self.selector.register(conn.sock, event, conn)

    def take(self) -> TConn:
        """Remove and return a connection whose event has happened; blocks without a limit."""
        with self.poll_lock:
            while not self.ready:
                for key, _ in self.selector.select():
                    self.ready.extend(self.remove(key))
            return self.ready.popleft()

    def take_late(self, now: float, drain_deadline: float) -> list[TConn]:
        """Remove and return the connections past their deadline.

        After ``drain_deadline``, each connection waits for LINGER seconds at most.
        """
        with self.lock:
            keys = list(self.selector.get_map().values())
        return [
            conn
            for key in keys
            if self.is_late(key, now, drain_deadline)
            for conn in self.remove(key)
        ]

    @staticmethod
    def is_late(key: selectors.SelectorKey, now: float, drain_deadline: float) -> bool:
        """Whether the deadline has passed without an event.

        A connection whose event has happened is not late: it waits for a thread.
        """
        conn = key.data
        if now < min(conn.timeout, max(drain_deadline, conn.sock.waiting_since + LINGER)):
            return False
        event = select.POLLIN if key.events == selectors.EVENT_READ else select.POLLOUT
        try:
            return not conn.sock.wait(event, 0)
        except ValueError:  # a thread has taken and closed it in the meantime
            return False

    def remove(self, key: selectors.SelectorKey) -> list[TConn]:
        """Return the connection in a list, or an empty list if another thread was faster."""
        with self.lock:
            if self.selector.get_map().get(key.fd) is not key:
                return []
            self.selector.unregister(key.fd)
        return [key.data]
