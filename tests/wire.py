"""HTTP byte by byte: requests that no client library would send, and what comes back."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPResponse
from typing import Any, NamedTuple

import orjson
import pytest

from tests.process import Service

HANG = 30  # seconds after which a test gives up; no test waits for as long


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get_content_type()

    def json(self) -> Any:
        return orjson.loads(self.body)


def request(
    method: str = "GET",
    target: str = "/lists",
    *headers: str | bytes,
    body: bytes | None = None,
    host: str | None = "Host: localhost",
    version: str = "HTTP/1.1",
) -> bytes:
    """A request as bytes; with a ``body`` also its length, unless a header has another."""
    lines = [f"{method} {target} {version}", *([host] if host else []), *headers]
    encoded = [line if isinstance(line, bytes) else line.encode("latin-1") for line in lines]
    names = {line.partition(b":")[0].lower() for line in encoded}
    if body is not None and not names & {b"content-length", b"transfer-encoding"}:
        encoded.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(encoded) + b"\r\n\r\n" + (body or b"")


def post(body: bytes, *headers: str | bytes, target: str = "/lists") -> bytes:
    return request("POST", target, "Content-Type: application/json", *headers, body=body)


def chunked(*parts: bytes) -> bytes:
    """A body in chunks, one for each part."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@contextmanager
def connect(service: Service) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", service.port), timeout=HANG) as connection:
        yield connection


def receive(connection: socket.socket, method: str = "GET") -> Answer | None:
    """The next answer on a connection; None when the service closes it without one."""
    with HTTPResponse(connection, method=method) as response:
        response.fp.close()  # it would read ahead, into the next answer
        response.fp = connection.makefile("rb", buffering=1)
        try:
            response.begin()
        except ConnectionResetError:
            return None
        return Answer(response.status, response.headers, response.read())


def receive_all(connection: socket.socket) -> bytes:
    """Every byte until the service closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def exchange(service: Service, data: bytes, *, end: bool = False) -> Answer | None:
    """The answer to ``data`` on a connection of its own; ``end`` says that no more will come."""
    with connect(service) as connection:
        connection.sendall(data)
        if end:
            connection.shutdown(socket.SHUT_WR)
        method = data.partition(b" ")[0].decode("latin-1")
        return receive(connection, method)


def check(service: Service, answer: Answer | None, status: int) -> None:
    """That the client can understand the answer, and that the service goes on."""
    assert answer is not None, "the connection was closed without an answer"
    assert answer.status == status, answer
    assert answer.media_type != "text/html" or not answer.body
    if answer.status >= 400:
        assert answer.media_type == "application/problem+json"
        assert not answer.body or answer.json()["status"] == answer.status
    afterwards = exchange(service, request("GET", "/lists?limit=1"))
    assert afterwards is not None
    assert afterwards.status == 200


def table(cases: dict[str, tuple[Any, ...]]) -> pytest.MarkDecorator:
    """A parametrization: what it is called, then the values of each case."""
    return pytest.mark.parametrize(
        ("data", "status"), [pytest.param(*values, id=name) for name, values in cases.items()]
    )


def label(kind: str, value: str | bytes) -> str:
    """What a case is called: long values have their middle left out."""
    return f"{kind} {value!r}" if len(value) < 40 else f"{kind} {value[:20]!r}...{value[-15:]!r}"
