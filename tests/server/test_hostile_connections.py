"""Half requests, several at once, and requests hidden in others."""

import socket
import struct

import pytest
import requests

from tests.process import Service
from tests.wire import (
    HANG,
    check,
    chunked,
    connect,
    exchange,
    post,
    receive,
    receive_all,
    request,
    table,
)

pytestmark = pytest.mark.once(on="sqlite")

NAME = b'{"name": "shopping"}'


HALVES: dict[str, tuple[bytes, int | None]] = {
    "nothing": (b"", None),
    "half a line": (b"GET /li", None),
    "half of the headers": (b"GET /lists HTTP/1.1\r\nHost: loc", None),
    "lines that end with CR": (b"GET /lists HTTP/1.1\rHost: localhost\r\r", None),
    "no body": (post(b"", "Content-Length: 20"), 400),
    "half of a body": (post(b'{"name": "shop', "Content-Length: 20"), 400),
    "less than the length, though it is JSON": (post(NAME, "Content-Length: 21"), 400),
    "no chunks": (post(b"", "Transfer-Encoding: chunked"), 400),
    "half of a chunk": (post(b"14\r\n{", "Transfer-Encoding: chunked"), 400),
    "no last chunk": (post(b"14\r\n%s\r\n" % NAME, "Transfer-Encoding: chunked"), 400),
    "no trailers": (post(b"14\r\n%s\r\n0\r\n" % NAME, "Transfer-Encoding: chunked"), 400),
}


@table(HALVES)
def test_half_a_request_changes_nothing(service: Service, data: bytes, status: int | None) -> None:
    last = requests.post(f"{service.url}/lists", json={"name": "last"}, timeout=HANG).json()
    answer = exchange(service, data, end=True)
    if status is None:
        assert answer is None
    else:
        check(service, answer, status)
    after = requests.get(f"{service.url}/lists?after={last['id']}", timeout=HANG)
    assert after.json() == []


def statuses(service: Service, data: bytes) -> list[int]:
    """Those of all answers to ``data``, the last request of which closes the connection."""
    with connect(service) as connection:
        connection.sendall(data)
        received = receive_all(connection)
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def test_pipelined_requests_are_answered_in_order(service: Service) -> None:
    get, missing = request("GET", "/lists?limit=1"), request("GET", "/lists/0")
    create = post(NAME)
    last = request("GET", "/lists?limit=1", "Connection: close")
    sent = [get, missing, create, post(b"rubbish"), get, missing, *[get] * 20, last]
    assert statuses(service, b"".join(sent)) == [200, 404, 201, 400, 200, 404, *[200] * 20, 200]


def test_chunked_requests_are_pipelined(service: Service) -> None:
    create = post(chunked(NAME[:5], NAME[5:]), "Transfer-Encoding: chunked")
    last = request("GET", "/lists?limit=1", "Connection: close")
    assert statuses(service, create * 3 + last) == [201, 201, 201, 200]


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 4", "Transfer-Encoding: chunked"],
        ["Content-Length: 4", "Content-Length: 47"],
        ["Content-Length: 4", "Transfer-Encoding: identity"],
        ["Content-Length: 4", "Transfer-Encoding : chunked"],
        ["Content-Length: 4", "Transfer-Encoding:\x0bchunked"],
    ],
)
def test_nothing_is_smuggled_behind_an_ambiguous_length(
    service: Service, headers: list[str]
) -> None:
    smuggled = request("DELETE", "/lists/1", "Connection: close")
    assert statuses(service, post(b"0\r\n\r\n" + smuggled, *headers)) == [400]


def test_a_body_that_nobody_reads_is_no_request(service: Service) -> None:
    inside = request("GET", "/lists/0", body=request("GET", "/lists/0"))
    last = request("GET", "/lists?limit=1", "Connection: close")
    assert statuses(service, inside + last) == [404, 200]


def test_a_client_that_expects_it_is_told_to_continue(service: Service) -> None:
    head = post(b"", "Expect: 100-continue", "Content-Length: 20")
    with connect(service) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(NAME)
        check(service, receive(connection, "POST"), 201)


@pytest.mark.parametrize(
    ("given", "returned"),
    [("fine-1", "fine-1"), ("a b", None), ("\xe9", None), ("x" * 129, None), ('"}', None)],
)
def test_a_request_id_that_is_rubbish_is_replaced(
    service: Service, given: str, returned: str | None
) -> None:
    answer = exchange(service, request("GET", "/lists", f"X-Request-ID: {given}"))
    assert answer is not None
    assert answer.status == 200
    received = answer.headers["X-Request-ID"]
    assert received == returned if returned else received not in ("", given)


def test_a_proxys_headers_are_not_believed_unasked(service: Service) -> None:
    answer = exchange(
        service,
        request("GET", "/lists?limit=1", "X-Forwarded-Host: evil.example", "SCRIPT_NAME: /x"),
    )
    assert answer is not None
    assert answer.status == 200
    assert b"evil" not in answer.headers.as_bytes()


def reset_when_closed(connection: socket.socket) -> None:
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def test_clients_that_reset_their_connections_take_nothing_along(service: Service) -> None:
    for data in [b"", b"GET /", request(), post(NAME), post(NAME, "Content-Length: 1000")] * 10:
        with connect(service) as connection:
            reset_when_closed(connection)
            connection.sendall(data)
    for _ in range(10):
        with connect(service) as connection:
            reset_when_closed(connection)
            connection.sendall(request("GET", "/lists", "Connection: close"))
            assert receive(connection)
            assert connection.recv(1) == b""
    check(service, exchange(service, request()), 200)
