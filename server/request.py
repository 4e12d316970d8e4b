"""Requests, assembled from the bytes of a connection by gunicorn's parser and h11."""

import io
import re
from collections.abc import Iterator
from typing import Any

import h11
from django.conf import settings
from gunicorn.http import message
from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import (
    InvalidHeader,
    InvalidRequestLine,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.http.unreader import IterUnreader

MAX_HEAD = 32 * 1024  # bytes of the request line and all header fields
MAX_TRAILERS = 100  # fields, as gunicorn allows in a head
# Bytes of a chunked body besides its content, which are five or more for each chunk. Chunks cost
# time, and a client that streams a body has no need of 13,000.
MAX_FRAMING = 64 * 1024

BARE_LF = re.compile(rb"(?<!\r)\n")
REQUEST_LINE = re.compile(rb"[^ ]+ [^ ]+ HTTP/[0-9]\.[0-9]")
# host [":" port] of RFC 3986. Whether this service has that name is the application's concern.
HOST = re.compile(r"([\w.~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?", re.ASCII)
# What decides where a message ends, who sent it and where it goes must not follow the body.
FORBIDDEN_TRAILERS = message.RFC9110_6_5_1_FORBIDDEN_TRAILER
# h11 parses whole requests, so the chunks are preceded by a head that announces them.
HEAD_OF_CHUNKS = b"POST / HTTP/1.1\r\nHost: _\r\nTransfer-Encoding: chunked\r\n\r\n"


class BodyTooLarge(ParseException):  # type: ignore[misc]
    def __str__(self) -> str:
        return f"The body exceeds the limit of {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."


class BodyCutShort(ParseException):  # type: ignore[misc]
    def __str__(self) -> str:
        return "The body ended before its announced length or last chunk."


class RequestTimeout(ParseException):  # type: ignore[misc]
    def __str__(self) -> str:
        return f"The request did not arrive within {settings.CLIENT_TIMEOUT} s."


class InvalidBody(ParseException):  # type: ignore[misc]
    """The chunks of a body are malformed."""


class InvalidHost(ParseException):  # type: ignore[misc]
    def __str__(self) -> str:
        return "A request needs one valid Host header."


class Request(message.Request):  # type: ignore[misc]
    """gunicorn's request, whose head has been parsed; the reader adds the body.

    Raises a ParseException if the head is malformed.
    """

    version: tuple[int, int]
    headers: list[tuple[str, str]]  # names in capitals
    method: str
    uri: str
    path: str
    keep_alive = False  # as long as it is not known
    body: Any  # gunicorn's reader of the body; once it has arrived completely, a BytesIO

    def set_body_reader(self) -> None:
        """Called by gunicorn when the head has been parsed."""
        super().set_body_reader()  # raises InvalidHeader if the length of the body is ambiguous
        for name, value in self.headers:
            # gunicorn accepts codings inside the chunks, such as gzip, and leaves them in the body.
            if name == "TRANSFER-ENCODING" and value.strip(" \t").lower() != "chunked":
                raise UnsupportedTransferCoding(value)
        self.version = min(self.version, (1, 1))  # what this server speaks (RFC 9110, section 2.5)
        hosts = [value for name, value in self.headers if name == "HOST"]
        if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
            raise InvalidHost
        if not self.uri.startswith("/"):
            self.take_host_from_target()
        self.keep_alive = self.allows_keep_alive()

    def allows_keep_alive(self) -> bool:
        # After CONNECT, bytes would belong to a tunnel.
        if self.must_close or self.method == "CONNECT":
            return False
        options = ",".join([value for name, value in self.headers if name == "CONNECTION"])
        if not options:
            return self.version == (1, 1)
        tokens = {token.strip(" \t").lower() for token in options.split(",")}
        return "close" not in tokens and (self.version == (1, 1) or "keep-alive" in tokens)

    def should_close(self) -> bool:
        return not self.keep_alive

    def take_host_from_target(self) -> None:
        """An absolute-form target has precedence over the header (RFC 9112, section 3.2.2)."""
        if self.uri == "*" or self.method == "CONNECT":
            return
        scheme, _, rest = self.uri.partition("://")
        host = re.split("[/?#]", rest, maxsplit=1)[0]
        if scheme.lower() not in ("http", "https") or not HOST.fullmatch(host):
            raise InvalidRequestLine(self.uri)
        self.headers = [(name, host if name == "HOST" else value) for name, value in self.headers]
        self.path = self.path or "/"

    def set_body(self, content: bytes) -> None:
        # For the application, a body that came in chunks has a length like any other.
        if isinstance(self.body.reader, ChunkedReader):
            self.headers = [field for field in self.headers if field[0] != "TRANSFER-ENCODING"]
            self.headers.append(("CONTENT-LENGTH", str(len(content))))
        self.body = io.BytesIO(content)
        self._expected_100_continue = False  # gunicorn would send 100 Continue now


class UnreadRequest:
    """Stands for a request that could not be read, where gunicorn's Response needs one."""

    version = (1, 1)

    def __init__(self, method: str) -> None:
        self.method = method


class RequestReader:
    """Turns what arrives on a connection into requests, each of which is whole.

    Raises a ParseException if the client has made a mistake. It is not known then where the
    next request would begin, so the connection has to be closed.
    """

    def __init__(self, config: Any, client: Any) -> None:
        self.config = config  # gunicorn's
        self.client = client  # the client's address
        self.buffer = bytearray()  # what has arrived and belongs to no request yet
        self.held = 0  # bytes in memory, those of a request that is being handled included
        self.searched = 0  # how much of the buffer is known to contain no end of a head
        self.line_checked = False  # whether the request line looks like one
        self.is_head = False  # whether the latest request is HEAD, even if it cannot be parsed
        self.request: Request | None = None  # whose head has been read, and its body not yet
        self.chunks: ChunkedBody | None = None

    def take_continue(self) -> bool:
        """Whether to send 100 Continue, for which the client waits; true once for each request."""
        request = self.request
        if request is None or not request._expected_100_continue:
            return False
        request._expected_100_continue = False
        return True

    def feed(self, data: bytes) -> None:
        self.buffer += data
        self.held += len(data)

    def release(self) -> None:
        """Stop counting the bytes of the last request, which has been answered."""
        self.held = len(self.buffer)

    def take(self) -> Request | None:
        """The next request, or None if it has not arrived completely."""
        if self.request is None:
            self.request = self.read_head()
        if self.request is None:
            return None
        content = self.read_body(self.request)
        if content is None:
            return None
        request, self.request, self.chunks = self.request, None, None
        request.set_body(content)
        return request

    def read_head(self) -> Request | None:
        self.is_head = self.buffer.startswith((b"HEAD ", b"\r\nHEAD "))
        end = self.buffer.find(b"\r\n\r\n", max(self.searched - 3, 0))
        if end < 0:
            self.check_beginning()
            return None
        if end > MAX_HEAD:
            raise LimitRequestHeaders(f"The head of a request may have {MAX_HEAD} bytes.")
        head = bytes(self.buffer[: end + 4])
        del self.buffer[: end + 4]
        self.searched, self.line_checked = 0, False
        return self.parse(head)

    def parse(self, head: bytes) -> Request:
        try:
            return Request(self.config, IterUnreader((head,)), self.client)
        except LimitRequestHeaders:  # whose message has no number
            fields, size = self.config.limit_request_fields, self.config.limit_request_field_size
            raise LimitRequestHeaders(
                f"A request may have {fields} header fields of {size} bytes each."
            ) from None

    def check_beginning(self) -> None:
        """Refuse what cannot become a request before the rest arrives, which may be never."""
        if BARE_LF.search(self.buffer, self.searched):
            raise InvalidHeader("bare LF as line terminator")
        self.searched = len(self.buffer)
        if not self.line_checked:
            # One empty line before a request is ignored (RFC 9112, section 2.2).
            start = 2 if self.buffer.startswith(b"\r\n") else 0
            end = self.buffer.find(b"\r\n", start)
            if end >= 0:
                line = bytes(self.buffer[start:end])
                if not REQUEST_LINE.fullmatch(line):
                    self.parse(line + b"\r\n\r\n")  # says what is wrong
                self.line_checked = True
            elif self.searched - start > self.config.limit_request_line:
                raise LimitRequestLine(self.searched, self.config.limit_request_line)
        if self.searched > MAX_HEAD:
            raise LimitRequestHeaders(f"The head of a request may have {MAX_HEAD} bytes.")

    def read_body(self, request: Request) -> bytes | None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        reader = request.body.reader  # of gunicorn, which knows how the body is delimited
        if isinstance(reader, ChunkedReader):
            self.chunks = self.chunks or ChunkedBody(limit)
            rest = self.chunks.feed(bytes(self.buffer))
            self.buffer.clear()
            if rest is None:
                return None
            self.buffer += rest
            return bytes(self.chunks.content)
        if reader.length > limit:
            raise BodyTooLarge
        if len(self.buffer) < reader.length:
            return None
        content = bytes(self.buffer[: reader.length])
        del self.buffer[: reader.length]
        return content


class ChunkedBody:
    """Decodes a chunked body by h11, which takes it piece by piece as it arrives."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.received = 0
        self.content = bytearray()
        self.parser = h11.Connection(h11.SERVER)
        self.parser.receive_data(HEAD_OF_CHUNKS)
        self.parser.next_event()

    def feed(self, data: bytes) -> bytes | None:
        """Take what has arrived; return what follows the body, or None before its end."""
        if not data:  # h11 would take it for the end of the connection
            return None
        self.received += len(data)
        self.parser.receive_data(data)
        for event in self.events():
            if isinstance(event, h11.EndOfMessage):
                self.check_trailers(event)
                return self.parser.trailing_data[0]
            self.content += event.data
        if self.received - len(self.content) > MAX_FRAMING:
            raise BodyTooLarge
        return None

    def events(self) -> Iterator[h11.Data | h11.EndOfMessage]:
        try:
            while (event := self.parser.next_event()) is not h11.NEED_DATA:
                if len(self.content) > self.limit:
                    raise BodyTooLarge
                yield event  # type: ignore[misc]
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                raise LimitRequestHeaders(str(error)) from None
            raise InvalidBody(str(error)) from None

    @staticmethod
    def check_trailers(end: h11.EndOfMessage) -> None:
        names = [name.decode().upper() for name, _ in end.headers]
        if len(names) > MAX_TRAILERS:
            raise LimitRequestHeaders(f"A body may have {MAX_TRAILERS} trailers.")
        for name in FORBIDDEN_TRAILERS.intersection(names):
            raise InvalidHeader(name)
