"""What no client sees: a defect, threads after one connection, deadlines, memory that stays."""

import errno
import gc
import io
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from wsgiref.handlers import SimpleHandler

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from gunicorn.config import Config

from server import metrics
from server.connection import LINGER, Connection, State
from server.heartbeat import GAP, Heartbeat
from server.loop import BATCH, READ, EventLoop
from server.queue import MAX_WAIT, OwnThreadsQueue, Queues, RequestQueue
from server.worker import Worker
from tasklists.models import TaskList
from tests.load import eventually
from tests.wire import HANG, post, receive, receive_all, request


class Log(logging.LoggerAdapter):  # type: ignore[type-arg]
    """gunicorn's logger, without an access log."""

    def access(self, *arguments: object) -> None:
        """Log no request."""


LOG = Log(logging.getLogger("gunicorn.error"))


class Loop(EventLoop):
    """An event loop without listeners, whose connections are pairs of sockets."""

    def __init__(self) -> None:
        requests = RequestQueue(1, lambda: None)
        queues = Queues(requests, OwnThreadsQueue(1), OwnThreadsQueue(1))
        super().__init__(Config(), LOG, [], queues)

    def connect(
        self, pair: Callable[[], tuple[socket.socket, socket.socket]] = socket.socketpair
    ) -> tuple[Connection, socket.socket]:
        """A connection as the loop has it, and its client's end."""
        ours, theirs = pair()
        theirs.settimeout(HANG)
        conn = Connection(ours, ("127.0.0.1", 1), ("127.0.0.1", 2), self.config)
        self.connections.add(conn)
        self.watch(conn, READ)
        return conn, theirs


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """A pair of which the kernel knows for how long nothing has arrived."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        return listener.accept()[0], theirs


def test_each_request_is_given_to_one_thread_alone() -> None:
    loop, lock = Loop(), threading.Lock()
    taken: list[Connection] = []
    clients = [loop.connect() for _ in range(200)]

    def take() -> None:
        while len(taken) < len(clients):
            with lock:
                loop.poll(0.01)
            while conn := loop.requests.get():
                taken.append(conn)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _, theirs in clients:
        theirs.sendall(request())
    for thread in threads:
        thread.join(HANG)
    assert sorted(map(id, taken)) == sorted(id(conn) for conn, _ in clients)
    for conn, theirs in clients:
        theirs.close()
        loop.close(conn)


def test_what_came_in_time_is_read_though_the_service_is_late() -> None:
    """It may have waited for the processor meanwhile."""
    loop = Loop()
    conn, theirs = loop.connect()
    with theirs:
        conn.deadline = time.monotonic()
        theirs.sendall(request())
        loop.poll(0)
        assert loop.requests.get() is conn
        loop.close(conn)


def test_a_connection_that_is_late_is_closed() -> None:
    loop = Loop()
    conn, theirs = loop.connect()
    with theirs:
        conn.deadline = time.monotonic()
        loop.poll(0)
        assert theirs.recv(1) == b""
        assert not loop.connections


def test_a_worker_that_stops_waits_for_another_request_as_briefly_whenever_it_answered() -> None:
    loop = Loop()
    conn, theirs = loop.connect()
    with theirs:
        conn.enter(State.IDLE, HANG)
        loop.draining, loop.drain_deadline = True, conn.since
        assert not loop.is_late(conn, conn.since + LINGER / 2)
        assert loop.is_late(conn, conn.since + LINGER)
        loop.draining = False
        assert not loop.is_late(conn, conn.since + LINGER)
        loop.close(conn)


def test_a_defect_of_the_loop_ends_one_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loop = Loop()
    conn, theirs = loop.connect()
    other, others = loop.connect()
    with theirs, others:
        monkeypatch.setattr(conn, "receive", lambda: 1 / 0)
        for client in (theirs, others):
            client.sendall(request())
        loop.poll(0)
        with pytest.raises(ConnectionResetError):
            theirs.recv(1)
        assert loop.requests.get() is other
        assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [
            ZeroDivisionError
        ]
        loop.close(other)


def test_a_response_is_sent_while_the_client_reads_it() -> None:
    loop = Loop()
    conn, theirs = loop.connect()
    data = bytes(10_000_000)
    received = 0
    with theirs:
        conn.enter(State.SENDING, HANG)
        conn.sendall(data)
        loop.send(conn)
        assert conn.unsent
        while received < len(data):
            received += len(theirs.recv(1_000_000))
            loop.poll(0)
        assert received == len(data)
        assert conn.state is State.IDLE
        loop.close(conn)


def test_the_rest_of_a_response_is_produced_when_the_client_has_read_the_beginning() -> None:
    loop = Loop()
    conn, theirs = loop.connect()
    with theirs:
        exchange: Any = SimpleNamespace(end=lambda _: None)
        conn.exchange = exchange
        conn.enter(State.SENDING, HANG)
        loop.send(conn)
        assert loop.requests.get() is conn
        loop.close(conn)


def test_a_request_for_which_no_thread_will_be_free_is_refused_at_once() -> None:
    loop = Loop()
    loop.requests.seconds = 10 * MAX_WAIT
    clients = [loop.connect(tcp_pair) for _ in range(3)]
    for _, theirs in clients:
        theirs.sendall(request("HEAD"))
    loop.poll(0)
    for _, theirs in clients[1:]:
        assert theirs.recv(1000).startswith(b"HTTP/1.1 503 ")
    conn, _ = clients[0]
    assert loop.requests.get() is conn
    for conn, theirs in clients:
        theirs.close()
        loop.close(conn)


@pytest.fixture
def overloaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Loop, Connection, Any]]:
    """A loop that has just shed a request, a connection of it, and its client's end."""
    loop = Loop()
    loop.overloaded_until = loop.next_check = time.monotonic() + HANG
    conn, theirs = loop.connect(tcp_pair)
    with theirs:
        yield loop, conn, theirs
        loop.close(conn)


def send_and_wait(conn: Connection, theirs: socket.socket, data: bytes, seconds: float) -> None:
    """Send a request that the worker has not read after so many seconds."""
    theirs.sendall(data)
    eventually(lambda: conn.unread_for() > seconds, "the request to get old")


def test_an_overloaded_worker_counts_the_time_before_a_request_is_read(
    overloaded: tuple[Loop, Connection, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.queue.MAX_WAIT", 0.05)
    loop, conn, theirs = overloaded
    send_and_wait(conn, theirs, request(), 0.05)
    loop.poll(1)
    assert loop.requests.get() is None
    answer = receive(theirs)
    assert answer is not None
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


def test_it_counts_from_the_last_byte(overloaded: tuple[Loop, Connection, Any]) -> None:
    loop, conn, theirs = overloaded
    head, rest = request()[:3], request()[3:]
    send_and_wait(conn, theirs, head, 0.1)
    loop.poll(1)
    before = time.monotonic()
    theirs.sendall(rest)
    loop.poll(1)
    assert loop.requests.get() is conn
    assert conn.since > before - 0.05


def test_a_worker_that_is_not_overloaded_answers_whatever_it_reads_late(
    overloaded: tuple[Loop, Connection, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been kept from running."""
    monkeypatch.setattr("server.queue.MAX_WAIT", 0.05)
    loop, conn, theirs = overloaded
    loop.overloaded_until = 0.0
    send_and_wait(conn, theirs, request(), 0.05)
    loop.poll(1)
    assert loop.requests.get() is conn


def test_an_overloaded_worker_answers_late_health_checks(
    overloaded: tuple[Loop, Connection, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.queue.MAX_WAIT", 0.05)
    loop, conn, theirs = overloaded
    send_and_wait(conn, theirs, request("GET", "/health/ready"), 0.05)
    loop.poll(1)
    assert loop.queues.probes.get() is conn


def test_threads_get_requests_while_there_are_more_to_be_read() -> None:
    loop = Loop()
    clients = [loop.connect() for _ in range(3 * BATCH)]
    for _, theirs in clients:
        theirs.sendall(request())
    for number in range(1, 4):
        loop.poll(1)
        assert len(loop.requests.waiting) == number * BATCH
    for conn, theirs in clients:
        theirs.close()
        loop.close(conn)


def test_the_largest_incomplete_requests_are_given_up_if_they_take_too_much_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.loop.MAX_HELD", 1000)
    loop = Loop()
    idle, others = loop.connect()
    _, theirs = loop.connect()
    with theirs, others:
        theirs.sendall(post(b"x" * 600, "Content-Length: 2000"))
        loop.poll(0)
        assert loop.held > 600
        second, seconds = loop.connect()
        with seconds:
            seconds.sendall(post(b"x" * 600, "Content-Length: 2000"))
            loop.poll(0)
            assert theirs.recv(1000).startswith(b"HTTP/1.1 503 ")
            assert loop.connections == {idle, second}
            loop.close(second)
        assert loop.held == 0
        loop.held = 1001
        loop.make_room(10)
        assert loop.connections == {idle}, "it keeps nothing in memory"
        loop.close(idle)


def test_a_request_that_is_shed_while_it_arrives_has_not_waited_for_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.metrics.ENABLED", True)
    loop = Loop()
    conn, theirs = loop.connect()
    with theirs:
        theirs.sendall(b"GET /lists HTTP/1.1\r\n")
        loop.poll(0)
        assert conn.state is State.READING
        shed, waited = counted(metrics.SHED), counted(metrics.THREAD_WAIT)
        loop.evict(conn)
        assert theirs.recv(1000).startswith(b"HTTP/1.1 503 ")
    assert (counted(metrics.SHED), counted(metrics.THREAD_WAIT)) == (shed + 1, waited)


def counted(metric: Any) -> float:
    """How many events a counter or a histogram has counted."""
    [count] = [
        sample.value
        for family in metric.collect()
        for sample in family.samples
        if sample.name.endswith(("_total", "_count"))
    ]
    return float(count)


def test_a_connection_that_was_closed_to_make_room_is_not_handled_any_more() -> None:
    loop = Loop()
    conn, theirs = loop.connect()
    with theirs:
        theirs.sendall(request())
        events = loop.select(0)
        loop.close(conn)
        loop.handle(events)
        assert loop.requests.get() is None


def test_a_client_that_lingers_in_silence_is_waited_for() -> None:
    loop = Loop()
    conn, theirs = loop.connect()
    with theirs:
        conn.enter(State.LINGERING, HANG)
        loop.discard(conn)
        assert loop.connections == {conn}
        loop.close(conn)


def test_an_idle_connection_is_closed_when_there_are_too_many_open_files(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Listener:
        def accept(self) -> Any:
            raise OSError(errno.EMFILE, "Too many open files")

    loop = Loop()
    _, theirs = loop.connect()
    with theirs:
        assert loop.accept(Listener()) is False
        assert theirs.recv(1) == b""
    assert [record.message for record in caplog.records] == ["A connection could not be accepted."]


def worker_with_threads(kind: type[Worker] = Worker) -> Any:
    worker = kind(1, os.getppid(), [], None, 30, Config(), LOG)
    worker.PIPE = os.pipe()
    worker.start()
    return worker


class Defective(Worker):
    def respond(self, conn: Connection) -> None:
        raise SystemExit


def test_a_defect_ends_a_connection_and_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    worker = worker_with_threads(Defective)
    for _ in range(2):
        _, theirs = Loop.connect(worker.loop)
        with theirs:
            theirs.sendall(request())
            assert theirs.recv(1) == b""
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [SystemExit] * 2
    for end in worker.PIPE:
        os.close(end)


class Unlucky(Worker):
    """Whose first poll fails."""

    failed = False

    def take(self) -> Connection:
        if not self.failed:
            self.failed = True
            raise OSError("the poll failed")
        return super().take()


def test_a_thread_goes_on_after_an_error_while_polling(caplog: pytest.LogCaptureFixture) -> None:
    worker = worker_with_threads(Unlucky)
    worker.wsgi = Application()
    conn, theirs = Loop.connect(worker.loop)
    with theirs:
        theirs.sendall(request(host="Host: localhost"))
        assert theirs.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert [record.message for record in caplog.records] == ["Unexpected error in a thread."]
    eventually(lambda: conn.request is None, "the connection to be kept")


class Application:
    """Answers 200, and if it is told to wait, waits before that."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert self.go_on.wait(HANG)
        start_response("200 OK", [("Content-Length", "0")])
        return []


def test_the_main_thread_polls_if_no_other_thread_is_free() -> None:
    worker = worker_with_threads()
    worker.wsgi = Application()
    worker.wsgi.go_on.clear()
    blocked = [Loop.connect(worker.loop) for _ in range(worker.cfg.threads)]
    for _, theirs in blocked:
        theirs.sendall(request())
    eventually(worker.requests.is_saturated, "all threads to be busy")
    _, probe = Loop.connect(worker.loop)
    with probe:
        probe.sendall(request("GET", "/health/live"))
        worker.supervise(1)  # which ends at once, since a byte has woken it
        eventually(lambda: worker.supervise(0.1) or not worker.loop.watched, "a poll")
        assert probe.recv(1000).startswith(b"HTTP/1.1 200 OK")
        with worker.poll_lock:
            worker.loop.polled = 0.0
            worker.stand_in(time.monotonic() + HANG)  # another thread polls, and it does not wait
    worker.wsgi.go_on.set()
    for _, theirs in blocked:
        with theirs:
            assert theirs.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_a_long_response_is_produced_as_the_client_reads_it() -> None:
    worker = worker_with_threads()
    produced: list[int] = []

    def stream(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "20000000")])
        for number in range(200):
            produced.append(number)
            yield bytes(100_000)

    worker.wsgi = stream
    conn, theirs = Loop.connect(worker.loop)
    with theirs:
        theirs.sendall(request("GET", "/", "Connection: close"))
        eventually(lambda: conn.state is State.SENDING, "the buffers to be full")
        assert len(produced) < 100
        head, _, body = receive_all(theirs).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == bytes(20_000_000)


def test_a_client_that_leaves_before_it_is_told_to_continue_ends_no_thread() -> None:
    worker = worker_with_threads()
    worker.wsgi = Application()
    for _ in range(worker.cfg.threads):
        conn, theirs = Loop.connect(worker.loop)
        conn.socket.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                conn.socket.send(bytes(65536))  # so that 100 Continue finds the buffer full
        theirs.sendall(post(b"", "Content-Length: 1", "Expect: 100-continue"))
        eventually(lambda: conn.unsent, "100 Continue")  # noqa: B023
        theirs.sendall(b"x")
        theirs.close()
    eventually(lambda: not worker.loop.connections, "the connections to be closed")
    _, theirs = Loop.connect(worker.loop)
    with theirs:
        theirs.sendall(request())
        assert theirs.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_leaves_while_it_waits_to_continue_is_no_defect(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = Loop()
    _, theirs = loop.connect()
    theirs.sendall(post(b"", "Content-Length: 1", "Expect: 100-continue"))
    theirs.close()
    loop.poll(0)
    assert not loop.connections
    assert not caplog.records


def test_a_thread_for_probes_goes_on_after_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("server.worker.PROBE_THREADS", 1)
    worker = worker_with_threads()
    worker.wsgi = Application()
    get = worker.probes.get
    results = iter([ZeroDivisionError, None])

    def unlucky() -> Connection | None:
        if error := next(results, None):
            raise error
        found: Connection | None = get()
        return found

    monkeypatch.setattr(worker.probes, "get", unlucky)
    worker.probes.arrived.release()
    eventually(lambda: caplog.records, "the error")
    _, probe = Loop.connect(worker.loop)
    with probe:
        probe.sendall(request("GET", "/health/ready"))
        assert probe.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_a_probe_that_has_waited_for_too_long_is_left_to_the_loop() -> None:
    worker = worker_with_threads()
    worker.wsgi = Application()
    worker.probes.arrived.release()  # for one that take_late() has removed
    _, probe = Loop.connect(worker.loop)
    with probe:
        probe.sendall(request("GET", "/health/ready"))
        assert probe.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_the_heartbeat_excuses_a_suspension_of_all_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heartbeat = Heartbeat(Config())
    heartbeat.notify()
    last = heartbeat.last_update()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1)
    assert heartbeat.last_update() == last, "the arbiter has looked, and the worker hangs"
    monkeypatch.setattr(time, "monotonic", lambda: now + 2 + GAP)
    assert heartbeat.last_update() == now + 2 + GAP
    heartbeat.close()


def requests_alive() -> list[HttpRequest]:
    # By type(), because isinstance() would follow weak proxies, also to what no longer exists.
    return [each for each in gc.get_objects() if issubclass(type(each), HttpRequest)]


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# In a transaction Django would close the connection with the request.
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/lists", b"", b"200"),
        ("POST", "/lists", b'{"name": "x"}', b"201"),
        ("GET", "/lists/{id}", b"", b"200"),
        ("GET", "/lists/0", b"", b"404"),
    ],
)
def test_the_memory_of_a_request_is_free_with_its_answer(
    task_list: TaskList, method: str, path: str, body: bytes, status: bytes
) -> None:
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path.format(id=task_list.pk)}
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1"}
    environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    answer = io.BytesIO()
    before = requests_alive()
    SimpleHandler(io.BytesIO(body), answer, io.StringIO(), environ).run(get_wsgi_application())
    assert answer.getvalue().split()[1] == status
    assert requests_alive() == before
