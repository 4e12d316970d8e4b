"""The reader of requests at its bounds, which a socket would reach by chance."""

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import LimitRequestHeaders, ParseException

from server import replies
from server.request import MAX_FRAMING, MAX_HEAD, BodyTooLarge, ChunkedBody, RequestReader
from tests.wire import request


def reader_of(*parts: bytes) -> RequestReader:
    reader = RequestReader(Config(), ("127.0.0.1", 1))
    for part in parts[:-1]:
        reader.feed(part)
        assert reader.take() is None
    reader.feed(parts[-1])
    return reader


def head_of(size: int) -> bytes:
    lines = [f"X: {'x' * 8000}"] * 4
    missing = size - len(request("GET", "/", *lines, "X: ")) + 4
    return request("GET", "/", *lines, f"X: {'x' * missing}")


@pytest.mark.parametrize("split", [1, 100, MAX_HEAD - 100, MAX_HEAD])
def test_the_largest_head(split: int) -> None:
    head = head_of(MAX_HEAD)
    taken = reader_of(head[:split], head[split:]).take()
    assert taken is not None
    assert taken.path == "/"


@pytest.mark.parametrize("split", [1, 100, MAX_HEAD - 100, MAX_HEAD])
def test_a_head_that_is_a_byte_too_large(split: int) -> None:
    head = head_of(MAX_HEAD + 1)
    with pytest.raises(LimitRequestHeaders, match="32768"):
        reader_of(head[:split], head[split:]).take()


def test_a_head_byte_by_byte() -> None:
    head = request("GET", "/", "Connection: TE, close")
    taken = reader_of(*(bytes([byte]) for byte in head)).take()
    assert taken is not None
    assert not taken.keep_alive


@pytest.mark.parametrize(
    ("version", "connection", "keep_alive"),
    [
        ("HTTP/1.1", [], True),
        ("HTTP/1.1", ["Connection: close"], False),
        ("HTTP/1.1", ["Connection: TE, Close"], False),
        ("HTTP/1.1", ["Connection: TE", "Connection: keep-alive,close"], False),
        ("HTTP/1.1", ["Connection: keep-alive"], True),
        ("HTTP/1.1", ["Connection: upgrade"], True),
        ("HTTP/1.1", ["Connection: enclose"], True),
        ("HTTP/1.9", [], True),
        ("HTTP/1.0", [], False),
        ("HTTP/1.0", ["Connection: TE, Keep-Alive"], True),
        ("HTTP/1.0", ["Connection: keep-alive, close"], False),
    ],
)
def test_whether_a_connection_is_kept(
    version: str, connection: list[str], keep_alive: bool
) -> None:
    taken = reader_of(request("GET", "/", *connection, version=version)).take()
    assert taken is not None
    assert taken.keep_alive is keep_alive
    assert taken.should_close() is not keep_alive
    assert taken.version == ((1, 0) if version == "HTTP/1.0" else (1, 1))


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        ("http://example.com/a?b", "example.com", "/a"),
        ("HTTPS://example.com:80", "example.com:80", "/"),
        ("http://[::1]:80?b", "[::1]:80", "/"),
        ("http://user@example.com/", None, None),
        ("http:///a", None, None),
        ("ftp://example.com/", None, None),
    ],
)
def test_the_host_of_a_target_counts(target: str, host: str | None, path: str | None) -> None:
    reader = reader_of(request("GET", target))
    if host is None:
        with pytest.raises(ParseException):
            reader.take()
        return
    taken = reader.take()
    assert taken is not None
    assert [value for name, value in taken.headers if name == "HOST"] == [host]
    assert taken.path == path


def test_what_surrounds_chunks_is_bounded() -> None:
    chunks = b"1\r\nx\r\n"
    body = ChunkedBody(limit=1_000_000)
    with pytest.raises(BodyTooLarge):
        body.feed(chunks * (MAX_FRAMING // (len(chunks) - 1) + 2))
    body = ChunkedBody(limit=1_000_000)
    assert body.feed(chunks * 10_000) is None
    assert body.feed(b"0\r\n\r\nGET") == b"GET"
    assert bytes(body.content) == b"x" * 10_000


def test_a_reply_says_who_answers(settings: object) -> None:
    settings.SERVED_BY = "pod-1"  # type: ignore[attr-defined]
    taken = reader_of(request("GET", "/", "X-Request-ID: mine")).take()
    headers = dict(replies.overloaded(taken).headers)
    assert headers["Served-By"] == "pod-1"
    assert headers["X-Request-ID"] == "mine"
    assert headers["Retry-After"] == "1"
