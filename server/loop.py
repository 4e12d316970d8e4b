"""The event loop: everything that waits for clients."""

import os
import selectors
import threading
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from gunicorn.http.errors import ParseException

from server import metrics, replies
from server.connection import LINGER, Connection, State
from server.queue import Queues
from server.request import BodyCutShort, Request, RequestTimeout

Events = list[tuple[selectors.SelectorKey, int]]

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
SILENCE = 1  # seconds in which a client that has connected is expected to send something
BATCH = 32  # connections that are handled, accepted or shed before the others have their turn
ACCEPT_INTERVAL = 0.02  # seconds for which another worker may accept a connection first
DRAIN_INTERVAL = 0.1  # seconds that a poll may take while the worker stops
CHECK_INTERVAL = 1  # seconds between two looks for connections past their deadline
OVERLOAD = 1  # seconds for which a worker counts as overloaded after it has shed a request
MAX_HELD = 16 * 1024 * 1024  # bytes of requests and responses that a worker keeps in memory

LIVE = ("/health/live", "/health/live/")
READY = ("/health/ready", "/health/ready/")


class EventLoop:
    """Accepts connections, reads requests, sends what clients read late, enforces deadlines.

    Whole requests go to one of the ``queues``; the loop answers /health/live itself. One thread at
    a time calls poll(), which owns the connections that the selector has registered. The other
    methods may be called by the thread that owns the connection. ``lock`` protects what all
    threads share: the selector and the counters.
    """

    def __init__(self, config: Any, log: Any, listeners: list[Any], queues: Queues) -> None:
        self.config = config
        self.log = log
        self.listeners = listeners
        for listener in listeners:
            listener.setblocking(False)
        self.queues = queues
        self.requests = queues.requests
        # Kubernetes asks without the prefix.
        prefixes = {"", settings.URL_PREFIX}
        self.live = {prefix + path for prefix in prefixes for path in LIVE}
        self.ready = {prefix + path for prefix in prefixes for path in READY}
        self.selector = selectors.DefaultSelector()
        self.awake, self.wake = os.pipe()  # a byte in it ends a poll
        self.selector.register(self.awake, READ)
        self.lock = threading.Lock()
        self.connections: set[Connection] = set()
        self.watched: dict[Connection, None] = {}  # those that wait for their client, oldest first
        self.held = 0  # bytes that all connections keep in memory
        self.accepting = False
        self.stopping = False  # whether the worker is to end
        self.draining = False  # whether the listeners are closed, because it stops
        self.drain_deadline = 0.0  # until when idle connections stay open at least
        self.overloaded_until = 0.0
        self.next_check = 0.0
        self.next_accept = 0.0
        self.woke = 0.0  # when select() last returned
        self.polled = 0.0  # when the last poll ended

    # Polling

    def poll(self, timeout: float) -> None:
        """Wait for events for ``timeout`` seconds at most, and handle them."""
        # Threads do not take late requests. If some wait although the thread that polls is free,
        # they are late, and handle() sheds them at once.
        self.handle(self.select(0 if self.requests.waiting else timeout))

    def select(self, timeout: float) -> Events:
        """Wait for events, which have to be handled before the next call."""
        # A worker that is full, or has no free thread, leaves new connections to the others: it
        # accepts only those that no other worker has accepted for ACCEPT_INTERVAL seconds.
        reluctant = self.is_full() or self.requests.is_saturated()
        self.set_accepting(not reluctant)
        if reluctant:
            timeout = min(timeout, ACCEPT_INTERVAL)
        elif self.draining:
            timeout = min(timeout, DRAIN_INTERVAL)
        # One batch at a time, so that threads can take requests in between. The selector returns
        # the rest again, behind what becomes ready meanwhile.
        events = self.selector.select(timeout)[:BATCH]
        self.woke = time.monotonic()
        return events

    def handle(self, events: Events) -> None:
        for key, _ in events:
            if key.data is not None:
                self.proceed(key.data)
            elif key.fileobj == self.awake:
                os.read(self.awake, 1)
            else:
                self.accept(key.fileobj)
        if not self.accepting or len(events) == BATCH:
            self.accept_some()  # a probe need not wait for a thousand requests to be read
        for queue in self.queues:
            for conn in queue.take_late(BATCH):
                self.shed(conn)
        if self.stopping and not self.draining:
            self.drain()
        self.make_room(self.config.worker_connections)
        self.polled = time.monotonic()
        if self.polled >= self.next_check or self.draining:
            self.next_check = self.polled + CHECK_INTERVAL
            self.close_late()

    def stop(self) -> None:
        """Let the thread that polls accept the backlog and close idle connections."""
        self.stopping = True
        os.write(self.wake, b".")

    def proceed(self, conn: Connection) -> None:
        """Do what a connection has waited for."""
        try:
            if not conn.event:  # closed meanwhile, to make room
                return
            if conn.state is State.LINGERING:
                self.discard(conn)
            elif conn.state is State.SENDING:
                self.send(conn)
            elif conn.event == WRITE:  # a pipelined request has arrived already
                self.read(conn)
            else:
                self.receive(conn)
        except Exception:
            self.log.exception("Closing a connection after an unexpected error.")
            self.close(conn)

    # Accepting

    def accept(self, listener: Any) -> bool:
        """Accept one connection; return False if there is none."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was faster
            return False
        except OSError:  # too many open files, perhaps
            self.log.exception("A connection could not be accepted.")
            self.make_room(len(self.connections) - 1)
            return False
        conn = Connection(client, address, listener.getsockname(), self.config)
        with self.lock:
            self.connections.add(conn)
        self.watch(conn, READ)
        self.proceed(conn)  # most clients send a request as soon as they are connected
        return True

    def accept_some(self) -> None:
        """Accept connections that have waited, but not so many that the others have to wait."""
        now = time.monotonic()
        if now < self.next_accept:
            return
        for listener in self.listeners:
            for _ in range(BATCH):
                if not self.accept(listener):
                    self.next_accept = now + ACCEPT_INTERVAL
                    break

    def is_full(self) -> bool:
        limit: int = self.config.worker_connections
        return len(self.connections) >= limit

    def set_accepting(self, accepting: bool) -> None:
        """Poll the listeners too, or do not."""
        if accepting == self.accepting:
            return
        if not accepting:
            self.next_accept = time.monotonic() + ACCEPT_INTERVAL
        self.accepting = accepting
        with self.lock:
            for listener in self.listeners:
                if accepting:
                    self.selector.register(listener, READ)
                else:
                    self.selector.unregister(listener)

    def drain(self) -> None:
        """Accept what is in the backlog of the listeners, and then nothing more.

        The kernel refuses further connections. Idle ones are closed within LINGER seconds.
        """
        self.set_accepting(False)
        for listener in self.listeners:
            while self.accept(listener):
                pass
            listener.close()
        self.listeners = []
        self.drain_deadline = time.monotonic() + LINGER
        self.draining = True

    def is_drained(self) -> bool:
        """Whether the listeners are closed, and all connections too."""
        return self.draining and not self.connections

    # Reading

    def receive(self, conn: Connection) -> None:
        data = conn.receive()
        if data is None:
            return
        if not data:
            if conn.reader.request:  # whose body has not arrived completely
                self.refuse(conn, BodyCutShort())
            else:
                self.close(conn)
            return
        conn.silent = False
        if conn.state is State.IDLE:
            conn.enter(State.READING, settings.CLIENT_TIMEOUT)
        conn.reader.feed(data)
        self.read(conn)

    def read(self, conn: Connection) -> None:
        """Look whether a whole request has arrived, and pass it on."""
        reader = conn.reader
        try:
            request = reader.take()
        except ParseException as error:
            self.refuse(conn, error)
            return
        if request is not None:
            self.dispatch(conn, request)
            return
        if reader.take_continue():
            conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            try:
                conn.flush()
            except OSError:  # the client is gone
                self.close(conn)
                return
        if conn.event == READ:
            with self.lock:
                self.count(conn)
        else:
            self.watch(conn, READ)

    def dispatch(self, conn: Connection, request: Request) -> None:
        conn.request = request
        conn.closes = not self.may_keep(request)
        asks_alive = request.path in self.live and request.method in ("GET", "HEAD")
        if asks_alive and not conn.asks_for_metrics and not from_a_page(request):
            self.reply(conn, replies.ALIVE, LIVE[0])
            return
        conn.state, conn.since = State.QUEUED, self.woke  # it may have arrived as early as that
        self.unwatch(conn)
        if conn.asks_for_metrics:
            taken_in = self.queues.scrapes.put(conn)
        elif request.path in self.ready:
            taken_in = self.queues.probes.put(conn)
        else:
            if self.is_overloaded():
                conn.since = min(self.woke, time.monotonic() - conn.unread_for())
            taken_in = self.requests.put(conn)
        if not taken_in:
            self.shed(conn)

    def may_keep(self, request: Request) -> bool:
        """Whether the connection may stay open after the response."""
        # The last connections are not kept, so that each thread can serve a new client.
        room = self.config.worker_connections - self.requests.threads
        return (
            request.keep_alive
            and self.config.keepalive > 0
            and not self.stopping
            and len(self.connections) <= room
        )

    # Answering

    def is_overloaded(self) -> bool:
        """Whether a request was shed within the last second.

        If not, requests may be unread for long only because the process was kept from running.
        It has time for them then, so they are not shed for that.
        """
        return self.woke < self.overloaded_until

    def shed(self, conn: Connection) -> None:
        """Answer a request for which there is no thread in time."""
        self.overloaded_until = time.monotonic() + OVERLOAD
        if conn.is_counted:
            metrics.SHED.inc()
            if conn.state is State.QUEUED:
                metrics.THREAD_WAIT.observe(time.monotonic() - conn.since)
        self.reply(conn, replies.overloaded(conn.request))

    def refuse(self, conn: Connection, error: ParseException) -> None:
        """Answer a request that is malformed, and close the connection."""
        self.log.warning(
            "Invalid request from ip=%s: %s", conn.address[0], str(error)[: replies.MAX_DETAIL]
        )
        # InvalidHeader has the request as far as gunicorn has read it.
        read = conn.reader.request or getattr(error, "req", None)
        conn.request = read if isinstance(read, Request) else None
        conn.closes = True
        self.reply(conn, replies.refusal(error, conn.request))

    def reply(self, conn: Connection, reply: replies.Reply, route: str | None = None) -> None:
        """Send a response that the server makes itself, log it and count it."""
        request, start = conn.request, conn.since
        # A request that was not in the queue was complete, or refused, when this poll began.
        complete = start if conn.state is State.QUEUED else self.woke
        response = replies.write(conn, request, self.config, reply)
        conn.enter(State.SENDING, settings.CLIENT_TIMEOUT)
        self.send(conn)
        now = time.monotonic()
        if request is not None:
            environ = {"REMOTE_ADDR": conn.address[0]}
            self.log.access(response, request, environ, timedelta(seconds=now - start))
        if conn.is_counted:
            method = request.method if request else metrics.OTHER
            metrics.count_request(method, route, reply.status, now - complete)

    def send(self, conn: Connection) -> None:
        """Send what was collected, and go on with what follows."""
        try:
            sent = conn.flush()
        except OSError:  # the client is gone
            self.close(conn)
            return
        if not sent:
            self.watch(conn, WRITE)
        elif conn.exchange:
            self.unwatch(conn)
            conn.state = State.HANDLED
            self.requests.put_back(conn)
        else:
            self.finish(conn)

    def finish(self, conn: Connection) -> None:
        """Close the connection after a response, or wait for the next request."""
        conn.request = None
        conn.reader.release()
        if conn.closes:
            # To close a connection on which the client is still sending would destroy a
            # response that is on its way (RFC 9112, section 9.6).
            if conn.shut_down():
                conn.enter(State.LINGERING, settings.CLIENT_TIMEOUT)
                self.watch(conn, READ)
            else:
                self.close(conn)
        elif conn.reader.buffer:
            # A socket that can be written to is ready at once, so the pipelined request queues
            # behind what is ready now.
            conn.enter(State.READING, settings.CLIENT_TIMEOUT)
            self.watch(conn, WRITE)
        else:
            conn.enter(State.IDLE, self.config.keepalive)
            self.watch(conn, READ)

    def discard(self, conn: Connection) -> None:
        """Read what a client sends after its last response, and close when it has closed."""
        data = conn.receive()
        if data == b"":
            self.close(conn)
        elif data:
            conn.since = time.monotonic()

    # Waiting

    def watch(self, conn: Connection, event: int) -> None:
        """Register the connection for an event; it then belongs to the thread that polls."""
        with self.lock:
            before, conn.event = conn.event, event
            if not before:
                self.selector.register(conn.descriptor, event, conn)
            elif before != event:
                self.selector.modify(conn.descriptor, event, conn)
            self.watched.pop(conn, None)
            self.watched[conn] = None
            self.count(conn)

    def unwatch(self, conn: Connection) -> None:
        """Unregister the connection; it then belongs to the calling thread."""
        with self.lock:
            self.selector.unregister(conn.descriptor)
            conn.event = 0
            del self.watched[conn]
            self.count(conn)

    def count(self, conn: Connection) -> None:
        """Count the bytes that a connection keeps in memory; called with the lock."""
        self.held += conn.held - conn.counted
        conn.counted = conn.held

    def close(self, conn: Connection) -> None:
        with self.lock:
            if conn.event:
                self.selector.unregister(conn.descriptor)
                conn.event = 0
            self.connections.discard(conn)
            self.watched.pop(conn, None)
            self.held -= conn.counted
            conn.counted = 0
        conn.close()
        if exchange := conn.exchange:
            conn.exchange = None
            exchange.end(self.log)

    def close_late(self) -> None:
        """Close the connections past their deadline."""
        now = time.monotonic()
        with self.lock:
            late = [conn for conn in self.watched if self.is_late(conn, now)]
        for conn in late:
            if conn.state is State.READING:
                self.refuse(conn, RequestTimeout())
            else:
                self.close(conn)

    def is_late(self, conn: Connection, now: float) -> bool:
        end = conn.deadline
        if conn.state is State.LINGERING:
            end = min(end, conn.since + LINGER)
        elif conn.state is State.IDLE and self.draining:
            end = min(end, max(self.drain_deadline, conn.since + LINGER))
        return now >= end

    def make_room(self, limit: int) -> None:
        """Close connections if there are more than ``limit``, or if they hold too much memory."""
        while (many := len(self.connections) > limit and not self.draining) or self.held > MAX_HELD:
            with self.lock:
                waiting = list(self.watched)
            if not many:
                waiting = [conn for conn in waiting if conn.counted]
            if not waiting:
                return
            self.evict(self.dispensable(waiting))

    @staticmethod
    def dispensable(waiting: list[Connection]) -> Connection:
        """The connection whose client would be missed least, of those given, the oldest first.

        It is one on which nothing has ever arrived, or otherwise the one that has waited longest.
        A new client gets some time to send its first bytes.
        """
        latest = time.monotonic() - SILENCE
        candidates = [
            *(conn for conn in waiting if conn.silent and conn.since <= latest),
            *waiting,
        ]
        some = candidates[:BATCH]  # an overloaded worker may have a thousand, all with unread input
        return next((conn for conn in some if not conn.has_input()), candidates[0])

    def evict(self, conn: Connection) -> None:
        """Close a connection at once; say why if its client has begun a request."""
        if conn.state is State.READING:
            conn.request = conn.reader.request
            conn.closes = True
            self.shed(conn)
        self.close(conn)


def from_a_page(request: Request) -> bool:
    """Whether a web page sends the request, to which only the application adds CORS headers."""
    return any(name == "ORIGIN" for name, _ in request.headers)
