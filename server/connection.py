"""A client's connection with a deadline for the request and one for the response."""

import errno
import select
import socket
import time
from typing import Any

from django.conf import settings

BUFFER = 64 * 1024  # bytes of a response that are collected before they are sent


class Connection(socket.socket):
    """A non-blocking socket that reads until a deadline and collects what is written.

    gunicorn reads and writes without a time limit once the first byte of a request has
    arrived, so a few stalled clients would occupy every thread. Here, reading ends at
    ``deadline`` and sending ends CLIENT_TIMEOUT seconds after it began.

    Every system call on a socket releases the GIL, and getting it back costs more than the
    call itself. So this class makes as few calls as possible: it tries to read or write and
    polls only if that would block, and it collects a response until the worker calls
    ``flush``. Times are those of time.monotonic().
    """

    deadline = 0.0  # when the request must have arrived
    response_deadline: float | None = None  # when the response must have been sent; None: not begun
    body_deadline: float | None = None  # when gunicorn stops reading the rest of an unused body
    timed_out = False  # whether the client missed a deadline
    unsent = b""
    waiting_since = 0.0  # when the worker last began to wait for an event on this connection
    lingering = False  # whether everything is sent and only the client's close is awaited

    def __init__(self, client: socket.socket) -> None:
        """Take over the file descriptor of ``client``, which cannot be used afterwards."""
        super().__init__(client.family, client.type, client.proto, client.detach())
        super().setblocking(False)

    def setblocking(self, flag: bool) -> None:
        """Do nothing: gunicorn would switch to blocking and back for every request."""

    def settimeout(self, value: float | None) -> None:
        """Called by gunicorn around its reading of the rest of a body."""
        self.body_deadline = time.monotonic() + value if value else None

    def wait(self, event: int, end: float) -> bool:
        """Wait until ``event`` (of select.poll) or ``end``; return whether the event happened."""
        poller = select.poll()
        poller.register(self, event)
        return bool(poller.poll(max(end - time.monotonic(), 0) * 1000))

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Return the bytes that have arrived, or none when the deadline has passed.

        Raises TimeoutError if that was ``body_deadline``, as gunicorn expects.
        """
        end = self.deadline
        if self.body_deadline is not None:
            end = min(self.body_deadline, end)
        while True:
            try:
                return super().recv(bufsize, flags)
            except BlockingIOError:
                if time.monotonic() >= end:
                    break
                self.wait(select.POLLIN, end)
        if self.body_deadline is not None:
            raise TimeoutError
        self.timed_out = True
        return b""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Collect ``data``, so that the head of a response leaves together with its body."""
        self.unsent += data
        if len(self.unsent) > BUFFER:
            self.flush()

    def send(self, data: Any, flags: int = 0) -> int:
        """Send ``data`` at once. gunicorn calls it for 100 Continue, before the response."""
        self.sendall(data)
        self.flush()
        self.response_deadline = None
        return len(data)

    def flush(self) -> None:
        """Send what was collected.

        Raises BrokenPipeError if the client has not read all of it by ``response_deadline``.
        """
        data, self.unsent = memoryview(self.unsent), b""
        end = self.response_deadline = (
            self.response_deadline or time.monotonic() + settings.CLIENT_TIMEOUT
        )
        while data:
            try:
                data = data[super().send(data) :]
            except BlockingIOError:
                self.wait(select.POLLOUT, end)
            if data and time.monotonic() >= end:
                self.timed_out = True
                raise BrokenPipeError(errno.EPIPE, "the client does not read the response")
