"""gunicorn's threaded worker, which waits for no client for ever and drops no connection."""

import contextlib
import functools
import http
import json
import math
import select
import selectors
import signal
import socket
import threading
import time
from collections import deque
from email.utils import formatdate
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

from project import settings
from server.connection import Connection

ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}

# Seconds for which a client may be silent on a connection that is about to be closed.
LINGER = 2


class Clients:
    """The connections that no thread has, each until its ``timeout`` by time.monotonic().

    Threads take turns at waiting for all of them, and each handles the one that
    it finds. gunicorn has one thread that waits, hands each request to another
    and gets the connection back, which costs more than many a request.
    """

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.turn = threading.Lock()  # for who waits
        self.lock = threading.Lock()  # for who adds or removes one
        self.ready: deque[TConn] = deque()

    def put(self, conn: TConn, timeout: float, event: int = selectors.EVENT_READ) -> None:
        conn.since, conn.timeout = time.monotonic(), timeout
        with self.lock:
            self.selector.register(conn.sock, event, conn)

    def take(self) -> TConn:
        """The next for which something has come; waits without limit."""
        with self.turn:
            while not self.ready:
                for key, _ in self.selector.select():
                    self.ready.extend(self.remove(key))
            return self.ready.popleft()

    def take_late(self, now: float, latest: float) -> list[TConn]:
        """Those whose time is up; from ``latest`` on none waits longer than LINGER."""
        with self.lock:
            keys = list(self.selector.get_map().values())
        return [conn for key in keys if self.is_late(key, now, latest) for conn in self.remove(key)]

    @staticmethod
    def is_late(key: selectors.SelectorKey, now: float, latest: float) -> bool:
        """Whether its time is up and nothing has come: what waits for a thread is not late."""
        conn = key.data
        if now < min(conn.timeout, max(latest, conn.since + LINGER)):
            return False
        event = select.POLLIN if key.events == selectors.EVENT_READ else select.POLLOUT
        try:
            return not conn.sock.wait(event, 0)
        except ValueError:  # the thread that has taken it meanwhile has closed it
            return False

    def remove(self, key: selectors.SelectorKey) -> list[TConn]:
        """The connection, unless somebody else has removed it since."""
        with self.lock:
            if self.selector.get_map().get(key.fd) is not key:
                return []
            self.selector.unregister(key.fd)
        return [key.data]


class Worker(ThreadWorker):  # type: ignore[misc]
    """The main thread accepts clients and hangs up on those who are late; the others serve."""

    def init_process(self) -> None:
        # gunicorn looks settings up by two calls each, dozens of times with a request.
        self.cfg.__dict__.update({name: each.get() for name, each in self.cfg.settings.items()})
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Ctrl+C is no reason to leave a request without its answer."""
        self.handle_exit(sig, frame)

    def run(self) -> None:
        self.clients = Clients()
        self.looked = 0.0  # when it last looked for clients who are late
        self.latest = math.inf  # when it stops to wait for requests
        for _ in range(self.cfg.threads):
            # The process does not wait for one that outlasts GRACEFUL_TIMEOUT.
            threading.Thread(target=self.serve, daemon=True).start()
        super().run()

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was faster
            return
        conn = TConn(self.cfg, Connection(client), address, listener.getsockname())
        conn.data_ready = True  # when a thread has it
        self.nr_conns += 1
        self.clients.put(conn, time.monotonic() + settings.CLIENT_TIMEOUT)

    def serve(self) -> None:
        """What each thread does."""
        while True:
            conn = self.clients.take()
            try:
                self.attend(conn)
            except BaseException:
                self.log.exception("A connection is given up.")
                self.hang_up(conn)

    def attend(self, conn: TConn) -> None:
        """Handle what came, then wait for more or close the connection."""
        if conn.sock.lingering:
            self.discard(conn)
        elif self.handle(conn):
            self.clients.put(conn, *self.next_event(conn))
        else:
            self.linger(conn)

    def next_event(self, conn: TConn) -> tuple[float, int]:
        """Until when to wait for what; a request that came with others waits for its turn."""
        if conn.parser.unreader.buf.getvalue():
            return time.monotonic() + settings.CLIENT_TIMEOUT, selectors.EVENT_WRITE
        return time.monotonic() + self.cfg.keepalive, selectors.EVENT_READ

    def handle(self, conn: TConn) -> bool:
        conn.sock.deadline = time.monotonic() + settings.CLIENT_TIMEOUT
        conn.sock.answer_deadline = None
        keep_alive = super().handle(conn)
        with contextlib.suppress(OSError):
            conn.sock.flush()  # gunicorn's answer to what it could not read
        # What comes late is the rest of this request, not another one.
        return keep_alive and not conn.sock.late

    def handle_request(self, req: Any, conn: TConn) -> Any:
        if self.nr_conns > self.max_keepalived:  # there is hardly room for others
            req.force_close()
        return super().handle_request(req, conn)

    def linger(self, conn: TConn) -> None:
        """Close the connection when the client has, or after a while.

        To close it while the client still sends would destroy the answer on its
        way (RFC 9112, section 9.6). gunicorn waits as well, but does nothing else
        meanwhile.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.hang_up(conn)
        else:
            conn.sock.lingering = True
            self.clients.put(conn, time.monotonic() + LINGER)

    def discard(self, conn: TConn) -> None:
        try:
            data = socket.socket.recv(conn.sock, 65536)  # which does not wait
        except OSError:
            data = b""
        now = time.monotonic()
        if data and now < conn.sock.deadline:
            self.clients.put(conn, min(now + LINGER, conn.sock.deadline))
        else:
            self.hang_up(conn)

    def hang_up(self, conn: TConn) -> None:
        conn.close()
        self.method_queue.defer(self.count_one_less)

    def count_one_less(self) -> None:
        self.nr_conns -= 1

    def murder_keepalived(self, force: bool = False) -> None:
        """Hang up on clients who are late, for which to look once a second will do."""
        now = math.inf if force else time.monotonic()
        if self.alive and now < self.looked + 1:
            return
        self.looked = now
        for conn in self.clients.take_late(now, self.latest):
            conn.close()
            self.count_one_less()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(timeout if self.alive else 0.1)

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
        self.latest = deadline


def http_date() -> str:
    """gunicorn's, made once in a second."""
    return date_of(int(time.time()))


@functools.lru_cache(maxsize=1)
def date_of(second: int) -> str:
    return formatdate(second, usegmt=True)


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
