"""What no client sees: a defect, threads after one connection, deadlines, memory that stays."""

import gc
import io
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from wsgiref.handlers import SimpleHandler

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from gunicorn.config import Config

from server.connection import LINGER, Connection, State
from server.heartbeat import GAP, Heartbeat
from server.loop import READ, EventLoop
from server.queue import RequestQueue
from server.worker import Worker
from tasklists.models import TaskList
from tests.wire import HANG, request

LOG = logging.getLogger("gunicorn.error")


class Loop(EventLoop):
    """An event loop without listeners, whose connections are pairs of sockets."""

    def __init__(self) -> None:
        queue = RequestQueue(1, lambda: None)
        super().__init__(Config(), LOG, [], queue, RequestQueue(1, lambda: None))

    def connect(self) -> tuple[Connection, socket.socket]:
        """A connection as the loop has it, and its client's end."""
        ours, theirs = socket.socketpair()
        theirs.settimeout(HANG)
        conn = Connection(ours, ("127.0.0.1", 1), ("127.0.0.1", 2), self.config)
        self.open.add(conn)
        self.wait(conn, READ)
        return conn, theirs


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
        assert not loop.open


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


class Defective(Worker):
    def respond(self, conn: Connection) -> None:
        raise SystemExit


def test_a_defect_ends_a_connection_and_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    worker = Defective(1, os.getppid(), [], None, 30, Config(), LOG)
    worker.PIPE = os.pipe()
    worker.start()
    loop: Any = worker.loop
    for _ in range(2):
        _, theirs = Loop.connect(loop)
        with theirs:
            theirs.sendall(request())
            assert theirs.recv(1) == b""
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [SystemExit] * 2
    for end in worker.PIPE:
        os.close(end)


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
