"""A gunicorn worker whose threads see complete requests only."""

import contextlib
import os
import select
import signal
import threading
import time
from functools import partial
from typing import Any

from django.conf import settings
from gunicorn.config import Config
from gunicorn.workers.base import Worker as BaseWorker

from server import metrics
from server.connection import Connection, State
from server.exchange import Exchange
from server.heartbeat import Heartbeat
from server.loop import WRITE, EventLoop
from server.queue import OwnThreadsQueue, Queues, RequestQueue

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
LAG = 0.02  # seconds without a poll after which the main thread polls, if no other thread is free
PROBE_THREADS = 4  # for /health/ready; probes that come together share one look at the database
SCRAPE_THREADS = 2  # for METRICS_PORT; highly available setups have two Prometheus servers


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


class Worker(BaseWorker):  # type: ignore[misc]
    """Threads that take turns at polling, and that call the application.

    A thread that has nothing to do waits for the lock ``poll_lock``. Whoever has it polls; when
    a request is complete, the thread gives up the lock and handles the request itself, so that
    no request changes threads. If all threads have been busy for LAG seconds, the main thread
    polls in their place.
    """

    cfg: Any
    tmp: Any
    alive: bool  # false once the worker stops

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.tmp.close()
        self.tmp = Heartbeat(self.cfg)
        self.cfg = PlainConfig(self.cfg)
        self.poll_lock = threading.Lock()
        # The main thread holds this lock while it handles events, so that no other thread takes a
        # request. That thread would get the GIL at the main thread's next system call, and keep it
        # for 5 ms.
        self.take_lock = threading.Lock()

    def init_signals(self) -> None:
        super().init_signals()
        # gunicorn.conf.py blocks them while a worker is forked.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop gracefully on SIGINT and SIGQUIT too: Ctrl+C must not interrupt a request."""
        self.handle_exit(sig, frame)

    # The main thread

    def run(self) -> None:
        self.start()
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self.measure()
            self.supervise(1)
        self.loop.stop()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while not self.loop.is_drained() and time.monotonic() < deadline:
            self.notify()
            self.measure()
            self.supervise(0.1)

    def start(self) -> None:
        """Start the threads. They are daemons, so the process ends without waiting for them."""
        for end in self.PIPE:  # a byte in it wakes the main thread; each signal writes one
            os.set_blocking(end, False)
        self.requests = RequestQueue(self.cfg.threads, self.wake_main_thread)
        self.probes = OwnThreadsQueue(PROBE_THREADS)
        scrapes = OwnThreadsQueue(SCRAPE_THREADS)
        queues = Queues(self.requests, self.probes, scrapes)
        self.loop = EventLoop(self.cfg, self.log, self.sockets, queues)
        threads = [self.serve] * self.cfg.threads
        threads += [partial(self.serve_queue, self.probes)] * PROBE_THREADS
        if metrics.ENABLED:
            metrics.resume()
            self.metrics_page = metrics.Application()
            threads += [partial(self.serve_queue, scrapes)] * SCRAPE_THREADS
        for target in threads:
            threading.Thread(target=target, daemon=True).start()

    def measure(self) -> None:
        """Set the gauges of this worker."""
        if metrics.ENABLED:
            busy = self.requests.busy
            metrics.ACTIVE_REQUESTS.set(busy + len(self.requests.waiting))
            metrics.THREADS_BUSY.set(busy)
            metrics.THREADS.set(self.requests.threads)
            metrics.WORKERS.set(1)

    def wake_main_thread(self) -> None:
        with contextlib.suppress(BlockingIOError):  # the pipe is full, so it wakes anyway
            os.write(self.PIPE[1], b".")

    def supervise(self, seconds: float) -> None:
        """Sleep for ``seconds`` at most. If all threads stay busy, poll in their place."""
        self.requests.announced = False
        if not self.requests.is_saturated():
            if not select.select([self.PIPE[0]], [], [], seconds)[0]:
                return
            os.read(self.PIPE[0], 4096)
        time.sleep(LAG)  # by then a thread is usually free, and polls
        self.stand_in(time.monotonic() + seconds)

    def stand_in(self, end: float) -> None:
        """Poll until ``end`` or until a thread is free, if none has polled for LAG seconds."""
        queue, loop = self.requests, self.loop
        if not queue.is_saturated() or time.monotonic() < loop.polled + LAG:
            return
        if not self.poll_lock.acquire(timeout=LAG):  # a thread is free after all
            return
        try:
            while queue.is_saturated() and time.monotonic() < end:
                events = loop.select(LAG)
                with self.take_lock:
                    loop.handle(events)
        finally:
            self.poll_lock.release()

    # The other threads

    def serve(self) -> None:
        """Poll and handle requests for ever, in turn with the other threads."""
        while True:
            try:
                self.handle(self.take(), self.requests)
            except Exception:
                self.log.exception("Unexpected error in a thread.")

    def take(self) -> Connection:
        """Return the next connection whose request is complete; blocks without a limit."""
        with self.take_lock:
            conn = self.requests.get()
        if conn is None:
            with self.poll_lock:
                while (conn := self.requests.get()) is None:
                    self.loop.poll(1)
        return conn

    def serve_queue(self, queue: OwnThreadsQueue) -> None:
        """Handle the requests of one queue for ever, however busy the other threads are."""
        while True:
            try:
                if conn := queue.wait():
                    self.handle(conn, queue)
            except Exception:
                self.log.exception("Unexpected error in a thread.")

    def handle(self, conn: Connection, queue: RequestQueue) -> None:
        start = time.monotonic()
        try:
            self.respond(conn)
        except OSError:  # the client is gone
            self.loop.close(conn)
        except BaseException:
            self.log.exception("Closing a connection after an unexpected error.")
            self.loop.close(conn)
        finally:
            queue.done(time.monotonic() - start)

    def respond(self, conn: Connection) -> None:
        """Begin a response, or go on with it, as far as the client reads."""
        exchange = conn.exchange
        if exchange is None:
            conn.state = State.HANDLED
            self.count_request()
            application = self.wsgi
            if conn.asks_for_metrics:
                application = self.metrics_page
            elif conn.is_counted:
                metrics.THREAD_WAIT.observe(time.monotonic() - conn.since)
            exchange = conn.exchange = Exchange(conn, conn.request, application, self.cfg)
        if exchange.advance(self.log):
            conn.exchange = None
            exchange.end(self.log)
            self.loop.finish(conn)
            return
        if not exchange.delayed:
            exchange.delayed = True
            conn.enter(State.SENDING, settings.CLIENT_TIMEOUT)
        conn.state = State.SENDING
        self.loop.watch(conn, WRITE)

    def count_request(self) -> None:
        """Stop the worker after max_requests requests, if that is configured."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
            self.wake_main_thread()
