"""SIGTERM: what was accepted is answered, the process ends, and nothing stays behind."""

import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil
import pytest
import requests

from server.heartbeat import GAP
from tests.load import eventually, names
from tests.process import Service, free_port, start
from tests.wire import HANG, connect, post, receive, request

Serve = Callable[..., Service]


def end(service: Service) -> int:
    service.process.send_signal(signal.SIGTERM)
    return service.process.wait(HANG)


def processes_of(service: Service) -> list[psutil.Process]:
    return [psutil.Process(service.process.pid), *service.workers()]


def assert_ended(service: Service, processes: list[psutil.Process]) -> None:
    assert service.process.wait(HANG) == 0
    assert_gone(processes)


def assert_gone(processes: list[psutil.Process]) -> None:
    eventually(lambda: not any(map(is_alive, processes)), "the workers to end")


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_requests_whose_connection_was_accepted_are_answered(serve: Serve) -> None:
    """Far more than there are threads, half of them with a body still on its way."""
    service = serve(WEB_CONCURRENCY="2", THREADS="2")
    count = 60
    connected = threading.Barrier(count + 1, timeout=HANG)
    stopping = threading.Event()

    def client(number: int) -> int:
        body = b'{"name": "request %d"}' % number
        data = post(body)
        half = len(data) - 5 if number % 2 else len(data)
        with connect(service) as connection:
            connection.sendall(data[:half])
            connected.wait()
            stopping.wait(HANG)
            connection.sendall(data[half:])
            answer = receive(connection, "POST")
            assert answer is not None
            return answer.status

    with ThreadPoolExecutor(count) as executor:
        answers = [executor.submit(client, number) for number in range(count)]
        connected.wait()
        service.process.send_signal(signal.SIGTERM)
        stopping.set()
        # A busy machine sheds some of the requests.
        assert {answer.result() for answer in answers} - {503} == {201}
    assert service.process.wait(HANG) == 0


def test_writes_until_the_end_are_kept(serve: Serve, database_url: str) -> None:
    """Clients write on new connections until they are refused; none is left without an answer."""
    service = serve()
    acknowledged: list[str] = []
    unanswered: list[str] = []
    writing = threading.Event()

    def client(client_number: int) -> None:
        for number in range(100_000):
            name = f"{client_number}-{number}"
            try:
                connection = socket.create_connection(("127.0.0.1", service.port), timeout=HANG)
            except ConnectionRefusedError:
                return
            with connection:
                try:
                    connection.sendall(post(b'{"name": "%s"}' % name.encode(), "Connection: close"))
                    answer = receive(connection, "POST")
                except OSError:
                    answer = None
                if answer is None:  # reset
                    unanswered.append(name)
                    continue
                assert answer.status == 201
                acknowledged.append(name)
                writing.set()

    with ThreadPoolExecutor(8) as executor:
        clients = [executor.submit(client, number) for number in range(8)]
        assert writing.wait(HANG)
        eventually(lambda: len(acknowledged) > 50, "writes")
        assert end(service) == 0
        for each in clients:
            each.result()
    found = names(serve())
    assert all(found[name] == 1 for name in acknowledged)
    # A handshake that the kernel completes while the last listener closes cannot be told apart.
    assert len(unanswered) <= len(clients)


def test_every_connection_in_the_listeners_queue_is_answered(serve: Serve) -> None:
    """No worker has seen them when it is told to stop."""
    service = serve()
    arbiter, *workers = processes_of(service)
    with ExitStack() as stack:
        for worker in workers:
            worker.suspend()
        clients = [stack.enter_context(connect(service)) for _ in range(40)]
        for client in clients:
            client.sendall(post(b'{"name": "queued"}'))
        service.process.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.terminate()  # as the server does, who may be slower than what follows
            worker.resume()
        answers = [receive(client, "POST") for client in clients]
    assert [answer and answer.status for answer in answers] == [201] * 40
    assert_ended(service, [arbiter, *workers])


def test_a_request_on_an_idle_connection_is_answered(serve: Serve) -> None:
    service = serve()
    processes = processes_of(service)
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(service)) for _ in range(10)]
        for client in clients:
            client.sendall(request())
            assert receive(client)
        service.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.sendall(request())
        for client in clients:
            answer = receive(client)
            assert answer is not None
            assert answer.status == 200
    assert_ended(service, processes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.once(on="sqlite")
def test_idle_clients_do_not_hold_it_up(serve: Serve, number: signal.Signals) -> None:
    # Were it to wait for one of them, it would for longer than a test does.
    service = serve(KEEP_ALIVE="600", CLIENT_TIMEOUT="600", GRACEFUL_TIMEOUT="600")
    processes = processes_of(service)
    with ExitStack() as stack:
        for used in (True, False) * 5:
            client = stack.enter_context(connect(service))
            if used:
                client.sendall(request())
                assert receive(client)
        service.process.send_signal(number)
        assert_ended(service, processes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_that_has_begun_is_answered(serve: Serve, number: signal.Signals) -> None:
    service = serve()
    processes = processes_of(service)
    body = b'{"name": "begun"}'
    with connect(service) as client:
        client.sendall(post(b"", f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        service.process.send_signal(number)
        eventually(lambda: is_refused(service), "new connections to be refused")
        client.sendall(body)
        answer = receive(client, "POST")
        assert answer is not None
        assert answer.status == 201
    assert_ended(service, processes)


def is_refused(service: Service) -> bool:
    try:
        with connect(service):
            return False
    except OSError:  # also by a reset of what was in the listener's queue
        return True


@pytest.mark.once(on="sqlite")
def test_a_request_that_never_ends_is_given_up_in_time(serve: Serve) -> None:
    service = serve(CLIENT_TIMEOUT="600", GRACEFUL_TIMEOUT="1")
    processes = processes_of(service)
    with connect(service) as client:
        client.sendall(post(b"{", "Content-Length: 1000", "Expect: 100-continue"))
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        service.process.send_signal(signal.SIGTERM)
        assert_ended(service, processes)


@pytest.mark.once(on="sqlite")
def test_workers_end_with_a_parent_that_is_killed(serve: Serve) -> None:
    service = serve()
    processes = processes_of(service)
    service.process.kill()
    service.process.wait(HANG)
    assert_gone(processes)


@pytest.mark.once(on="sqlite")
def test_a_worker_that_dies_is_replaced(serve: Serve) -> None:
    service = serve(WEB_CONCURRENCY="1")
    arbiter, worker = processes_of(service)
    worker.kill()
    eventually(lambda: set(arbiter.children()) - {worker}, "another worker")
    assert requests.get(f"{service.url}/lists", timeout=HANG).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.once(on="sqlite")
def test_a_worker_that_has_only_just_begun_is_stopped_as_well(
    serve: Serve, number: signal.Signals
) -> None:
    service = serve(WEB_CONCURRENCY="1", GRACEFUL_TIMEOUT="600")
    arbiter, worker = processes_of(service)
    worker.kill()
    end = time.monotonic() + HANG
    while not (begun := set(arbiter.children()) - {worker}):  # at once, hence without a pause
        assert time.monotonic() < end
    (young,) = begun
    # Where it has no handler yet.
    young.suspend()
    service.process.send_signal(number)
    told = f"Handling signal: {number.name.removeprefix('SIG').lower()}"
    eventually(lambda: told in service.text(), "the arbiter to be told")
    young.resume()
    assert_ended(service, [arbiter, young])


def test_it_can_be_stopped_while_it_becomes_gunicorn(database_url: str) -> None:
    with start("serve", DATABASE_URL=database_url, PORT=str(free_port())) as process:
        assert process.stdout
        assert any("the database is up to date" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        # By gunicorn's handler, or at the last moment by that of manage.py.
        assert process.wait(HANG) in (0, 128 + signal.SIGTERM)


@pytest.mark.once(on="sqlite")
def test_it_can_be_stopped_while_it_waits_for_the_database() -> None:
    """By a handler of its own: the first process of a container ignores SIGTERM without one."""
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    port = str(free_port())
    with start("serve", DATABASE_URL=url, DATABASE_WAIT="600", PORT=port) as process:
        assert process.stdout
        assert any("waiting for the database" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG) == 128 + signal.SIGTERM


@pytest.mark.once(on="sqlite")
def test_a_new_arbiter_takes_over_on_sigusr2(serve: Serve) -> None:
    """It inherits the listening socket, so the old one can be stopped without an interruption."""
    service = serve(WEB_CONCURRENCY="1")
    old, worker = processes_of(service)
    service.process.send_signal(signal.SIGUSR2)
    eventually(lambda: len(old.children(recursive=True)) == 3, "another arbiter with its worker")
    (new,) = set(old.children()) - {worker}
    try:
        assert end(service) == 0
        assert_gone([old, worker])
        with connect(service) as client:
            client.sendall(request())
            answer = receive(client)
        assert answer is not None
        assert answer.status == 200
    finally:
        processes = [new, *new.children()]
        new.terminate()
        assert_gone(processes)


@pytest.mark.once(on="sqlite")
def test_processes_that_were_suspended_for_long_go_on(serve: Serve) -> None:
    """As by `docker pause`: no worker could give a sign, and none is killed for it."""
    service = serve(GUNICORN_CMD_ARGS="--timeout=3")
    arbiter, *workers = processes_of(service)
    with connect(service) as client:
        # Without this, the worker may be suspended while it accepts the connection.
        client.sendall(request())
        assert receive(client)
        for process in [arbiter, *workers]:
            process.suspend()
        time.sleep(GAP + 1)
        for process in [arbiter, *workers]:  # the arbiter looks before a worker can give a sign
            process.resume()
        client.sendall(request())
        answer = receive(client)
        assert answer is not None
        assert answer.status == 200
        time.sleep(2)  # in which the arbiter would have killed them
    assert service.workers() == workers
    assert "TIMEOUT" not in service.text()
