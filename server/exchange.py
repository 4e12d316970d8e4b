"""One request and its one response."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gunicorn.http import wsgi

from server import metrics, replies
from server.connection import Connection
from server.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ROUTE = "http.route"  # where the application puts the route of a request into the environ
BUFFER = 64 * 1024  # bytes of a response that are collected before they are sent


class Exchange:
    """Calls the application and sends its response, for as long as the client reads it.

    A thread that would have to wait for the client leaves the exchange, and another thread may
    go on with it when the client has read. So an iterable that the application returns may be
    continued in another thread than it was begun in.
    """

    def __init__(
        self, conn: Connection, request: Request, application: "WSGIApplication", config: Any
    ) -> None:
        self.conn = conn
        self.request = request
        self.application = application
        self.config = config
        self.start = datetime.now()
        self.arrived = conn.since  # when the request was complete, by time.monotonic()
        self.seconds = 0.0  # until the response was sent, or the client had to read first
        self.response: Any = None
        self.environ: dict[str, Any] = {}
        self.body: Any = None  # what the application returned
        self.parts: Iterator[bytes] | None = None  # the rest of the body
        self.collected = False  # whether the response is complete
        self.delayed = False  # whether the client had to read before all of it could be sent

    def advance(self, log: Any) -> bool:
        """Collect and send the response; return False if the client has to read first.

        conn.closes says before whether the connection has to be closed after the response, and
        afterwards whether it is. Raises OSError if the client is gone.
        """
        while self.conn.flush():
            if self.collected:
                self.take_time()
                return True
            self.collect(log)
        self.take_time()
        return False

    def take_time(self) -> None:
        """Measure the time until now, unless it was measured when the client had to read first."""
        self.seconds = self.seconds or time.monotonic() - self.arrived

    def collect(self, log: Any) -> None:
        """Collect BUFFER bytes of the response, or what is left of it."""
        try:
            if self.parts is None:
                self.parts = self.begin()
            for part in self.parts:
                self.response.write(part)
                if len(self.conn.unsent) > BUFFER:
                    return
            self.response.close()
            self.conn.closes = self.response.should_close()
        except (Exception, SystemExit):
            log.exception("Error handling request %s", self.request.uri)
            self.conn.closes = True
            if self.conn.sent:
                # A second response must not follow the beginning of the first.
                self.conn.unsent = b""
            else:
                reply = replies.defect(self.request)
                self.response = replies.write(self.conn, self.request, self.config, reply)
        self.collected = True

    def begin(self) -> Iterator[bytes]:
        """Call the application; return the parts of its response's body."""
        conn = self.conn
        conn.sent = bool(conn.unsent)  # the rest of 100 Continue, which must not be dropped
        self.response, self.environ = wsgi.create(
            self.request, conn, conn.address, conn.server, self.config
        )
        self.environ["wsgi.multithread"] = True
        # An application calls this to close the connection after its response. It must not send a
        # Connection header (PEP 3333), and gunicorn would drop it.
        self.environ["server.close_connection"] = self.response.force_close
        if conn.closes:
            self.response.force_close()
        self.body = self.application(self.environ, self.response.start_response)
        return iter(self.body)

    def end(self, log: Any) -> None:
        """Log the request, then close the application's iterable.

        Call it after the response is sent, so that a slow reader of the log does not delay it.
        """
        try:
            if self.response and self.response.status:  # otherwise the client left before
                log.access(self.response, self.request, self.environ, datetime.now() - self.start)
                if self.conn.is_counted:
                    self.count()
        finally:
            getattr(self.body, "close", lambda: None)()  # PEP 3333: if it has one

    def count(self) -> None:
        self.take_time()  # if the client left before all was sent
        status = int(self.response.status[:3])
        route = self.environ.get(ROUTE)
        metrics.count_request(self.request.method, route, status, self.seconds)
