"""A gthread worker with a deadline for each connection.

It closes no connection while a response is owed.
"""

import contextlib
import math
import select
import selectors
import signal
import socket
import threading
import time
from datetime import datetime
from typing import Any

from django.conf import settings
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.errors import InvalidHeader
from gunicorn.workers.gthread import TConn, ThreadWorker

from server.connection import Connection
from server.problems import status_of, write_problem
from server.waiting import LINGER, WaitingConnections

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


class PlainConfig:
    """The settings of a gunicorn Config as plain attributes.

    Config makes two method calls for each setting, and gunicorn reads dozens of them for each
    request: 130,000 instructions, 9 % of those of a small GET.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.is_ssl = config.is_ssl
        for name in config.settings:
            setattr(self, name, getattr(config, name))

    def __getattr__(self, name: str) -> Any:
        """Other properties of Config, which are rarely read."""
        return getattr(self._config, name)


class Worker(ThreadWorker):  # type: ignore[misc]
    """The main thread accepts connections and closes late ones; pool threads handle requests."""

    cfg: Any
    alive: bool  # false once the worker stops

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.cfg = PlainConfig(self.cfg)

    def init_signals(self) -> None:
        super().init_signals()
        # gunicorn.conf.py blocks them while a worker is forked.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop gracefully on SIGINT and SIGQUIT too: Ctrl+C must not interrupt a request."""
        self.handle_exit(sig, frame)

    def run(self) -> None:
        self.connections = WaitingConnections()
        self.last_check = 0.0  # when murder_keepalived last looked for late connections
        self.drain_deadline = math.inf  # set when the worker stops
        for _ in range(self.cfg.threads):
            # Daemon threads: the process does not wait for a request beyond GRACEFUL_TIMEOUT.
            threading.Thread(target=self.serve, daemon=True).start()
        super().run()

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was faster
            return
        conn = TConn(self.cfg, Connection(client), address, listener.getsockname())
        conn.data_ready = True  # gunicorn need not poll: a thread takes it when it is readable
        self.nr_conns += 1
        self.connections.put(conn, time.monotonic() + settings.CLIENT_TIMEOUT)

    def serve(self) -> None:
        """Handle connections for ever; the main loop of a pool thread."""
        while True:
            conn = self.connections.take()
            try:
                self.process(conn)
            except BaseException:
                self.log.exception("Closing a connection after an unexpected error.")
                self.close(conn)

    def process(self, conn: TConn) -> None:
        """Handle what has arrived, then wait for the next request or close the connection."""
        if conn.sock.lingering:
            self.discard_input(conn)
        elif self.handle(conn):
            self.connections.put(conn, *self.next_event(conn))
        else:
            self.linger(conn)

    def next_event(self, conn: TConn) -> tuple[float, int]:
        """Return the deadline and the event to wait for."""
        # A pipelined request is in gunicorn's buffer already, where no poll sees it. A writable
        # socket is ready at once, so the connection queues behind those that are ready now.
        if conn.parser.unreader.buf.getvalue():
            return time.monotonic() + settings.CLIENT_TIMEOUT, selectors.EVENT_WRITE
        return time.monotonic() + self.cfg.keepalive, selectors.EVENT_READ

    def handle(self, conn: TConn) -> bool:
        """Handle one request; return whether the connection stays open for another one."""
        conn.sock.deadline = time.monotonic() + settings.CLIENT_TIMEOUT
        conn.sock.response_deadline = None
        keep_alive = super().handle(conn)
        # After a timeout, bytes that arrive belong to this request and must not begin another.
        return keep_alive and not conn.sock.timed_out

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Call the application, send its response and log the request, in this order.

        Replaces gunicorn's method, which logs before the worker could flush the connection: the
        client would wait for whoever reads the log. gunicorn's hooks pre_request and post_request
        are not called. Returns whether the connection may be kept.
        """
        resp: Any = None
        environ: dict[str, Any] = {}
        try:
            start = datetime.now()
            resp, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg)
            environ["wsgi.multithread"] = True
            self.count_request()
            full = self.nr_conns > self.max_keepalived
            if full or not self.alive or not self.cfg.keepalive:
                resp.force_close()
            body = self.wsgi(environ, resp.start_response)
            try:
                for data in body:
                    resp.write(data)
                resp.close()
                conn.sock.flush()
            finally:
                if resp.headers_sent:  # otherwise handle_error logs the request
                    self.log.access(resp, req, environ, datetime.now() - start)
                getattr(body, "close", lambda: None)()  # PEP 3333: if it has one
            return not resp.should_close()
        except (Exception, SystemExit) as error:
            if isinstance(error, OSError) or resp is None or not resp.headers_sent:
                raise
            # The response has begun, so a second one must not follow it.
            self.log.exception("Error handling request")
            return False

    def count_request(self) -> None:
        """Stop the worker after max_requests requests, if that is configured."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False

    def handle_error(self, req: Any, client: Connection, addr: Any, exc: BaseException) -> None:
        """Answer a request that failed before the application responded.

        Replaces gunicorn's method, which answers with HTML.
        """
        start = datetime.now()
        if isinstance(exc, InvalidHeader):
            req = req or exc.req  # as far as it was read
        status = status_of(exc)
        if status >= 500:
            self.log.exception("Error handling request %s", getattr(req, "uri", "(not read)"))
            detail = "This is a defect; it has been logged."
        else:
            self.log.warning("Invalid request from ip=%s: %s", addr[0], exc)
            detail = str(exc)
        resp = wsgi.Response(req, client, self.cfg)
        resp.status = f"{status.value} {status.phrase}"
        with contextlib.suppress(OSError):  # the client is gone
            resp.sent = write_problem(client, status, detail)
            client.flush()
        if req is not None:
            environ = wsgi.default_environ(req, client, self.cfg) | {"REMOTE_ADDR": addr[0]}
            self.log.access(resp, req, environ, datetime.now() - start)

    def linger(self, conn: TConn) -> None:
        """Close the connection once the client has closed it, or after LINGER seconds.

        Closing a connection on which the client is still sending would destroy a response that
        is on its way (RFC 9112, section 9.6). gunicorn waits too, but blocks its thread.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(conn)
        else:
            conn.sock.lingering = True
            self.connections.put(conn, time.monotonic() + LINGER)

    def discard_input(self, conn: TConn) -> None:
        """Read what a client sends after its last response, and close when it is done or late."""
        try:
            data = socket.socket.recv(conn.sock, 65536)  # non-blocking, unlike Connection.recv
        except OSError:
            data = b""
        now = time.monotonic()
        if data and now < conn.sock.deadline:
            self.connections.put(conn, min(now + LINGER, conn.sock.deadline))
        else:
            self.close(conn)

    def close(self, conn: TConn) -> None:
        """Close a connection from a pool thread; the main thread counts connections."""
        conn.close()
        self.method_queue.defer(self.count_closed)

    def count_closed(self) -> None:
        self.nr_conns -= 1

    def murder_keepalived(self, force: bool = False) -> None:
        """Close the connections past their deadline, or all of them with ``force``.

        gunicorn calls this after every event; a running worker looks once a second at most.
        """
        now = math.inf if force else time.monotonic()
        if self.alive and now < self.last_check + 1:
            return
        self.last_check = now
        for conn in self.connections.take_late(now, self.drain_deadline):
            conn.close()
            self.count_closed()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(timeout if self.alive else 0.1)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Before the worker stops accepting for good, accept the backlog of its listeners.

        Afterwards the listeners are closed, so that the kernel refuses connections that no
        worker would answer. Idle connections are closed after LINGER seconds.
        """
        stopping = not enabled and not self.alive
        if stopping:
            self.drain_deadline = time.monotonic() + LINGER
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
        super().set_accept_enabled(enabled)
        if stopping:
            for listener in self.sockets:
                listener.close()
