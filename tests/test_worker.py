"""What no client can bring about on purpose: a defect, and two threads after one connection."""

import logging
import math
import socket
import threading
import time

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from project.connection import Connection
from project.worker import LINGER, Clients, Worker
from tests.wire import HANG


def pair() -> tuple[TConn, socket.socket]:
    """A connection as a worker has it, and its client's end."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(HANG)
    return TConn(Config(), Connection(ours), ("127.0.0.1", 1), ("127.0.0.1", 2)), theirs


def test_a_connection_is_given_to_one_thread_alone() -> None:
    clients = Clients()
    conn, theirs = pair()
    with theirs, conn.sock:
        clients.put(conn, time.monotonic() + HANG)
        theirs.sendall(b"request")
        [(found, _)] = clients.selector.select()
        assert clients.take() is conn
        assert clients.remove(found) == []
        # Nor is the next one taken for it, which may have the same file descriptor.
        clients.put(conn, time.monotonic() + HANG)
        assert clients.remove(found) == []
        assert clients.take() is conn


def test_a_connection_that_a_thread_has_closed_is_not_late() -> None:
    clients = Clients()
    conn, theirs = pair()
    with theirs:
        clients.put(conn, time.monotonic())
        theirs.close()
        [(found, _)] = clients.selector.select()
        assert clients.take() is conn
        conn.close()
        assert not clients.is_late(found, math.inf, math.inf)


def test_a_worker_that_stops_waits_for_another_request_as_briefly_whenever_it_answered() -> None:
    clients = Clients()
    conn, theirs = pair()
    with theirs, conn.sock:
        clients.put(conn, time.monotonic() + HANG)
        [key] = clients.selector.get_map().values()
        stopped = conn.since - HANG
        assert not clients.is_late(key, conn.since + LINGER / 2, stopped)
        assert clients.is_late(key, conn.since + LINGER, stopped)


class Defective(Worker):
    def attend(self, conn: TConn) -> None:
        conn.sock.recv(100)
        raise SystemExit


def test_a_defect_ends_a_connection_and_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    worker = Defective(1, 1, [], None, 30, Config(), logging.getLogger("gunicorn.error"))
    worker.clients = Clients()
    worker.method_queue.init()
    threading.Thread(target=worker.serve, daemon=True).start()
    for _ in range(2):
        conn, theirs = pair()
        with theirs:
            worker.clients.put(conn, time.monotonic() + HANG)
            theirs.sendall(b"request")
            assert theirs.recv(1) == b""
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [SystemExit] * 2
