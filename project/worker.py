"""gunicorn's threaded worker, which waits for no client for ever and drops no connection."""

import errno
import http
import json
import select
import socket
import time
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

from project import settings


class Connection(socket.socket):
    """A client's connection that limits the time of a request and of its answer.

    gunicorn reads without limit once a request's first byte is there, so that
    a few clients who stall would occupy every thread.
    """

    deadline = 0.0  # when the request has to be here, by time.monotonic()

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
        self.settimeout(settings.CLIENT_TIMEOUT)
        try:
            return super().sendall(data, flags)
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "the client does not read its answer") from None
        finally:
            self.settimeout(None)


class Worker(ThreadWorker):  # type: ignore[misc]
    def enqueue_req(self, conn: TConn) -> None:
        if not isinstance(conn.sock, Connection):
            conn.sock = Connection(fileno=conn.sock.detach())
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        conn.sock.deadline = time.monotonic() + settings.CLIENT_TIMEOUT
        return super().handle(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Before it stops for good, accept what the kernel has accepted already."""
        if not self.alive:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
        super().set_accept_enabled(enabled)


def write_problem(sock: socket.socket, status: int, reason: str, message: str) -> None:
    """In place of gunicorn's HTML: its answer to what it cannot hand to the application."""
    if status == http.HTTPStatus.NOT_IMPLEMENTED:  # a transfer coding: the client's mistake
        status, reason = http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.BAD_REQUEST.phrase
    problem = {"type": "about:blank", "title": reason, "status": int(status)}
    if message:
        problem["detail"] = message
    body = json.dumps(problem)
    head = (
        f"HTTP/1.1 {int(status)} {reason}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(sock, (head + body).encode())
