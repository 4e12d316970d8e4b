"""When no thread is free, and when the clients are too many."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psycopg2
import pytest
import requests

from tests.load import names
from tests.process import Service
from tests.wire import HANG, connect, receive, request

Serve = Callable[..., Service]


@contextmanager
def writes_blocked(url: str) -> Iterator[None]:
    """Whoever writes to a list waits during the block; who reads does not."""
    if url.startswith("sqlite"):
        lock = sqlite3.connect(urlsplit(url).path)
        lock.execute("BEGIN IMMEDIATE")
        yield
        lock.rollback()
        lock.close()
    else:
        connection = psycopg2.connect(url)
        connection.cursor().execute("LOCK TABLE tasklists_tasklist IN EXCLUSIVE MODE")
        yield
        connection.rollback()
        connection.close()


def get(service: Service, path: str) -> requests.Response:
    return requests.get(f"{service.url}{path}", timeout=HANG)


@pytest.mark.parametrize("writers", [4, 8, 12])
def test_probes_and_reads_are_answered_while_writers_wait_for_a_lock(
    serve: Serve, database_url: str, writers: int
) -> None:
    """Half of the threads, all of them, and more: reads for which there is none are shed."""
    service = serve(WEB_CONCURRENCY="2", THREADS="4")

    def write(number: int) -> requests.Response:
        json = {"name": f"write {number}"}
        return requests.post(f"{service.url}/lists", json=json, timeout=HANG)

    with ThreadPoolExecutor(writers) as waiting, ThreadPoolExecutor(20) as executor:
        with writes_blocked(database_url):
            written = [waiting.submit(write, number) for number in range(writers)]
            paths = ["/health/live", "/health/ready", "/lists?limit=1"] * 20
            read = list(executor.map(lambda path: get(service, path), paths))
            # Those that the threads handle; the others were shed already.
            assert sum(not each.done() for each in written) in range(1, 9)
        answers = [each.result() for each in written]
    assert {answer.status_code for answer in read if "health" in answer.url} == {200}
    for answer in [*read, *answers]:
        assert answer.status_code in (200, 201, 503), answer.text
        if answer.status_code == 503:
            assert answer.headers["Retry-After"] == "1"
            assert answer.headers["X-Request-ID"]
            assert answer.json()["detail"]
    acknowledged = [answer.json()["name"] for answer in answers if answer.status_code == 201]
    assert acknowledged
    assert sorted(names(service)) == sorted(acknowledged)
    assert get(service, "/lists").status_code == 200


@pytest.mark.once(on="sqlite")
def test_probes_are_answered_while_requests_stall(serve: Serve) -> None:
    service = serve(WEB_CONCURRENCY="1", THREADS="2", CLIENT_TIMEOUT="600")
    with ExitStack() as stack:
        for _ in range(256):
            stack.enter_context(connect(service)).sendall(b"GET /lists HTTP/1.1\r\nHost: loc")
        for path in ("/health/live", "/health/ready", "/lists"):
            assert get(service, path).status_code == 200


@pytest.mark.once(on="postgresql")
def test_every_client_of_a_burst_is_answered_and_the_service_recovers(serve: Serve) -> None:
    """By 200, or by 503 if it would have waited for too long."""
    service = serve(WEB_CONCURRENCY="1")
    statuses = []
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(service)) for _ in range(800)]
        for client in clients:
            client.sendall(request("GET", "/lists?limit=100"))
        for client in clients:
            answer = receive(client)
            assert answer is not None
            statuses.append(answer.status)
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) > len(statuses) / 10
    assert get(service, "/lists").status_code == 200


@pytest.mark.once(on="sqlite")
def test_a_busy_worker_leaves_new_connections_to_another_one(
    serve: Serve, database_url: str
) -> None:
    """One worker has no free thread; connections that it accepted would be shed."""
    service = serve(WEB_CONCURRENCY="2", THREADS="1", CLIENT_TIMEOUT="600")
    with ThreadPoolExecutor(1) as executor, writes_blocked(database_url):
        write = executor.submit(
            requests.post, f"{service.url}/lists", json={"name": "x"}, timeout=HANG
        )
        statuses = [get(service, "/lists").status_code for _ in range(50)]
        assert not write.done()
    assert statuses.count(200) >= 40
