"""The clients of bench.overload, which run in processes of their own.

A process that measures must not wait for one that makes load, so ``Apart`` calls a
coroutine function of this module in another process. The function gets a ``Caller`` as its
first argument. Everything here ends by itself: no client waits for longer than
ANSWER_SECONDS.
"""

import asyncio
import multiprocessing
import os
import re
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self

from tests.wire import request

HOST = "127.0.0.1"
CONNECT_SECONDS = 10
ANSWER_SECONDS = 40
FILES = 4096  # more than any function here opens

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answer(NamedTuple):
    """``status`` is 0 if there was no answer.

    ``fault`` says why there was none, or what is wrong with the answer; empty if nothing is.
    """

    status: int
    seconds: float
    fault: str = ""


class Caller:
    """The calling process, as a function that it called sees it."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def begun(self) -> None:
        """Let ``Apart.begun`` return."""
        self.pipe.send(None)

    async def told(self) -> None:
        """Wait for ``Apart.tell``."""
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.pipe.fileno(), heard.set)
        await heard.wait()
        loop.remove_reader(self.pipe.fileno())
        self.pipe.recv()


class Apart:
    """Calls coroutine functions, one at a time, in a process that lives as long as the block."""

    def __enter__(self) -> Self:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, other = spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(other,), daemon=True)
        self.process.start()
        other.close()
        return self

    def __exit__(self, *exception: object) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join()

    def call(self, function: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> None:
        self.pipe.send((function, arguments))

    def begun(self) -> None:
        """Wait until the function says that it has begun."""
        self.pipe.recv()

    def tell(self) -> None:
        """Let the function go on, which waits for this."""
        self.pipe.send(None)

    def result(self) -> Any:
        """Wait for the function's end."""
        return self.pipe.recv()


def serve(pipe: Connection) -> None:
    """Call what ``Apart`` sends, until its end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the caller, which ends this
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in (soft, hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(FILES, hard)), hard))
    with suppress(EOFError):
        while True:
            function, arguments = pipe.recv()
            pipe.send(asyncio.run(function(Caller(pipe), *arguments)))


async def probe(
    caller: Caller, port: int, paths: list[str], interval: float, count: int = 0
) -> dict[str, list[Answer]]:
    """GET each path every ``interval`` seconds, ``count`` times or until the caller tells.

    The paths take turns. A probe is sent when it is due, whether or not those before it were
    answered. Its time counts from then, even if this process was late.
    """
    told = None if count else asyncio.create_task(caller.told())
    sent: dict[str, list[asyncio.Task[Answer]]] = {path: [] for path in paths}
    due = time.monotonic()
    while len(sent[paths[-1]]) < count or (told and not told.done()):
        for path in paths:
            data = request("GET", path, "Connection: close")
            sent[path].append(asyncio.create_task(exchange(port, data, due)))
            due += interval / len(paths)
            await asyncio.sleep(max(due - time.monotonic(), 0))
    return {path: await asyncio.gather(*tasks) for path, tasks in sent.items()}


async def together(caller: Caller, port: int, requests: list[bytes]) -> list[Answer]:
    """Connect once for each request, and send them all when the caller tells.

    Each has to say ``Connection: close``. It is a fault if more than one answer comes.
    """
    opened, failures = await open_all(port, len(requests))
    caller.begun()
    await caller.told()

    async def client(streams: Streams, data: bytes) -> Answer:
        reader, writer = streams
        start = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(data)
                answer, _ = await receive(reader, start)
                more = await reader.read()
        except (OSError, EOFError) as error:
            return no_answer(start, error)
        finally:
            writer.close()
        return answer._replace(fault="more than one answer") if more else answer

    answers = await asyncio.gather(*map(client, opened, requests))
    return answers + failures


async def hold(caller: Caller, port: int, count: int, data: bytes) -> tuple[int, Counter[int]]:
    """Connect ``count`` times, send ``data`` on each connection, and keep them until told.

    Returns how many could connect, and of those that the service closed meanwhile how many it
    answered with which status; 0 is without an answer.
    """
    opened, _ = await open_all(port, count)
    for _, writer in opened:
        writer.write(data)
    reads = [asyncio.create_task(reader.read()) for reader, _ in opened]
    caller.begun()
    await caller.told()
    closed = [read for read in reads if read.done()]
    for _, writer in opened:
        writer.close()
    await asyncio.gather(*reads, return_exceptions=True)
    return len(opened), Counter(0 if read.exception() else status(read.result()) for read in closed)


async def sustain(
    caller: Caller, port: int, data: bytes, connections: int, seconds: float
) -> list[Answer]:
    """Send a request again and again for so long; each connection has one on its way."""
    answers: list[Answer] = []
    caller.begun()
    end = time.monotonic() + seconds

    async def client() -> None:
        streams: Streams | None = None
        while (start := time.monotonic()) < end:
            kept = False
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    streams = streams or await asyncio.open_connection(HOST, port)
                    streams[1].write(data)
                    answer, kept = await receive(streams[0], start)
                answers.append(answer)
            except (OSError, EOFError) as error:
                answers.append(no_answer(start, error))
                await asyncio.sleep(0.1)
            if streams and not kept:
                streams[1].close()
                streams = None
        if streams:
            streams[1].close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return answers


async def drip(caller: Caller, port: int, connections: int, data: bytes, rate: int) -> list[Answer]:
    """Send ``data`` on each connection byte by byte, ``rate`` bytes a second."""
    opened, failures = await open_all(port, connections)
    clients = [writer.get_extra_info("socket") for _, writer in opened]
    for client in clients:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    caller.begun()
    start = time.monotonic()
    sending = list(range(len(opened)))
    for number in range(len(data)):
        for client in list(sending):
            try:
                os.write(clients[client].fileno(), data[number : number + 1])
            except OSError:  # the service has closed it
                sending.remove(client)
        # asyncio would round the pause up to the next millisecond, and send bytes in pairs.
        time.sleep(max(start + (number + 1) / rate - time.monotonic(), 0))

    async def client_answer(streams: Streams) -> Answer:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer, _ = await receive(streams[0], start)
        except (OSError, EOFError) as error:
            return no_answer(start, error)
        finally:
            streams[1].close()
        return answer

    return await asyncio.gather(*map(client_answer, opened)) + failures


async def exchange(port: int, data: bytes, due: float | None = None) -> Answer:
    """The answer to ``data`` on a connection of its own, with the time since ``due``, or now."""
    start = time.monotonic() if due is None else due
    try:
        async with asyncio.timeout(ANSWER_SECONDS), connection(port) as (reader, writer):
            writer.write(data)
            answer, _ = await receive(reader, start)
            return answer
    except (OSError, EOFError) as error:
        return no_answer(start, error)


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def open_all(port: int, count: int) -> tuple[list[Streams], list[Answer]]:
    """``count`` connections at the same time, less those that fail."""

    async def one() -> Streams | Answer:
        start = time.monotonic()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(HOST, port)
        except OSError as error:
            return no_answer(start, error)

    all_of_them = await asyncio.gather(*(one() for _ in range(count)))
    failures = [each for each in all_of_them if isinstance(each, Answer)]
    return [each for each in all_of_them if not isinstance(each, Answer)], failures


async def receive(reader: asyncio.StreamReader, start: float) -> tuple[Answer, bool]:
    """Read an answer; return it and whether the connection stays open after it."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if length := re.search(rb"\r\ncontent-length: *([0-9]+)", head):
        await reader.readexactly(int(length[1]))
    else:
        await reader.read()
    answer = Answer(status(head), time.monotonic() - start)
    if answer.status == 503 and not re.search(rb"\r\nretry-after: *[0-9]+\r\n", head):
        answer = answer._replace(fault="503 without Retry-After")
    return answer, b"\r\nconnection: close" not in head


def status(answer: bytes) -> int:
    """The status of an answer, and 0 of nothing."""
    return int(answer.split(None, 2)[1]) if answer else 0


def no_answer(start: float, error: OSError | EOFError) -> Answer:
    if isinstance(error, TimeoutError):
        fault = "late"
    elif isinstance(error, OSError):
        fault = os.strerror(error.errno).lower() if error.errno else str(error)
    else:
        fault = "closed"
    return Answer(0, time.monotonic() - start, fault)
