"""What no client sees: a defect, two threads after one connection, memory that stays."""

import gc
import io
import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from wsgiref.handlers import SimpleHandler

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from server.connection import Connection
from server.waiting import LINGER, WaitingConnections
from server.worker import Worker
from tasklists.models import TaskList
from tests.load import eventually
from tests.wire import HANG


class Raced(Connection):
    """A connection with which a thread does something while it is looked at."""

    meanwhile: Callable[[], None] | None = None

    def wait(self, event: int, end: float) -> bool:
        if self.meanwhile:
            self.meanwhile()
        return super().wait(event, end)


def pair() -> tuple[TConn, socket.socket]:
    """A connection as a worker has it, and its client's end."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(HANG)
    return TConn(Config(), Raced(ours), ("127.0.0.1", 1), ("127.0.0.1", 2)), theirs


def test_each_connection_is_given_to_one_thread_alone() -> None:
    """While the main thread looks for late ones, half of which are past their deadline."""
    connections = WaitingConnections()
    taken: list[TConn] = []
    pairs = [pair() for _ in range(200)]
    for number, (conn, _) in enumerate(pairs):
        connections.put(conn, time.monotonic() + HANG * (number % 2))

    def take() -> None:
        while True:
            taken.append(connections.take())

    for _ in range(8):
        threading.Thread(target=take, daemon=True).start()
    late: list[TConn] = []
    for _, theirs in pairs:
        theirs.sendall(b"request")
        late += connections.take_late(time.monotonic(), math.inf)
    eventually(lambda: len(taken) + len(late) == len(pairs), "each to be taken")
    assert {id(conn) for conn in [*taken, *late]} == {id(conn) for conn, _ in pairs}
    assert not {id(conn) for conn in late} & {id(conn) for conn, _ in pairs[1::2]}
    for conn, theirs in pairs:
        conn.close()
        theirs.close()


@pytest.mark.parametrize("then", ["handles it", "puts it back", "closes it"])
def test_a_connection_that_a_thread_takes_at_the_last_moment_is_not_late(then: str) -> None:
    connections = WaitingConnections()
    conn, theirs = pair()

    def meanwhile() -> None:
        conn.sock.meanwhile = None
        theirs.sendall(b"request")
        assert connections.take() is conn
        assert conn.sock.recv(100) == b"request"
        if then == "puts it back":
            connections.put(conn, time.monotonic() + HANG)
        elif then == "closes it":
            conn.close()

    with theirs, conn.sock:
        connections.put(conn, time.monotonic())
        conn.sock.meanwhile = meanwhile
        assert connections.take_late(math.inf, math.inf) == []
        assert conn.sock.meanwhile is None, "it was not looked at"
        if then == "puts it back":
            theirs.sendall(b"another")
            assert connections.take() is conn


def test_a_worker_that_stops_waits_for_another_request_as_briefly_whenever_it_answered() -> None:
    connections = WaitingConnections()
    conn, theirs = pair()
    with theirs, conn.sock:
        before = time.monotonic()
        connections.put(conn, before + HANG)
        after = time.monotonic()
        stopped = before - HANG
        assert connections.take_late(before + LINGER / 2, stopped) == []
        assert connections.take_late(after + LINGER, math.inf) == []
        assert connections.take_late(after + LINGER, stopped) == [conn]


def requests_alive() -> list[HttpRequest]:
    return [each for each in gc.get_objects() if isinstance(each, HttpRequest)]


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


class Defective(Worker):
    def process(self, conn: TConn) -> None:
        conn.sock.recv(100)
        raise SystemExit


def test_a_defect_ends_a_connection_and_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    worker = Defective(1, 1, [], None, 30, Config(), logging.getLogger("gunicorn.error"))
    worker.connections = WaitingConnections()
    worker.method_queue.init()
    threading.Thread(target=worker.serve, daemon=True).start()
    for _ in range(2):
        conn, theirs = pair()
        with theirs:
            worker.connections.put(conn, time.monotonic() + HANG)
            theirs.sendall(b"request")
            assert theirs.recv(1) == b""
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [SystemExit] * 2
