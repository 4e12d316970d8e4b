"""What requests become in a worker's memory is bounded, whatever their bytes are.

Eight clients send the same request at the same time, four times. The worker's memory is measured
meanwhile. It grows by 18 MB in the first case, and then by 2 MB at most.
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest
from django.conf import settings

from tests.process import WITHOUT_COVERAGE, Service, sqlite_url
from tests.wire import exchange, post, request

pytestmark = pytest.mark.once(on="sqlite")

CLIENTS, ROUNDS = 8, 4
GROWTH = 30  # MB
BODY = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
HEAD, LINE = 31 * 1024, 7900  # bytes of the repeated header, and of each of its lines


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    url = sqlite_url(tmp_path_factory.mktemp("memory") / "service.sqlite3")
    variables = {"DATABASE_URL": url, "WEB_CONCURRENCY": "1", "THREADS": str(CLIENTS)}
    with Service(variables | WITHOUT_COVERAGE) as service:
        answer = exchange(service, post(b'{"name": "shopping"}'))
        assert answer is not None
        assert answer.headers["Location"] == "/lists/1"
        yield service


def repeated(opening: bytes, item: bytes, closing: bytes) -> bytes:
    """A body as long as it may be."""
    count = (BODY - len(opening) - len(closing) + 1) // (len(item) + 1)
    return opening + b",".join([item] * count) + closing


def lines(name: str, item: str) -> list[str]:
    """Lines of a header that fill a head."""
    line = f"{name}: {item * (LINE // len(item))}"
    return [line] * (HEAD // (len(line) + 2))


VERSIONS = ",".join(f'"{n}"' for n in range(2, 102))
COOKIES = ";".join(f"{n:x}=" for n in range(1000))
QUERY = "&".join(f"{n:x}=" for n in range(900))
CASES: dict[str, tuple[bytes, int]] = {
    "an array of objects": (post(repeated(b"[", b"{}", b"]")), 400),
    "objects in a member": (post(repeated(b'{"name": [', b'{"": 0}', b"]}")), 400),
    "arrays in a member": (post(repeated(b'{"name": [', b"[0]", b"]}")), 400),
    "5,000 members": (post(json.dumps({f"{n:x}": [] for n in range(5000)}).encode()), 400),
    "10,000 members": (post(json.dumps({f"m{n}": {} for n in range(10_000)}).encode()), 400),
    "a body of 1 MB": (post(repeated(b"[", b"{}", b"]") * 8), 413),
    "If-Match": (request("DELETE", "/lists/1", *lines("If-Match", '"2",')), 400),
    "If-Match of different versions": (
        request("DELETE", "/lists/1", f"If-Match: {VERSIONS}"),
        412,
    ),
    "If-None-Match": (request("GET", "/lists/1", *lines("If-None-Match", '"2",')), 400),
    "Accept": (request("GET", "/nothing", *lines("Accept", "a/b,")), 404),
    "Accept with parameters": (request("GET", "/lists", *lines("Accept", "a/b;c=d,")), 406),
    "Cookie": (request("GET", "/lists", *lines("Cookie", "a=b; ")), 431),
    "a thousand cookies": (
        request("GET", "/lists", f"Cookie: {COOKIES}"),
        200,
    ),
    "User-Agent": (request("GET", "/lists", *lines("User-Agent", "x")), 200),
    "a header of any name": (request("GET", "/lists", *lines("X", "a,")), 200),
    "a query": (request("GET", f"/lists?{QUERY}"), 400),
}


@contextmanager
def measured(worker: psutil.Process) -> Iterator[list[float]]:
    """Appends the worker's resident memory in MB every few milliseconds."""
    sizes = [worker.memory_info().rss / 1e6]
    ended = threading.Event()

    def measure() -> None:
        while not ended.wait(0.002):
            sizes.append(worker.memory_info().rss / 1e6)

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield sizes
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize(("data", "status"), CASES.values(), ids=CASES)
def test_a_worker_stays_small(one_worker: Service, data: bytes, status: int) -> None:
    [worker] = one_worker.workers()
    with measured(worker) as sizes, ThreadPoolExecutor(CLIENTS) as clients:
        sent = [data] * CLIENTS * ROUNDS
        answers = list(clients.map(exchange, [one_worker] * len(sent), sent))
    # A busy machine sheds some of the requests.
    assert {answer and answer.status for answer in answers} - {503} == {status}
    assert all(len(answer.body) < 10_000 for answer in answers if answer)
    assert max(sizes) - sizes[0] < GROWTH
