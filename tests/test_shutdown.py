"""SIGTERM: what was accepted is answered, and the process ends."""

import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from types import SimpleNamespace

import psutil
import pytest
import requests

from project.worker import take_signals
from tests.load import eventually, names
from tests.service import Service
from tests.wire import HANG, connect, post, receive

Serve = Callable[..., Service]


def end(service: Service) -> int:
    service.process.send_signal(signal.SIGTERM)
    return service.process.wait(HANG)


@pytest.mark.parametrize("idle", [False, True])
def test_an_idle_service_ends_and_leaves_no_process(serve: Serve, idle: bool) -> None:
    service = serve()
    workers = psutil.Process(service.process.pid).children(recursive=True)
    with requests.Session() as session:
        if idle:  # a connection that is kept alive without a request
            session.get(f"{service.url}/lists", timeout=HANG)
        assert end(service) == 0
    assert not [worker for worker in workers if worker.is_running()]
    assert service.records()[-1]["message"] == "Shutting down: Master"


@pytest.mark.parametrize("sent_before", [True, False])
def test_a_worker_that_has_only_been_forked_does_not_keep_sigterm_waiting(
    sent_before: bool,
) -> None:
    """A moment that no signal from outside can be made to hit."""
    arbiter = SimpleNamespace(SIG_QUEUE=SimpleQueue())
    arbiter.SIG_QUEUE.put(signal.SIGHUP)
    before = signal.getsignal(signal.SIGTERM)
    try:
        if sent_before:
            arbiter.SIG_QUEUE.put(signal.SIGTERM)
            with pytest.raises(SystemExit):
                take_signals(arbiter, None)
        else:
            take_signals(arbiter, None)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_requests_whose_connection_was_accepted_are_answered(serve: Serve) -> None:
    """Far more than there are threads, half of them with a body still on its way."""
    service = serve(WEB_CONCURRENCY="2", THREADS="2")
    count = 60
    connected = threading.Barrier(count + 1, timeout=HANG)
    stopping = threading.Event()

    def client(number: int) -> int:
        body = b'{"name": "request %d"}' % number
        data = post(body)
        half = len(data) - 5 if number % 2 else len(data)
        with connect(service) as connection:
            connection.sendall(data[:half])
            connected.wait()
            stopping.wait(HANG)
            connection.sendall(data[half:])
            answer = receive(connection, "POST")
            assert answer is not None
            return answer.status

    with ThreadPoolExecutor(count) as executor:
        answers = [executor.submit(client, number) for number in range(count)]
        connected.wait()
        service.process.send_signal(signal.SIGTERM)
        stopping.set()
        assert [answer.result() for answer in answers] == [201] * count
    assert service.process.wait(HANG) == 0


def test_writes_until_the_end_are_kept(serve: Serve, database_url: str) -> None:
    """Clients write on new connections until they are refused; none is left without an answer."""
    service = serve()
    acknowledged: list[str] = []
    unanswered: list[str] = []
    writing = threading.Event()

    def client(client_number: int) -> None:
        for number in range(100_000):
            name = f"{client_number}-{number}"
            try:
                connection = socket.create_connection(("127.0.0.1", service.port), timeout=HANG)
            except ConnectionRefusedError:
                return
            with connection:
                try:
                    connection.sendall(post(b'{"name": "%s"}' % name.encode(), "Connection: close"))
                    answer = receive(connection, "POST")
                except OSError:
                    unanswered.append(name)
                    continue
                assert answer is not None
                assert answer.status == 201
                acknowledged.append(name)
                writing.set()

    with ThreadPoolExecutor(8) as executor:
        clients = [executor.submit(client, number) for number in range(8)]
        assert writing.wait(HANG)
        eventually(lambda: len(acknowledged) > 50, "writes")
        assert end(service) == 0
        for each in clients:
            each.result()
    found = names(serve())
    assert all(found[name] == 1 for name in acknowledged)
    # A handshake that the kernel completes while the last listener closes cannot be told apart.
    assert len(unanswered) <= len(clients)
