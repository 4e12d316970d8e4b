"""A client's connection and its states."""

import contextlib
import enum
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings

from server import metrics
from server.request import RequestReader

if TYPE_CHECKING:
    from server.exchange import Exchange

RECEIVE = 16 * 1024  # bytes that are read at once
# How many milliseconds ago data last arrived: tcpi_last_data_recv in linux/tcp.h.
TCP_INFO = getattr(socket, "TCP_INFO", 0)
LAST_RECEIVED = struct.Struct("52xI")
LINGER = 2  # seconds in which a client may close a connection that is to be closed


class State(enum.Enum):
    """What a connection waits for. server/README.md has a diagram."""

    IDLE = enum.auto()  # the first byte of a request
    READING = enum.auto()  # the rest of a request
    QUEUED = enum.auto()  # a thread
    HANDLED = enum.auto()  # the application, in a thread
    SENDING = enum.auto()  # the client, who has to read the response
    LINGERING = enum.auto()  # the client, who has to close the connection


class Connection:
    """A non-blocking socket, a reader of requests, and what has not been sent yet.

    It never waits: the event loop (server/loop.py) says when to read and to send. At each
    moment a connection belongs to one thread, which may use it: to the one that polls, while
    the selector has it registered, and otherwise to the one that handles its request.

    Every system call on a socket releases the GIL, and getting it back costs more than the
    call itself. So a connection tries to send before it is polled, and the head of a response
    is collected and leaves together with its body. Times are those of time.monotonic().
    """

    def __init__(self, client: socket.socket, address: Any, server: Any, config: Any) -> None:
        client.setblocking(False)
        self.socket = client
        self.descriptor = client.fileno()
        self.address = address
        self.server = server  # the address that the client has connected to
        self.asks_for_metrics = server[1] == settings.METRICS_PORT
        self.is_counted = metrics.ENABLED and not self.asks_for_metrics  # whether its requests are
        self.reader = RequestReader(config, address)
        self.state = State.IDLE
        self.since = time.monotonic()  # when the state began; in LINGERING, when the last byte came
        self.deadline = self.since + settings.CLIENT_TIMEOUT  # when the state has to end
        self.silent = True  # whether the client has not sent a byte yet
        self.event = 0  # for which the selector has it registered; 0: not at all
        self.unsent = b""
        self.sent = False  # whether a part of the present response has been sent
        self.closes = False  # whether the connection is closed after the present response
        self.counted = 0  # the bytes that the event loop has counted for it
        self.request: Any = None  # the one that is to be answered (a Request), if it was read
        self.exchange: Exchange | None = None  # the one whose response is being sent

    def enter(self, state: State, seconds: float) -> None:
        """Begin a state that has to end within ``seconds``."""
        self.state = state
        self.since = time.monotonic()
        self.deadline = self.since + seconds

    @property
    def held(self) -> int:
        """How many bytes it keeps in memory."""
        return self.reader.held + len(self.unsent)

    def receive(self) -> bytes | None:
        """What has arrived; b"" if the client has closed its side; None if nothing has."""
        try:
            return self.socket.recv(RECEIVE)
        except BlockingIOError:
            return None
        except OSError:  # the client has reset the connection
            return b""

    def unread_for(self) -> float:
        """Seconds since data last arrived in the kernel; 0 where the kernel does not tell."""
        if not TCP_INFO:
            return 0
        info = self.socket.getsockopt(socket.IPPROTO_TCP, TCP_INFO, LAST_RECEIVED.size)
        milliseconds: int = LAST_RECEIVED.unpack(info)[0]
        return milliseconds / 1000

    def has_input(self) -> bool:
        """Whether the client has sent something that was not received yet."""
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def sendall(self, data: bytes) -> None:
        """Collect ``data`` until flush(). Called by gunicorn's Response."""
        self.unsent += data

    def flush(self) -> bool:
        """Send what was collected, as far as the client reads; return whether it is all sent.

        Raises OSError if the client is gone.
        """
        if not self.unsent:
            return True
        rest = memoryview(self.unsent)
        try:
            while rest:
                rest = rest[self.socket.send(rest) :]
                self.sent = True
        except BlockingIOError:
            pass
        self.unsent = bytes(rest)
        return not self.unsent

    def shut_down(self) -> bool:
        """Say that no response follows; return whether the client is still there."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()
