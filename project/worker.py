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

LINGER = 2  # seconds for which a client may be silent before its connection is closed


class Connection(socket.socket):
    """A client's connection that limits the time of a request and of its answer.

    gunicorn reads without limit once a request's first byte is there, so that
    a few clients who stall would occupy every thread.
    """

    # By time.monotonic(): when the request has to be here, and its answer there.
    deadline = 0.0
    answer_deadline: float | None = None

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """What came; nothing, as from a client who has hung up, when time is up."""
        if self.gettimeout() is not None:
            return super().recv(bufsize, flags)
        self.settimeout(max(self.deadline - time.monotonic(), 0.001))
        try:
            return super().recv(bufsize, flags)
        except TimeoutError:
            return b""
        finally:
            self.settimeout(None)

    def sendall(self, data: Any, flags: int = 0) -> None:
        if self.gettimeout() is not None:
            return super().sendall(data, flags)
        now = time.monotonic()
        self.answer_deadline = self.answer_deadline or now + settings.CLIENT_TIMEOUT
        self.settimeout(max(self.answer_deadline - now, 0.001))
        try:
            return super().sendall(data, flags)
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "the client does not read its answer") from None
        finally:
            self.settimeout(None)


class Worker(ThreadWorker):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lingering: set[TConn] = set()

    def init_signals(self) -> None:
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def enqueue_req(self, conn: TConn) -> None:
        """Give a thread to a request, but not to a connection on which none has begun."""
        if isinstance(conn.sock, Connection):
            super().enqueue_req(conn)
            return
        conn.sock = Connection(fileno=conn.sock.detach())
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + settings.CLIENT_TIMEOUT
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def handle(self, conn: TConn) -> Any:
        conn.sock.deadline = time.monotonic() + settings.CLIENT_TIMEOUT
        conn.sock.answer_deadline = None
        return super().handle(conn)

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
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.discard, conn))
            conn.timeout = time.monotonic() + LINGER
        except OSError:
            self.hang_up(conn)

    def discard(self, conn: TConn, sock: Connection) -> None:
        try:
            data = sock.recv(65536)
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
