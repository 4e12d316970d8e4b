"""A client's connection, on which no call takes longer than the client may."""

import errno
import select
import socket
import time
from typing import Any

from project import settings

BUFFER = 64 * 1024  # bytes of an answer that are kept for those that follow


class Connection(socket.socket):
    """A client's connection that limits the time of a request and of its answer.

    gunicorn reads and writes without limit once a request's first byte is
    there, so that a few clients who stall would occupy every thread. Each call
    on a socket lets another thread run, and waiting for one's turn again costs
    more than the call. This needs the fewest: the socket never blocks, so that
    one who has something to read or to say does not ask first, and an answer is
    kept until ``flush``, which the access log calls when it is complete.
    """

    # By time.monotonic(): when the request has to be here, and its answer there.
    deadline = 0.0
    answer_deadline: float | None = None
    limit: float | None = None  # of gunicorn's: until when it waits for the rest of a body
    late = False  # whether the request or its answer was not there in time
    unsent = b""
    lingering = False  # whether all is said, and the client is only waited for to close it

    def __init__(self, client: socket.socket) -> None:
        """Takes the place of ``client``, which is of no use any more."""
        super().__init__(client.family, client.type, client.proto, client.detach())
        super().setblocking(False)

    def setblocking(self, flag: bool) -> None:
        """Nothing: gunicorn would switch twice with each request."""

    def settimeout(self, value: float | None) -> None:
        self.limit = time.monotonic() + value if value else None

    def wait(self, event: int, end: float) -> bool:
        """Whether it can be read from or written to; waits no longer than until ``end``."""
        poller = select.poll()
        poller.register(self, event)
        return bool(poller.poll(max(end - time.monotonic(), 0) * 1000))

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """What came; nothing, as from a client who has hung up, when time is up.

        Raises TimeoutError where gunicorn has set a limit.
        """
        end = self.deadline if self.limit is None else min(self.limit, self.deadline)
        while True:
            try:
                return super().recv(bufsize, flags)
            except BlockingIOError:
                if time.monotonic() >= end:
                    break
                self.wait(select.POLLIN, end)
        if self.limit is not None:
            raise TimeoutError
        self.late = True
        return b""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send it with what follows: an answer's head does not leave without its body."""
        self.unsent += data
        if len(self.unsent) > BUFFER:
            self.flush()

    def send(self, data: Any, flags: int = 0) -> int:
        """Send it at once: gunicorn's 100 Continue, with which the answer has not begun."""
        self.sendall(data)
        self.flush()
        self.answer_deadline = None
        return len(data)

    def flush(self) -> None:
        """Raises BrokenPipeError when time is up for a client that does not read."""
        data, self.unsent = memoryview(self.unsent), b""
        end = self.answer_deadline = (
            self.answer_deadline or time.monotonic() + settings.CLIENT_TIMEOUT
        )
        while data:
            try:
                data = data[super().send(data) :]
            except BlockingIOError:
                self.wait(select.POLLOUT, end)
            if data and time.monotonic() >= end:
                self.late = True
                raise BrokenPipeError(errno.EPIPE, "the client does not read its answer")
