"""gunicorn's threaded worker, which waits for no client for ever and drops no connection."""

import contextlib
import errno
import http
import json
import select
import selectors
import signal
import socket
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

from project import settings

ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}

BUFFER = 64 * 1024  # bytes of an answer that are kept for those that follow
LINGER = 2  # seconds for which a client may be silent before its connection is closed


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

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        super().setblocking(False)

    def setblocking(self, flag: bool) -> None:
        """Nothing: gunicorn would switch twice with each request."""

    def settimeout(self, value: float | None) -> None:
        self.limit = time.monotonic() + value if value else None

    def wait(self, event: int, end: float) -> None:
        """Until it can be read from or written to, but no longer than ``end``."""
        poller = select.poll()
        poller.register(self, event)
        poller.poll(max(end - time.monotonic(), 0) * 1000)

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


class Worker(ThreadWorker):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lingering: set[TConn] = set()
        self.notified = 0.0

    def init_process(self) -> None:
        # gunicorn looks settings up by two calls each, dozens of times with a request.
        self.cfg.__dict__.update({name: each.get() for name, each in self.cfg.settings.items()})
        super().init_process()

    def notify(self) -> None:
        """Once a second will do, of the 30 after which a worker counts as hung."""
        now = time.monotonic()
        if now > self.notified + 1:
            self.notified = now
            super().notify()

    def init_signals(self) -> None:
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def enqueue_req(self, conn: TConn) -> None:
        """Give a thread to a request, but not to a connection on which none has begun."""
        if isinstance(conn.sock, Connection):
            super().enqueue_req(conn)
            return
        conn.sock = Connection(conn.sock.detach())
        conn.timeout = time.monotonic() + settings.CLIENT_TIMEOUT
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def handle(self, conn: TConn) -> Any:
        conn.sock.deadline = time.monotonic() + settings.CLIENT_TIMEOUT
        conn.sock.answer_deadline = None
        keep_alive = super().handle(conn)
        with contextlib.suppress(OSError):
            conn.sock.flush()  # gunicorn's answer to what it could not read
        # What comes late is the rest of this request, not another one.
        return keep_alive and not conn.sock.late

    def finish_request(self, conn: TConn, future: Future[Any]) -> None:
        if future.exception() is None and future.result():
            super().finish_request(conn, future)
        else:
            self.linger(conn)

    def linger(self, conn: TConn) -> None:
        """Close the connection when the client has, or after a while.

        To close it while the client still sends would destroy the answer on its
        way (RFC 9112, section 9.6). gunicorn waits as well, but does nothing else
        meanwhile.
        """
        self.lingering.add(conn)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.discard, conn))
            conn.timeout = time.monotonic() + LINGER
        except OSError:
            self.hang_up(conn)

    def discard(self, conn: TConn, sock: Connection) -> None:
        try:
            data = socket.socket.recv(sock, 65536)  # which does not wait
        except OSError:
            data = b""
        if not data:
            self.hang_up(conn)
        conn.timeout = min(time.monotonic() + LINGER, sock.deadline)

    def hang_up(self, conn: TConn) -> None:
        self.lingering.remove(conn)
        with contextlib.suppress(KeyError, ValueError):  # it is not registered, or closed already
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        super().murder_pending()
        for conn in [conn for conn in self.lingering if conn.timeout <= time.monotonic()]:
            self.hang_up(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Before it stops for good, accept what the kernel has accepted already.

        From then on the kernel refuses connections, which nobody would answer.
        """
        stopping = not enabled and not self.alive
        if stopping:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
        super().set_accept_enabled(enabled)
        if stopping:
            for listener in self.sockets:
                listener.close()

    def _cap_keepalive(self, deadline: float) -> None:
        """A worker that stops waits as briefly for a first request as for one more."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def write_problem(sock: socket.socket, status: int, reason: str, message: str) -> None:
    """In place of gunicorn's HTML: its answer to what it cannot hand to the application."""
    if status == http.HTTPStatus.NOT_IMPLEMENTED:  # a transfer coding: the client's mistake
        status, reason = http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.BAD_REQUEST.phrase
    detail = message or "This is a defect; it has been logged."
    problem = {"type": "about:blank", "title": reason, "status": int(status), "detail": detail}
    body = json.dumps(problem)
    head = (
        f"HTTP/1.1 {int(status)} {reason}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(sock, (head + body).encode())
