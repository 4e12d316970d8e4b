"""Bodies of every type, size and encoding, with a length and in chunks."""

import gzip
import json

import pytest
import requests
from django.conf import settings

from tests.process import Service
from tests.wire import (
    HANG,
    check,
    chunked,
    exchange,
    post,
    request,
    table,
)

NAME = b'{"name": "shopping"}'
LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
MIB = 1024 * 1024


def named(name: str) -> bytes:
    return json.dumps({"name": name}).encode()


BODIES: dict[str, tuple[bytes, int]] = {
    # What is JSON and a list
    "an object": (NAME, 201),
    "white space around": (b" \r\n\t" + NAME + b"\n", 201),
    "name of 255": (named("x" * 255), 201),
    "name of 255 beyond the basic plane": (named("\U0001f6d2" * 255), 201),
    "name of unassigned and private characters": (named("\ufffe\ue000\U0010ffff"), 201),
    "name written from right to left": (named("\u202e\u05e7\u05e0\u202c"), 201),
    "name of controls but NUL": (named("a\x01\x1b[31m\x7f\x85b"), 201),
    "name of markup": (named("<script>alert(1)</script>{{7*7}}%s%n"), 201),
    "name of SQL": (named("'; DROP TABLE tasklists_tasklist; --"), 201),
    "escaped surrogate pair": (rb'{"name": "\ud83d\uded2"}', 201),
    "duplicate members": (b'{"name": "a", "name": "b"}', 201),
    "read-only members": (b'{"name": "a", "id": 1, "version": 9, "created_at": null}', 201),
    "as long as may be": (NAME.ljust(LIMIT), 201),
    # Too long
    "a byte too long": (NAME.ljust(LIMIT + 1), 413),
    "3 MiB": (NAME.ljust(3 * MIB), 413),
    "arrays 1,000,000 deep": (b"[" * 1_000_000 + b"]" * 1_000_000, 413),
    # Another type
    "null": (b"null", 400),
    "true": (b"true", 400),
    "a number": (b"1", 400),
    "a string": (b'"shopping"', 400),
    "an empty array": (b"[]", 400),
    "an array of objects": (b"[%s]" % NAME, 400),
    "an empty object": (b"{}", 400),
    "name is null": (b'{"name": null}', 400),
    "name is true": (b'{"name": true}', 400),
    "name is a number": (b'{"name": 1}', 400),
    "name is a fraction": (b'{"name": 1.5}', 400),
    "name is an array": (b'{"name": ["a"]}', 400),
    "name is an object": (b'{"name": {"name": "a"}}', 400),
    "name in capitals": (b'{"NAME": "a"}', 400),
    # Members that nobody knows
    "unknown members": (b'{"name": "a", "": 1, "__proto__": {}, "constructor": []}', 400),
    "4,000 members": (json.dumps({f"m{i}": i for i in range(4000)} | {"name": "a"}).encode(), 400),
    # A name out of range
    "empty name": (named(""), 400),
    "name of spaces": (named(" \t\n\u2003\u3000"), 400),
    "name of 256": (named("x" * 256), 400),
    "name of 65,000": (named("x" * 65_000), 400),
    "NUL": (named("a\0b"), 400),
    "only NUL": (named("\0"), 400),
    "NUL as a byte": (b'{"name": "a\0b"}', 400),
    # Not JSON
    "nothing": (b"", 400),
    "only white space": (b" \n ", 400),
    "only NUL bytes": (b"\0" * 64, 400),
    "all bytes": (bytes(range(256)), 400),
    "cut off": (b'{"name": "shopp', 400),
    "two documents": (NAME + NAME, 400),
    "trailing comma": (b'{"name": "a",}', 400),
    "comment": (b'/* */ {"name": "a"}', 400),
    "single quotes": (b"{'name': 'a'}", 400),
    "a form": (b"name=shopping", 400),
    "a page": (b"<html></html>", 400),
    "a line break in a string": (b'{"name": "a\nb"}', 400),
    "an unknown escape": (rb'{"name": "\x41"}', 400),
    "NaN": (b'{"name": NaN}', 400),
    "Infinity": (b'{"name": Infinity}', 400),
    "-Infinity": (b"-Infinity", 400),
    "leading zero": (b'{"name": 01}', 400),
    "1e999": (b'{"name": 1e999}', 400),
    "10,000 digits": (b'{"name": %s}' % (b"9" * 10_000), 400),
    "an exponent of 10,000 digits": (b'{"name": 1e%s}' % (b"9" * 10_000), 400),
    "arrays 1,000 deep": (b"[" * 1000 + b"]" * 1000, 400),
    "arrays 30,000 deep": (b"[" * 30_000 + b"]" * 30_000, 400),
    "objects 7,000 deep": (b'{"name":' * 7_000 + b"1" + b"}" * 7_000, 400),
    "name 30,000 deep": (b'{"name":' + b"[" * 30_000 + b"]" * 30_000 + b"}", 400),
    "arrays never closed": (b"[" * 65_000, 400),
    # Not UTF-8
    "byte order mark": (b"\xef\xbb\xbf" + NAME, 400),
    "UTF-16": (NAME.decode().encode("utf-16"), 400),
    "UTF-16-LE": (NAME.decode().encode("utf-16-le"), 400),
    "UTF-32": (NAME.decode().encode("utf-32"), 400),
    "Latin-1": ('{"name": "ação"}'.encode("latin-1"), 400),
    "a lone continuation byte": (b'{"name": "\x80"}', 400),
    "an overlong slash": (b'{"name": "\xc0\xaf"}', 400),
    "a surrogate in UTF-8": (b'{"name": "\xed\xa0\x80"}', 400),
    "beyond Unicode": (b'{"name": "\xf4\x90\x80\x80"}', 400),
    "escaped high surrogate": (rb'{"name": "\ud800"}', 400),
    "escaped low surrogate": (rb'{"name": "\udc00"}', 400),
    "surrogates in the wrong order": (rb'{"name": "\udc00\ud800"}', 400),
    "lone surrogate in a member's name": (rb'{"\ud800": 1, "name": "a"}', 400),
    "gzip": (gzip.compress(NAME), 400),
}


@table(BODIES)
def test_body(service: Service, data: bytes, status: int) -> None:
    check(service, exchange(service, post(data)), status)


def test_a_body_that_is_not_utf_8_is_told_where(service: Service) -> None:
    answer = exchange(service, post(b'{"name": "a\xff"}'))
    assert answer is not None
    assert answer.json()["detail"] == "The body is not JSON: at byte 11 it is not UTF-8."


@table(BODIES)
def test_body_in_chunks(service: Service, data: bytes, status: int) -> None:
    """What is sent in chunks is answered as the same sent with its length."""
    middle = len(data) // 2
    parts = [part for part in (data[:1], data[1:middle], data[middle:]) if part]
    if len(data) < 2:
        parts = [data] if data else []
    answer = exchange(service, post(chunked(*parts), "Transfer-Encoding: chunked"))
    check(service, answer, status)


@table({name: case for name, case in BODIES.items() if case[1] != 201})
def test_body_of_a_change(service: Service, data: bytes, status: int) -> None:
    created = requests.post(f"{service.url}/lists", json={"name": "before"}, timeout=HANG)
    target = created.headers["Location"]
    for method in ("PUT", "PATCH"):
        # PATCH takes every member as optional.
        expected = 200 if method == "PATCH" and data in (b"", b"{}") else status
        change = request(method, target, "Content-Type: application/json", body=data)
        check(service, exchange(service, change), expected)
    assert requests.get(service.url + target, timeout=HANG).json() == created.json()


@pytest.mark.parametrize("megabytes", [3, 64])
@pytest.mark.parametrize("headers", [[], ["Transfer-Encoding: chunked"]], ids=["length", "chunks"])
def test_a_client_that_sends_far_too_much_reads_why(
    service: Service, megabytes: int, headers: list[str]
) -> None:
    """The service reads on for a while: to close at once would destroy its answer on the way."""
    data = bytes(megabytes * MIB)
    check(service, exchange(service, post(chunked(data) if headers else data, *headers)), 413)
