"""What no client sees: a defect, two threads after one connection, memory that stays."""

import gc
import io
import logging
import math
import socket
import threading
import time
from collections.abc import Iterator
from wsgiref.handlers import SimpleHandler

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from server.connection import Connection
from server.worker import LINGER, WaitingConnections, Worker
from tasklists.models import TaskList
from tests.wire import HANG


def pair() -> tuple[TConn, socket.socket]:
    """A connection as a worker has it, and its client's end."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(HANG)
    return TConn(Config(), Connection(ours), ("127.0.0.1", 1), ("127.0.0.1", 2)), theirs


def test_a_connection_is_given_to_one_thread_alone() -> None:
    connections = WaitingConnections()
    conn, theirs = pair()
    with theirs, conn.sock:
        connections.put(conn, time.monotonic() + HANG)
        theirs.sendall(b"request")
        [(found, _)] = connections.selector.select()
        assert connections.take() is conn
        assert connections.remove(found) == []
        # Nor is the next one taken for it, which may have the same file descriptor.
        connections.put(conn, time.monotonic() + HANG)
        assert connections.remove(found) == []
        assert connections.take() is conn


def test_a_connection_that_a_thread_has_closed_is_not_late() -> None:
    connections = WaitingConnections()
    conn, theirs = pair()
    with theirs:
        connections.put(conn, time.monotonic())
        theirs.close()
        [(found, _)] = connections.selector.select()
        assert connections.take() is conn
        conn.close()
        assert not connections.is_late(found, math.inf, math.inf)


def test_a_worker_that_stops_waits_for_another_request_as_briefly_whenever_it_answered() -> None:
    connections = WaitingConnections()
    conn, theirs = pair()
    with theirs, conn.sock:
        connections.put(conn, time.monotonic() + HANG)
        [key] = connections.selector.get_map().values()
        stopped = conn.sock.waiting_since - HANG
        assert not connections.is_late(key, conn.sock.waiting_since + LINGER / 2, stopped)
        assert connections.is_late(key, conn.sock.waiting_since + LINGER, stopped)


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
