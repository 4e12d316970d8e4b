"""Requests that the OpenAPI document gives rise to, changed at random: none is answered with 5xx.

Each request begins as an operation of the document with its example. Then parts of it are
replaced: members, their values, bytes of the body, its media type, headers, the query, the path.
A request depends on its number and on the ids of the rows at that time, so a failure can be
repeated. ``MUTATIONS=100000`` sends more requests than the suite does.
"""

import copy
import json
import os
import random
import re
import socket
from collections import Counter, deque
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from tests.process import ROOT, WITHOUT_COVERAGE, Service
from tests.wire import chunked, post, receive, request

REQUESTS = int(os.environ.get("MUTATIONS", "3000"))
DOCUMENT = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
OPERATIONS = [
    (path, method.upper(), operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"]
# Besides those of the schema: what clients may send, and what names something inside.
MEMBERS = [
    *DOCUMENT["components"]["schemas"]["Task"]["properties"],
    *("name", "", "__class__", "_pk", "idempotency_key", "%s", "a/b~c", "x" * 300, "\0", "é", "pk"),
]
TEXTS = [
    *("", " ", "a", "\0", "a\0b", "x" * 255, "x" * 256, "%s", "%(_pk)s", "{}", "'; --", "\u202e"),
    *("true", "false", "null", "1", "-1", "1e3", "1.0", "9" * 30, "2027-02-28", "2027-02-30"),
    *("0000-00-00", "9999-12-31", "10000-01-01", "2027-02-28T00:00:00Z", "🛒" * 255, "\ufeff", "٣"),
]
NUMBERS = [
    *(0, 1, -1, 2, 1.0, 1.5, -0.0, 1e308, 2**31, 2**53 - 1, 2**53, -(2**53), 2**63 - 1, 2**63),
    *(-(2**63), 2**64, 10**30),
]
HEADERS: dict[str, list[str]] = {
    "Accept": [
        *("*/*", "application/json", "text/html", "text/*", "application/*", "application/xml"),
        *(
            "",
            ";",
            "text/html;q=0",
            "*/*;q=x",
            "text/html;charset",
            "a/b/c",
            "application/json;v=1",
        ),
        *("application/problem+json", "application/problem+json, application/json"),
        *("*", "text/html, */*", "application/json; indent=4", "application/json; indent=x"),
    ],
    "Idempotency-Key": [
        "a",
        "a",
        "a",
        "b",
        "b",
        "",
        "x" * 255,
        "x" * 256,
        "a b",
        "\xff",
        "%s",
        "'",
    ],
    "If-Match": ["*", '"1"', '"2"', 'W/"1"', "", "1", '"', '"1", "2"', f'"{2**63}"', '"\xff"', ","],
    "If-None-Match": ["*", '"1"', 'W/"1"', "", "x", '"1",', f'"{"9" * 4000}"', "*, *"],
    "If-Modified-Since": ["Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Foo 0000 00:00:00 GMT", "x"],
    "Range": ["bytes=0-1", "bytes=-", "x"],
    "Authorization": ["Token", "Token x", "Token \xff", "Basic x", "Basic Og==", "Bearer", ""],
    "Cookie": ["sessionid=x", "csrftoken=x; sessionid=", "=", ";", "a", "sessionid=\xff", "\xff"],
    "Content-Encoding": ["gzip", "identity", "\xff", ""],
    "Content-Language": ["pt", "\xff"],
    "Accept-Language": ["pt", "*", "x" * 1000, "\xff", "en;q=x"],
    "Accept-Encoding": ["gzip", "identity;q=0", "\xff"],
    "Origin": ["null", "https://evil.example", "x", "\xff"],
    "Referer": ["https://evil.example/", "\xff", "http://[", ""],
    "X-CSRFToken": ["x", "\xff"],
    "X-Forwarded-Host": ["evil.example", "[", ""],
    "X-Forwarded-Proto": ["https", "x"],
    "X-HTTP-Method-Override": ["DELETE", "x"],
    "X-Request-ID": ["x", "\xff", "x" * 200],
    "Prefer": ["return=minimal", "\xff"],
    "Host": ["evil.example", "localhost:x", "", "[", "localhost:99999", "\xff", "localhost."],
}
MEDIA_TYPES = [
    *("application/json; charset=utf-8", "application/json; charset=latin-1", "application/JSON"),
    *(
        "application/json; charset=x",
        "text/plain",
        "",
        "/",
        "json",
        "application/problem+json",
        "application/merge-patch+json",
        "\xff",
    ),
    *("application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary="),
    *("multipart/form-data; boundary=\xff", "multipart/mixed; boundary=b", "a/b; c=d; e"),
]
FORM = "multipart/form-data; boundary=b"


class Mutation:
    """One request, made from the document by the generator of its number."""

    def __init__(self, number: int, ids: dict[str, deque[int]]) -> None:
        self.random = random.Random(number)
        self.ids = ids
        self.row: tuple[str, int] | None = None
        path, self.method, operation = self.random.choice(OPERATIONS)
        self.target = re.sub(r"\{(\w+)\}", lambda found: self.id(path, found[1]), path)
        parameters = operation.get("parameters", [])
        names = [each["name"] for each in parameters if each["in"] == "query"]
        self.query = [(name, self.text()) for name in names if self.rarely(4)]
        self.body: Any = None
        if "requestBody" in operation:
            [example] = operation["requestBody"]["content"]["application/json"]["examples"].values()
            self.body = copy.deepcopy(example["value"])
        self.headers: dict[str, str] = {}
        for name in ("Idempotency-Key", "If-Match", "If-None-Match"):
            if self.rarely(3) and name in {each["name"] for each in parameters}:
                self.headers[name] = self.random.choice(HEADERS[name])

    def rarely(self, times: int) -> bool:
        """True once in so many times."""
        return self.random.randrange(times) == 0

    def id(self, path: str, name: str) -> str:
        kind = "tasks" if name == "id" and path.startswith("/tasks") else "lists"
        if self.ids[kind] and not self.rarely(8):
            self.row = kind, self.random.choice(self.ids[kind])
            return str(self.row[1])
        return quote(self.random.choice([*map(str, NUMBERS), *TEXTS]), safe="%")

    def forget(self) -> None:
        """Stop requesting the row of the last request, which may have been deleted."""
        if self.row and self.row[1] in self.ids[self.row[0]]:
            self.ids[self.row[0]].remove(self.row[1])

    def text(self) -> str:
        return str(self.random.choice([*TEXTS, *NUMBERS, *self.ids["tasks"]]))

    def value(self) -> Any:
        """Any JSON, at times nested deeper than Python's stack."""
        kind = self.random.randrange(12)
        if kind < 5:
            return self.random.choice(TEXTS)
        if kind < 8:
            return self.random.choice(NUMBERS)
        if kind < 10:
            return self.random.choice([None, True, False, [], {}, [1], {"a": 1}])
        return Deep(self.random.choice([2, 30, 200, 1000, 1030, 5000]), self.random.choice("[{"))

    def mutate(self) -> bytes:
        """The request as bytes, after some changes."""
        for _ in range(self.random.randrange(4)):
            self.random.choice([self.change_member, self.change_member, self.change_header])()
        if "Idempotency-Key" in self.headers and isinstance(self.body, dict) and self.body:
            if self.rarely(3):
                self.body["version"] = self.value()  # ignored, and not part of the fingerprint
            if self.rarely(2):
                self.body[next(iter(self.body))] = self.random.choice("bcd")
        if self.rarely(8):
            name = self.random.choice(["limit", "after", "completed", "name", "format", "x", "\0"])
            self.query.append((name, self.text()))
        if self.rarely(15):
            self.method = self.random.choice(METHODS)
        if self.rarely(20):
            self.target += self.random.choice(["/", "//", "/tasks", "/x", ";a", "%00", "%ff", "%"])
        if self.rarely(20):
            self.body = self.value()
        media_type, body = self.encode()
        if body and self.rarely(8):
            body = self.change_bytes(body)
        if self.rarely(15):
            media_type = self.random.choice(MEDIA_TYPES)
        return self.as_bytes(media_type, body)

    def change_member(self) -> None:
        if not isinstance(self.body, dict):
            return
        name = self.random.choice([*self.body, *self.random.sample(MEMBERS, 3)])
        if self.rarely(5):
            self.body.pop(name, None)
        else:
            self.body[name] = self.value()

    def change_header(self) -> None:
        name = self.random.choice(list(HEADERS))
        self.headers[name] = self.random.choice(HEADERS[name])

    def change_bytes(self, body: bytes) -> bytes:
        changed = bytearray(body)
        for _ in range(self.random.randint(1, 4)):
            place = self.random.randrange(len(changed) + 1)
            new = self.random.choice([b"", b"\0", b"\xff", b'"', b"\\", b"{", b"\\ud800", b"\r\n"])
            changed[place : place + self.random.randrange(3)] = new
        return bytes(changed)

    def encode(self) -> tuple[str, bytes | None]:
        if self.body is None and not self.rarely(10):
            return "", None
        if self.rarely(10):
            self.headers["Accept"] = self.random.choice(["text/html", "text/html, */*;q=0.1"])
            return FORM, self.form()
        return "application/json", dump(self.body)

    def form(self) -> bytes:
        """What a browser sends: the members as parts; some of them are files, or there twice."""
        members = list(self.body.items()) if isinstance(self.body, dict) else [("name", self.body)]
        parts = [(name, value, self.rarely(5)) for name, value in members]
        while self.rarely(2):
            parts.append((self.random.choice(MEMBERS), self.value(), self.rarely(2)))
        lines = []
        for name, value, is_file in parts:
            file = f'; filename="{self.random.choice(["a.txt", "", "../a"])}"' if is_file else ""
            content = value.encode() if isinstance(value, str) else dump(value)
            head = f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
            lines.append(head.encode() + content + b"\r\n")
        return b"".join(lines) + b"--b--\r\n"

    def as_bytes(self, media_type: str, body: bytes | None) -> bytes:
        query = f"?{urlencode(self.query)}" if self.query else ""
        host = self.headers.pop("Host", "localhost")
        lines = [f"{name}: {value}" for name, value in self.headers.items()]
        if body is not None:
            lines.append(f"Content-Type: {media_type}")
            if self.rarely(10):
                lines.append("Transfer-Encoding: chunked")
                body = chunked(body) if body else b"0\r\n\r\n"
        host = f"Host: {host}"
        return request(self.method, self.target + query, *lines, body=body, host=host)


class Deep:
    """Arrays or objects within each other."""

    def __init__(self, depth: int, kind: str) -> None:
        opening, closing = {"[": ("[", "]"), "{": ('{"a":', "}")}[kind]
        self.text = f"{opening * depth}1{closing * depth}"


def dump(body: Any) -> bytes:
    """JSON, written without recursion into what is nested deeply."""
    if isinstance(body, Deep):
        return body.text.encode()
    if isinstance(body, dict):
        return b"{%s}" % b",".join(
            json.dumps(name).encode() + b":" + dump(value) for name, value in body.items()
        )
    return json.dumps(body).encode()


class Client:
    """Keeps one connection for as long as the service does."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.connection: socket.socket | None = None

    def send(self, data: bytes) -> Any:
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.service.port), 30)
        self.connection.sendall(data)
        answer = receive(self.connection, data.partition(b" ")[0].decode("latin-1"))
        if answer is None or answer.headers["Connection"] != "keep-alive":
            self.close()
        return answer

    def create_rows(self, ids: dict[str, deque[int]]) -> None:
        """See to it that there are a few rows to ask for."""
        while len(ids["lists"]) < 3:
            created = self.send(post(b'{"name": "a"}'))
            ids["lists"].append(created.json()["id"])
        while len(ids["tasks"]) < 3:
            target = f"/lists/{ids['lists'][-1]}/tasks"
            created = self.send(post(b'{"title": "a"}', target=target))
            if created.status == 404:  # with its list, which was deleted
                created = self.send(post(b'{"name": "a"}'))
                ids["lists"].append(created.json()["id"])
            else:
                ids["tasks"].append(created.json()["id"])

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None


def shortened(data: bytes) -> str:
    return repr(data) if len(data) < 1500 else f"{data[:1000]!r}...{data[-300:]!r}"


def defects(service: Service) -> list[str]:
    """What the service has logged as an error, with the end of its traceback."""
    errors = [line for line in service.records() if line["level"] in ("error", "critical")]
    return [str(line)[-2000:] for line in errors]


def test_no_mutation_of_the_documents_requests_is_a_defect(serve: Callable[..., Service]) -> None:
    service = serve(**WITHOUT_COVERAGE)
    ids: dict[str, deque[int]] = {"lists": deque(maxlen=8), "tasks": deque(maxlen=8)}
    statuses: Counter[int] = Counter()
    with closing(Client(service)) as client:
        for number in range(REQUESTS):
            client.create_rows(ids)
            mutation = Mutation(number, ids)
            data = mutation.mutate()
            answer = client.send(data)
            request_line = f"request {number}: {shortened(data)}"
            assert answer is not None, f"{request_line}: no answer"
            said = f"{request_line}: {answer.status} {answer.body!r}"
            assert answer.status < 500, f"{said}\n{defects(service)}"
            if answer.status >= 400 and answer.body and answer.media_type != "text/html":
                assert answer.media_type == "application/problem+json", said
                assert answer.json()["status"] == answer.status, said
            statuses[answer.status] += 1
            if answer.status == 201:
                kind, pk = re.findall(r"^/(lists|tasks)/(\d+)$", answer.headers["Location"])[0]
                ids[kind].append(int(pk))
            if answer.status == 404 or (answer.status == 204 and mutation.method == "DELETE"):
                mutation.forget()
    print(f"{REQUESTS} requests: {dict(sorted(statuses.items()))}")
    # They reach what they are to test: some succeed, and no kind of refusal is missing.
    assert {200, 201, 204, 400, 404, 412, 415, 422} <= statuses.keys()
    assert not defects(service)
