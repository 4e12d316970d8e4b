"""Bad requests harm nobody with whom their sender shares a connection to the service.

A proxy sends the requests of many clients through a few connections. A response too many on one of
these is taken for the response to somebody else's request, and a connection that closes without
having said so takes somebody else's request along.
"""

import http.client
import itertools
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from io import BytesIO
from typing import NamedTuple, Self, TypeVar

import orjson
import pytest
import requests
from django.conf import settings

from tests.conftest import empty_database
from tests.load import eventually, names
from tests.process import Service
from tests.proxies import CONNECTIONS, HAProxy, Nginx, Proxy
from tests.wire import HANG, Answer, chunked, connect, post, receive, receive_all, request

pytestmark = pytest.mark.once(on="postgresql")

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
NAME = b'{"name": "shopping"}'
ATTACKERS = 2
REQUESTS = 80  # of each attacker
NEIGHBOURS = 3


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With one worker, so that all clients meet in it."""
    with (
        empty_database(tmp_path_factory.mktemp("service")) as url,
        Service({"DATABASE_URL": url, "WEB_CONCURRENCY": "1"}) as started,
    ):
        yield started
        assert not [line for line in started.records() if line["level"] in ("error", "critical")]


@pytest.fixture(scope="module", params=[HAProxy, Nginx], ids=lambda kind: kind.program)
def proxy(request: pytest.FixtureRequest, service: Service) -> Iterator[Proxy]:
    with request.param(service) as started:
        yield started


def answers(received: bytes, *methods: str) -> list[Answer]:
    """All answers in ``received``, which has nothing else in it.

    ``methods`` are those of the requests; without them, none is HEAD.
    """
    stream, found = BytesIO(received), []
    remaining = itertools.chain(methods, itertools.repeat("GET"))
    while line := stream.readline():
        assert line.startswith(b"HTTP/1.1 "), line
        status, headers = int(line[9:12]), http.client.parse_headers(stream)
        if status == 100:
            continue
        if next(remaining) == "HEAD" or status == 204:
            body = b""
        elif headers["Transfer-Encoding"] == "chunked":
            body = b"".join(chunks(stream))
        else:
            body = exactly(stream, int(headers["Content-Length"]))
        found.append(Answer(status, headers, body))
    return found


def chunks(stream: BytesIO) -> Iterator[bytes]:
    while size := int(stream.readline(), 16):
        yield exactly(stream, size + 2)[:-2]
    assert exactly(stream, 2) == b"\r\n"


def exactly(stream: BytesIO, size: int) -> bytes:
    data = stream.read(size)
    assert len(data) == size, "the connection was closed within a response"
    return data


class Neighbours:
    """Well-behaved clients that create and read lists while the block runs.

    ``created`` are the names of the lists that they sent, and ``complaints`` says what is wrong
    with each answer that was not the one to its request, or that did not come.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.count = 0
        self.created: list[str] = []
        self.complaints: list[str] = []
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        self.executor = ThreadPoolExecutor(NEIGHBOURS)
        self.futures = [self.executor.submit(self._client) for _ in range(NEIGHBOURS)]
        return self

    def __exit__(self, *exception: object) -> None:
        self.ended.set()
        self.executor.shutdown()
        for future in self.futures:
            self.count += future.result()

    def _client(self) -> int:
        """How many requests it sent: at least 20, and the last one after the block."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        count = 0
        for count in itertools.count(1):
            method, ended = "POST" if count % 2 else "GET", self.ended.is_set()
            try:
                complaint = self._ask(connection, method)
            except (OSError, http.client.HTTPException) as error:
                complaint = type(error).__name__
                connection.close()
            if complaint:
                self.complaints.append(f"{method}: {complaint}")
            if count >= 20 and ended:
                break
        connection.close()
        return count

    def _ask(self, connection: http.client.HTTPConnection, method: str) -> str | None:
        identifier = uuid.uuid4().hex
        headers = {"X-Request-ID": identifier, "Content-Type": "application/json"}
        if method == "POST":
            self.created.append(identifier)
            connection.request(method, "/lists", orjson.dumps({"name": identifier}), headers)
        else:
            connection.request(method, "/lists?limit=1", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != (201 if method == "POST" else 200):
            return f"{answer.status} {body[:50]!r}"
        if answer.headers["X-Request-ID"] != identifier:
            return "the answer to another request"
        content = orjson.loads(body)
        own = content["name"] == identifier if method == "POST" else isinstance(content, list)
        return None if own else f"{body[:50]!r}"

    def check(self, service: Service) -> None:
        failed, kinds = len(self.complaints), Counter(self.complaints).most_common(5)
        assert failed == 0, f"{failed} of {self.count} good requests failed: {kinds}"
        found = names(service)
        assert [name for name in self.created if found[name] != 1] == []


class Attack(NamedTuple):
    """What an attacker sends, in turns, and with which status the service may answer it.

    Between the parts of a request the attacker waits for 100 Continue. With ``cut``, it stops in
    the middle of the request.
    """

    requests: list[tuple[bytes, ...]]
    statuses: set[int]
    cut: bool = False


def filler(size: int) -> bytes:
    """A body of this size. Whoever takes it for requests answers them with 404."""
    inner = request("GET", "/lists/0")
    return (inner * (size // len(inner) + 1))[:size]


ID = "X-Request-ID: attack"
CHUNKS = "Transfer-Encoding: chunked"
BEHIND = request("GET", "/lists?limit=1", "X-Request-ID: behind", "Connection: close")


def in_chunks(size: int) -> bytes:
    """A body of this size in many chunks."""
    data = filler(size)
    return chunked(*(data[start : start + 50_000] for start in range(0, size, 50_000)))


def expecting(size: int) -> tuple[bytes, ...]:
    """A request that waits for 100 Continue before it sends a body of this size."""
    return post(b"", ID, "Expect: 100-continue", f"Content-Length: {size}"), filler(size)


ATTACKS = {
    "a forbidden trailer behind a body that is too large": Attack(
        [
            (post(body[:-2] + b"Content-Length: 5\r\n\r\n", ID, CHUNKS),)
            for size in (LIMIT + 1000, LIMIT + 10_000)
            for body in (chunked(filler(size)), in_chunks(size))
        ],
        {400, 413},
    ),
    "a body that nobody reads": Attack(
        [(request("GET", "/health/live", ID, body=filler(150_000)),)], {200, 413}
    ),
    "a body that is too large": Attack([(post(filler(LIMIT + 1), ID),)], {413}),
    "a chunk without a size": Attack(
        [
            (post(body[:-5] + b"size\r\n" + filler(100), ID, CHUNKS),)
            for body in (chunked(NAME), in_chunks(100_000), in_chunks(LIMIT + 10_000))
        ],
        {400, 413},
    ),
    "a body that is cut off": Attack(
        [
            (post(filler(10), ID, "Content-Length: 1000"),),
            (post(filler(100_000), ID, "Content-Length: 150000"),),
            (post(filler(100_000), ID, f"Content-Length: {LIMIT + 1}"),),
            (post(in_chunks(100_000)[:-7], ID, CHUNKS),),
            (post(in_chunks(LIMIT + 10_000)[:-7], ID, CHUNKS),),
            (request("GET", "/health/live", ID, "Content-Length: 150000", body=filler(1000)),),
        ],
        {200, 400, 413},
        cut=True,
    ),
    "a malformed header": Attack(
        [
            (post(body, ID, header),)
            for header in ("A header: x", "X: a\x01b", "Content-Type: text/x", f"X: {'x' * 9000}")
            for body in (NAME, filler(1000))
        ],
        {400, 431},
    ),
    "a body that is too large, with Expect": Attack(
        [expecting(LIMIT + 1), (b"".join(expecting(LIMIT + 1)),)], {413}
    ),
    "a GET with chunks that are too large": Attack(
        [
            (request("GET", "/lists?limit=1", ID, CHUNKS, body=in_chunks(LIMIT + extra)),)
            for extra in (10_000, 150_000)
        ],
        {200, 413},
    ),
    "a request behind an ambiguous length": Attack(
        [
            (post(b"0\r\n\r\n" + request("GET", "/lists/0"), ID, *headers),)
            for headers in (
                ["Content-Length: 4", CHUNKS],
                ["Content-Length: 4", "Content-Length: 47"],
                ["Content-Length: 4", "Transfer-Encoding: identity"],
                ["Content-Length: 4", "Transfer-Encoding : chunked"],
                ["Content-Length: 4", "Transfer-Encoding:\x0bchunked"],
            )
        ],
        {400, 501},  # 501 is nginx's, for an unknown transfer coding
    ),
}

each_attack = pytest.mark.parametrize(
    "attack",
    [pytest.param(attack, id=name) for name, attack in ATTACKS.items()],
)


def send(connection: socket.socket, parts: tuple[bytes, ...]) -> bool:
    """Whether all parts were sent; otherwise the answer came before the last one."""
    connection.sendall(parts[0])
    for part in parts[1:]:
        if not connection.recv(100, socket.MSG_PEEK).startswith(b"HTTP/1.1 100 "):
            return False
        connection.sendall(part)
    return True


T = TypeVar("T")


def run(attack: Attack, ask: Callable[[tuple[bytes, ...]], T]) -> list[T]:
    """What ``ask`` returns for the attack's requests, in turns, from all attackers at once."""

    def attacker() -> list[T]:
        turns = itertools.islice(itertools.cycle(attack.requests), REQUESTS)
        return [ask(parts) for parts in turns]

    with ThreadPoolExecutor(ATTACKERS) as executor:
        futures = [executor.submit(attacker) for _ in range(ATTACKERS)]
        return [result for future in futures for result in future.result()]


@each_attack
def test_a_bad_request_is_answered_once_and_then_the_one_behind_it(
    service: Service, attack: Attack
) -> None:
    """Or the connection closes, and the first answer says that it does."""

    def ask(parts: tuple[bytes, ...]) -> bytes:
        with connect(service) as connection:
            if send(connection, parts) and not attack.cut:
                connection.sendall(BEHIND)
            else:
                connection.shutdown(socket.SHUT_WR)
            return receive_all(connection)

    with Neighbours(service.port) as neighbours:
        received = run(attack, ask)
    neighbours.check(service)
    for found in map(answers, received):
        if attack.cut:
            assert len(found) <= 1
            assert {answer.status for answer in found} <= attack.statuses
            continue
        first, *others = found
        assert first.status in attack.statuses
        # It is a new one if the header was not read, since another is malformed.
        assert first.headers["X-Request-ID"] not in ("behind", None)
        if first.headers["Connection"] == "close":
            assert others == []
        else:
            assert [other.headers["X-Request-ID"] for other in others] == ["behind"]
            assert others[0].status == 200


def test_clients_of_a_proxy_share_its_connections(service: Service, proxy: Proxy) -> None:
    """Otherwise the next test would prove nothing."""

    def connections() -> int:
        (worker,) = service.workers()
        found = worker.net_connections("tcp")
        return len([one for one in found if one.raddr and one.laddr.port == service.port])

    with ExitStack() as stack:
        for _ in range(2 * CONNECTIONS):
            session = stack.enter_context(requests.Session())
            assert session.get(f"http://127.0.0.1:{proxy.port}/lists?limit=1", timeout=HANG).ok
        eventually(lambda: 0 < connections() <= CONNECTIONS, "shared connections")


@each_attack
def test_a_bad_request_harms_nobody_behind_the_same_proxy(
    service: Service, proxy: Proxy, attack: Attack
) -> None:
    def ask(parts: tuple[bytes, ...]) -> Answer | None:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=HANG) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it has answered and closed
                send(connection, parts)
            return None if attack.cut else receive(connection)

    with Neighbours(proxy.port) as neighbours:
        found = run(attack, ask)
    neighbours.check(service)
    assert {answer.status for answer in found if answer} <= attack.statuses


@pytest.mark.parametrize("piece", [1_000_000, 50], ids=["at once", "in pieces"])
def test_pipelined_requests_with_bodies_of_both_kinds_are_answered_in_order(
    service: Service, piece: int
) -> None:
    created = requests.post(f"{service.url}/lists", json={"name": "before"}, timeout=HANG)
    one, json, many = created.headers["Location"], "Content-Type: application/json", chunked
    turns: list[tuple[str, str, list[str], bytes | None, int]] = [
        ("GET", "/lists?limit=1", [], None, 200),
        ("POST", "/lists", [json], NAME, 201),
        ("POST", "/lists", [json, CHUNKS], many(NAME[:5], NAME[5:]), 201),
        ("HEAD", one, [], None, 200),
        ("PUT", one, [json, CHUNKS], many(NAME), 200),
        ("PATCH", one, [json], NAME, 200),
        ("GET", one, [], filler(1000), 200),
        ("GET", one, [CHUNKS], in_chunks(1000), 200),
        ("POST", "/lists", [json], b"rubbish", 400),
        ("POST", "/lists", [json, CHUNKS], many(b"rubbish"), 400),
        ("OPTIONS", "/lists", [], None, 200),
        ("DELETE", one, [], None, 204),
        ("GET", one, [], None, 404),
        ("GET", "/lists?limit=1", ["Connection: close"], None, 200),
    ]
    data = b"".join(
        request(method, target, f"X-Request-ID: {number}", *headers, body=body)
        for number, (method, target, headers, body, _) in enumerate(turns)
    )
    with connect(service) as connection:
        for start in range(0, len(data), piece):
            connection.sendall(data[start : start + piece])
        found = answers(receive_all(connection), *(method for method, *_ in turns))
    assert [(answer.headers["X-Request-ID"], answer.status) for answer in found] == [
        (str(number), status) for number, (*_, status) in enumerate(turns)
    ]
