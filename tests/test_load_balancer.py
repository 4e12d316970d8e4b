"""The load balancer of `make kind`: its connections, and the ports that Services ask for."""

import asyncio
import gc
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.kind.load_balancer import Balancer, Service, ports_of
from tests.process import free_port

pytestmark = pytest.mark.once(on="sqlite")

NAME = "default/lb-svc"


def service(port: int, node_port: int, **spec: Any) -> Service:
    ports = [{"port": port, "nodePort": node_port, "protocol": "TCP"}]
    return {
        "metadata": {"namespace": "default", "name": "lb-svc"},
        "spec": {"type": "LoadBalancer", "ports": ports, **spec},
    }


class Machine:
    """A balancer in a thread of its own. Its node is this machine."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.balancer = Balancer()
        self.balancer.nodes = ["127.0.0.1"]

    def follow(self, *services: Service) -> bool:
        """Tell the balancer which Services there are; whether all have their ports."""
        by_name = dict.fromkeys([NAME] if services else [], *services)
        following = asyncio.run_coroutine_threadsafe(self.balancer.follow(by_name), self.loop)
        return len(following.result(10)) == len(services)


@pytest.fixture
def machine() -> Iterator[Machine]:
    with asyncio.Runner() as runner:
        stopping = asyncio.Event()

        async def run() -> None:
            await stopping.wait()

        thread = threading.Thread(target=lambda: runner.run(run()))
        loop = runner.get_loop()
        thread.start()
        machine = Machine(loop)
        try:
            yield machine
            machine.follow()
        finally:
            loop.call_soon_threadsafe(stopping.set)
            thread.join()


Answer = Callable[[socket.socket], None]


@contextmanager
def node(answer: Answer) -> Iterator[int]:
    """A port on which something like a pod answers one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side ends."""
    return b"".join(iter(lambda: connection.recv(2**16), b""))


def answer_after_the_end(connection: socket.socket) -> None:
    connection.sendall(b"got " + everything(connection))


def echo(connection: socket.socket) -> None:
    while data := connection.recv(2**16):
        connection.sendall(data)


def reset(connection: socket.socket) -> None:
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host, port), timeout=10)


def test_a_side_that_has_ended_still_gets_the_whole_answer(machine: Machine) -> None:
    port = free_port()
    with node(answer_after_the_end) as node_port:
        assert machine.follow(service(port, node_port))
        with connect(port, "localhost") as client:
            client.sendall(b"x" * 2**22)
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b"got " + b"x" * 2**22


def test_the_garbage_collector_takes_no_connection_that_has_ended_on_one_side(
    machine: Machine,
) -> None:
    """Nothing but the answer that it waits for refers to such a connection."""
    port, asked, collected = free_port(), threading.Event(), threading.Event()

    def answer(connection: socket.socket) -> None:
        question = everything(connection)
        asked.set()
        collected.wait(10)
        connection.sendall(question)

    with node(answer) as node_port:
        assert machine.follow(service(port, node_port))
        with connect(port) as client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            assert asked.wait(10)
            gc.collect()
            collected.set()
            assert everything(client) == b"hello"


def test_a_reset_of_the_pod_is_passed_on(machine: Machine) -> None:
    port = free_port()
    with node(reset) as node_port:
        assert machine.follow(service(port, node_port))
        with connect(port) as client:
            client.sendall(b"x")
            with pytest.raises(ConnectionResetError):
                everything(client)


def test_a_reset_of_the_client_is_passed_on(machine: Machine) -> None:
    port, seen = free_port(), []

    def wait(connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            everything(connection)
        except ConnectionResetError as error:
            seen.append(error)

    with node(wait) as node_port:
        assert machine.follow(service(port, node_port))
        with connect(port) as client:
            client.sendall(b"x")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert seen


def test_the_next_node_is_asked_where_one_refuses(machine: Machine) -> None:
    machine.balancer.nodes = ["127.0.0.2", "127.0.0.1"]
    port = free_port()
    with node(echo) as node_port:
        assert machine.follow(service(port, node_port))
        with connect(port) as client:
            client.sendall(b"hello")
            assert client.recv(5) == b"hello"


def test_a_connection_that_no_node_accepts_is_reset(machine: Machine) -> None:
    port = free_port()
    assert machine.follow(service(port, free_port()))
    with pytest.raises(ConnectionResetError), connect(port) as client:
        everything(client)


def test_a_service_is_pending_until_its_port_is_free(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not machine.follow(service(port, free_port()))
    assert machine.follow(service(port, free_port()))


def test_a_service_that_is_gone_keeps_its_connections_but_not_its_port(machine: Machine) -> None:
    port = free_port()
    with node(echo) as node_port:
        assert machine.follow(service(port, node_port))
        with connect(port) as client:
            client.sendall(b"before")
            assert client.recv(6) == b"before"
            machine.follow()
            with pytest.raises(ConnectionRefusedError):
                connect(port)
            client.sendall(b"after")
            assert client.recv(5) == b"after"


def test_a_service_that_changes_its_port_has_only_the_new_one(machine: Machine) -> None:
    old, new = free_port(), free_port()
    with node(echo) as node_port:
        assert machine.follow(service(old, node_port))
        assert machine.follow(service(new, node_port))
        with pytest.raises(ConnectionRefusedError):
            connect(old)
        with connect(new) as client:
            client.sendall(b"hello")
            assert client.recv(5) == b"hello"


def test_services_of_others_are_left_alone() -> None:
    assert ports_of(service(5000, 30000)) == {5000: 30000}
    assert ports_of(service(5000, 30000, type="ClusterIP")) == {}
    assert ports_of(service(5000, 30000, loadBalancerClass="example.com/other")) == {}
    deleted = service(5000, 30000)
    deleted["metadata"]["deletionTimestamp"] = "2026-11-28T00:00:00Z"
    assert ports_of(deleted) == {}
