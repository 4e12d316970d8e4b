"""The queue of requests that wait for a thread: its edges, and that it loses none."""

import threading
import time
from typing import Any

import pytest

from server.queue import MAX_WAIT, RequestQueue
from tests.wire import HANG


class Waiting:
    """As much of a connection as the queue looks at."""

    def __init__(self, since: float | None = None) -> None:
        self.since = time.monotonic() if since is None else since


def queue_of(threads: int, seconds: float = 0.0) -> Any:
    """A queue whose last requests took ``seconds`` each."""
    queue = RequestQueue(threads, lambda: None)
    queue.seconds = seconds
    return queue


def test_requests_are_taken_in_their_order() -> None:
    queue, conns = queue_of(2), [Waiting() for _ in range(100)]
    assert all(queue.put(conn) for conn in conns)
    assert [queue.get() for _ in range(101)] == [*conns, None]


def test_a_response_that_has_begun_goes_first() -> None:
    queue, waiting, begun = queue_of(1), Waiting(), Waiting()
    queue.put(waiting)
    queue.put_back(begun)
    assert [queue.get(), queue.get()] == [begun, waiting]


def test_a_request_that_would_wait_for_too_long_is_not_taken_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    queue = queue_of(4, MAX_WAIT / 5)
    taken_in = [queue.put(Waiting()) for _ in range(30)]
    assert taken_in == [True] * 21 + [False] * 9, "20 before it would take all of MAX_WAIT"
    assert queue.get()
    assert [queue.put(Waiting()), queue.put(Waiting())] == [True, False]
    for _ in range(13):  # so that 8 are left
        queue.get()
    early = [Waiting(now - 0.58 * MAX_WAIT) for _ in range(3)]  # which have waited before
    assert [queue.put(conn) for conn in early] == [True, False, False]


def test_a_request_that_finds_nobody_waiting_is_taken_in_however_slow_the_last_were() -> None:
    queue = queue_of(1)
    for _ in range(100):
        queue.put(Waiting())
        assert queue.get()
        queue.done(3600)
    assert queue.put(Waiting())


def test_the_queue_recovers_after_a_few_quick_requests() -> None:
    queue = queue_of(4, MAX_WAIT)
    for _ in range(30):
        queue.put(Waiting())
        assert queue.get()
        queue.done(0.001)
    assert all(queue.put(Waiting()) for _ in range(100))


def test_those_who_have_waited_for_too_long_are_taken_out() -> None:
    queue, now = queue_of(1), time.monotonic()
    late = [Waiting(now - MAX_WAIT - 1), Waiting(now - MAX_WAIT)]
    recent = [Waiting(now + HANG), Waiting(now + HANG)]
    assert queue.take_late(100) == []
    queue.waiting.extend([*late, *recent])
    assert queue.take_late(1) == late[:1]
    assert queue.take_late(100) == late[1:]
    assert [queue.get(), queue.get(), queue.get()] == [*recent, None]


def test_the_main_thread_is_told_once_when_no_thread_is_free() -> None:
    told: list[bool] = []
    queue: Any = RequestQueue(2, lambda: told.append(True))
    for free in (True, False, False):
        queue.put(Waiting())
        assert queue.is_saturated() is False
        queue.get()
        assert queue.is_saturated() is not free
        if not free:
            queue.done(0)
    assert told == [True]
    queue.announced = False
    queue.put(Waiting())
    queue.get()
    assert told == [True, True]


def test_none_is_lost_or_taken_twice_by_many_threads() -> None:
    queue, per_thread, threads = queue_of(4), 2000, 4
    taken: list[Any] = []
    refused: list[Any] = []
    ended = threading.Event()

    def put() -> None:
        for _ in range(per_thread):
            conn = Waiting()
            if not queue.put(conn):
                refused.append(conn)

    def take() -> None:
        while True:
            last = ended.is_set()
            if conn := queue.get():
                taken.append(conn)
                queue.done(MAX_WAIT)
            elif last:
                return

    def take_late() -> None:
        while not ended.is_set():
            taken.extend(queue.take_late(100))

    putting = [threading.Thread(target=put) for _ in range(threads)]
    taking = [threading.Thread(target=target) for target in [take, take, take, take_late]]
    for thread in [*putting, *taking]:
        thread.start()
    for thread in putting:
        thread.join(HANG)
    ended.set()
    for thread in taking:
        thread.join(HANG)
    found = [id(conn) for conn in [*taken, *refused]]
    assert len(found) == len(set(found)) == per_thread * threads
