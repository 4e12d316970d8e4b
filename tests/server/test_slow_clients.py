"""Clients that stall keep nobody else waiting, however many they are.

Each test has more of them than there are threads, and looks whether a normal
request is answered while they are still connected.
"""

import re
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
import requests
from django.templatetags.static import static

from server.loop import SILENCE
from tests.conftest import empty_database
from tests.process import Service
from tests.wire import HANG, chunked, connect, exchange, post, receive, receive_all, request

pytestmark = pytest.mark.once(on="postgresql")

Serve = Callable[..., Service]
NAME = b'{"name": "shopping"}'
CLIENTS = 4


@pytest.fixture(scope="module")
def one_thread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    variables = {"WEB_CONCURRENCY": "1", "THREADS": "1", "CLIENT_TIMEOUT": "1"}
    with (
        empty_database(tmp_path_factory.mktemp("service")) as url,
        Service({"DATABASE_URL": url} | variables) as service,
    ):
        yield service


@contextmanager
def clients(service: Service, count: int = CLIENTS) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(connect(service)) for _ in range(count)]


def assert_serves(service: Service) -> None:
    assert requests.get(f"{service.url}/lists?limit=1", timeout=HANG).status_code == 200


def connections(service: Service) -> list[Any]:
    """Those that the service holds open."""
    (worker,) = service.workers()
    return [connection for connection in worker.net_connections("tcp") if connection.raddr]


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /li",
        b"GET /lists HTTP/1.1\r\nHost: local",
        post(NAME[:5], f"Content-Length: {len(NAME)}"),
        post(b"14\r\n" + NAME[:5], "Transfer-Encoding: chunked"),
        post(chunked(NAME)[:-2], "Transfer-Encoding: chunked"),
    ],
    ids=["line", "header", "body", "chunk", "trailer"],
)
def test_a_request_that_stalls_is_given_up(one_thread: Service, begun: bytes) -> None:
    with clients(one_thread) as stalled:
        for client in stalled:
            client.sendall(begun)
        assert_serves(one_thread)
        for client in stalled:
            answer = receive(client, "POST")
            assert answer is not None
            assert answer.status == 408
    assert requests.get(f"{one_thread.url}/lists?name=shopping", timeout=HANG).json() == []


@pytest.mark.parametrize(
    "data", [request("GET", "/lists", "X: " + "x" * 5000), post(NAME.ljust(5000))]
)
def test_a_request_that_comes_byte_by_byte_is_given_up(one_thread: Service, data: bytes) -> None:
    """Each byte comes in time; the request as a whole does not."""
    ended = threading.Event()

    def drip(client: socket.socket) -> None:
        with suppress(OSError):  # given up
            for byte in data:
                client.sendall(bytes([byte]))
                if ended.wait(0.1):
                    return

    with clients(one_thread) as slow:
        threads = [threading.Thread(target=drip, args=[client]) for client in slow]
        for thread in threads:
            thread.start()
        try:
            assert_serves(one_thread)
            answers = [receive(client) for client in slow]
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert [answer and answer.status for answer in answers] == [408] * CLIENTS


UNREAD = request("GET", "/health/live", f"Content-Length: {len(request())}")  # by the service


@pytest.mark.parametrize("begun", [UNREAD, post(b"{", f"Content-Length: {len(request()) + 1}")])
def test_a_body_that_comes_late_is_not_the_next_request(one_thread: Service, begun: bytes) -> None:
    with clients(one_thread, 1) as [late]:
        late.sendall(begun)
        assert receive(late, "POST")
        assert late.recv(1) == b"", "it is still open"


def test_a_request_is_answered_when_its_body_has_arrived(serve: Serve) -> None:
    """Also one whose body nobody reads. The same bytes are then not taken for a request."""
    with clients(serve(), 1) as [client]:
        client.sendall(UNREAD)
        client.sendall(request() + request("GET", "/lists/0", "Connection: close"))
        answers = receive_all(client)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"404"]


def test_connections_without_a_request_take_no_thread(serve: Serve) -> None:
    """They are many more than there are threads, and none of them is given up."""
    service = serve(WEB_CONCURRENCY="1", THREADS="1", CLIENT_TIMEOUT="600")
    with clients(service, 200) as silent:
        assert_serves(service)
        for client in silent:
            client.sendall(request())
        assert all(receive(client) for client in silent)


def test_clients_that_do_not_close_take_no_thread(serve: Serve) -> None:
    """After an answer that says `Connection: close` it is for them to close."""
    service = serve(WEB_CONCURRENCY="1", THREADS="1")
    with clients(service, 200) as lazy:
        for client in lazy:
            client.sendall(request("GET", "/health/live", "Connection: close"))
        for client in lazy:
            assert receive(client)
        assert_serves(service)


def test_clients_who_keep_their_connections_leave_room_for_others(serve: Serve) -> None:
    """A worker has a thousand connections; the last ones are not kept."""
    service = serve(WEB_CONCURRENCY="1", KEEP_ALIVE="600")
    kept = 0
    with ExitStack() as stack:
        for _ in range(1001):
            client = stack.enter_context(connect(service))
            client.sendall(request("GET", "/health/live"))
            answer = receive(client)
            assert answer is not None
            kept += answer.headers["Connection"] == "keep-alive"
        assert 900 < kept < 1000


def test_when_connections_run_out_the_oldest_silent_ones_are_closed(serve: Serve) -> None:
    """A worker takes no more than it may have open files, and survives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        service = serve(WEB_CONCURRENCY="1", CLIENT_TIMEOUT="600")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    workers = service.workers()
    with clients(service, 50) as used:
        for client in used:
            client.sendall(request())
            assert receive(client)
        with clients(service, 120) as silent:
            time.sleep(SILENCE)
            with clients(service, 100) as recent:
                for client in [*recent, *used]:
                    client.sendall(request())
                    assert receive(client)
                assert [client.recv(1) for client in silent[:90]] == [b""] * 90
    assert service.workers() == workers


def test_an_unused_connection_is_closed_in_the_end(serve: Serve) -> None:
    service = serve(CLIENT_TIMEOUT="1", KEEP_ALIVE="1")
    with clients(service) as silent:
        for client in silent[::2]:
            client.sendall(request())
            assert receive(client)
        for client in silent:
            assert client.recv(1) == b""


SCRIPT = "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


@pytest.mark.parametrize("path", ["/lists", static(SCRIPT)], ids=["lists", "file"])
def test_an_answer_that_is_not_read_is_given_up(one_thread: Service, path: str) -> None:
    for _ in range(100):
        exchange(one_thread, post(b'{"name": "%s"}' % (b"x" * 255)))
    first = exchange(one_thread, request("GET", path))
    assert first is not None
    assert first.status == 200
    with clients(one_thread) as deaf:
        for client in deaf:
            # The answers are more than the kernel keeps for a client.
            client.sendall(request("GET", path) * (16 * 1024 * 1024 // len(first.body)))
        end = time.monotonic() + HANG
        while connections(one_thread):
            assert_serves(one_thread)
            assert time.monotonic() < end


def test_an_answer_that_is_read_late_is_whole(serve: Serve) -> None:
    service = serve()
    first = exchange(service, request("GET", static(SCRIPT)))
    assert first is not None
    with clients(service, 1) as [late]:
        late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        # More than the kernel keeps, so that the service has to wait for the client.
        count = 16 * 1024 * 1024 // len(first.body)
        late.sendall(request("GET", static(SCRIPT)) * count)
        late.sendall(request("GET", "/health/live", "Connection: close"))
        assert_serves(service)
        assert receive_all(late).count(first.body) == count


def test_an_answer_that_is_read_bit_by_bit_is_given_up(one_thread: Service) -> None:
    """Each bit is read in time; the answer as a whole is not."""
    ended = threading.Event()

    def sip(client: socket.socket) -> None:
        with suppress(OSError):  # given up
            while client.recv(4096) and not ended.wait(0.01):
                pass

    with clients(one_thread) as slow:
        threads = [threading.Thread(target=sip, args=[client]) for client in slow]
        for client in slow:
            # The kernel keeps less for them than an answer has.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.sendall(request("GET", static(SCRIPT)) * 12)
        for thread in threads:
            thread.start()
        end = time.monotonic() + HANG
        try:
            while connections(one_thread):
                assert_serves(one_thread)
                assert time.monotonic() < end
        finally:
            ended.set()
            for thread in threads:
                thread.join()
