"""A load balancer at localhost for a cluster that has none: ``python load_balancer.py CONTEXT``.

Every Service of type LoadBalancer gets the address ``localhost``, as in Docker Desktop. A connection
to a port of the Service is passed on to its port on a node, so this machine has to reach the nodes. A
Service whose port is taken stays pending until the port is free. CONTEXT is one of kubectl's.
"""

import asyncio
import json
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

ADDRESS = "127.0.0.1"
INGRESS = [{"hostname": "localhost"}]
CONNECT_SECONDS = 5
RETRY_SECONDS = 1  # until a port that was taken, or a cluster that did not answer, is tried again
WATCH_SECONDS = 240  # after which all Services are listed again
LINE_BYTES = 2**22  # the longest event of a watch
WAITING = b"\n"

Service = dict[str, Any]
Ports = dict[int, int]  # the port of a node for each port of the Service


class Kubectl:
    """kubectl with one context."""

    def __init__(self, context: str) -> None:
        self.command = ("kubectl", f"--context={context}")

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.command, *arguments, stdout=subprocess.PIPE, limit=LINE_BYTES
        )

    async def run(self, *arguments: str) -> bytes:
        """The standard output; ChildProcessError if the command fails, which has said why."""
        process = await self.start(*arguments)
        output, _ = await process.communicate()
        if process.returncode:
            raise ChildProcessError(f"kubectl {arguments[0]} failed")
        return output

    async def nodes(self) -> list[str]:
        """The address of each node."""
        listed = json.loads(await self.run("get", "--raw=/api/v1/nodes"))
        return [
            address["address"]
            for node in listed["items"]
            for address in node["status"]["addresses"]
            if address["type"] == "InternalIP"
        ]

    async def changes(self) -> AsyncGenerator[dict[str, Service]]:
        """All Services by name: at first, after each change and after RETRY_SECONDS without one.

        Ends after WATCH_SECONDS.
        """
        listed = json.loads(await self.run("get", "--raw=/api/v1/services"))
        services = {name_of(service): service for service in listed["items"]}
        yield services
        query = f"watch=1&resourceVersion={listed['metadata']['resourceVersion']}"
        path = f"/api/v1/services?{query}&timeoutSeconds={WATCH_SECONDS}"
        watch = await self.start("get", f"--raw={path}")
        assert watch.stdout
        try:
            while line := await next_line(watch.stdout):
                if line is not WAITING:
                    event = json.loads(line)
                    if event["type"] == "ERROR":  # what was listed is too old to go on from
                        return
                    services.pop(name_of(event["object"]), None)
                    if event["type"] != "DELETED":
                        services[name_of(event["object"])] = event["object"]
                yield services
        finally:
            if not watch.stdout.at_eof():
                watch.terminate()
            await watch.wait()

    async def publish(self, service: Service) -> None:
        """Write the address into the status of a Service that does not have it yet."""
        if service.get("status", {}).get("loadBalancer", {}).get("ingress") == INGRESS:
            return
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        patch = json.dumps({"status": {"loadBalancer": {"ingress": INGRESS}}})
        options = (f"--namespace={namespace}", "--subresource=status", "--type=merge")
        await self.run("patch", "service", name, *options, f"--patch={patch}")


def say(line: str) -> None:
    print(line, flush=True)


def name_of(service: Service) -> str:
    return f"{service['metadata']['namespace']}/{service['metadata']['name']}"


def ports_of(service: Service) -> Ports:
    """What to listen on for a Service; nothing if it is another load balancer's, or none's."""
    spec = service["spec"]
    if (
        spec["type"] != "LoadBalancer"
        or "loadBalancerClass" in spec
        or "deletionTimestamp" in service["metadata"]
    ):
        return {}
    return {
        port["port"]: port["nodePort"]
        for port in spec["ports"]
        if port["protocol"] == "TCP" and "nodePort" in port
    }


class Balancer:
    """The open ports of this machine, and the Services to which they lead."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.open: dict[str, tuple[Ports, list[asyncio.Server]]] = {}
        self.pending: set[str] = set()
        # The event loop refers to a connection only while it waits for data of its client.
        self.forwarding: set[asyncio.Task[None]] = set()

    async def follow(self, services: dict[str, Service]) -> list[Service]:
        """Open and close ports as the Services ask for; the Services that have theirs."""
        wanted = {name: ports for name, each in services.items() if (ports := ports_of(each))}
        for name, (ports, servers) in list(self.open.items()):
            if wanted.get(name) != ports:
                close(servers)
                del self.open[name]
                say(f"{name}: closed")
        self.pending &= wanted.keys()
        for name in wanted.keys() - self.open.keys():
            await self.listen(name, wanted[name])
        return [services[name] for name in self.open]

    async def listen(self, name: str, ports: Ports) -> None:
        servers: list[asyncio.Server] = []
        try:
            for port, node_port in ports.items():
                servers.append(await self.serve(port, node_port))
        except OSError as error:
            close(servers)
            if name not in self.pending:
                say(f"{name} stays pending: {error}")
            self.pending.add(name)
            return
        self.pending.discard(name)
        self.open[name] = (ports, servers)
        say(f"{name}: localhost {ports}")

    async def serve(self, port: int, node_port: int) -> asyncio.Server:
        def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self.forward(reader, writer, node_port))
            self.forwarding.add(task)
            task.add_done_callback(self.forwarding.discard)

        return await asyncio.start_server(forward, ADDRESS, port)

    async def forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, node_port: int
    ) -> None:
        """Pass on what both sides send until both have ended; a reset of one resets the other."""
        writers = [writer]
        try:
            node_reader, node_writer = await self.connect(node_port)
            writers.append(node_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(copy(reader, node_writer))
                both.create_task(copy(node_reader, writer))
        except* OSError:
            for each in writers:
                reset(each)
        finally:
            for each in writers:
                each.close()

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first node that accepts one."""
        for node in self.nodes:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(node, port)
            except OSError:  # a TimeoutError is one
                continue
        raise ConnectionRefusedError("no node accepts a connection")


async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(2**16):
        target.write(data)
        await target.drain()
    target.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection so that the other side gets an error, as abort() alone does not."""
    if writer.is_closing():  # the other side has reset it
        return
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def next_line(stream: asyncio.StreamReader) -> bytes:
    """A line, WAITING if none came for RETRY_SECONDS, or nothing at the end of the stream."""
    try:
        async with asyncio.timeout(RETRY_SECONDS):
            return await stream.readline()
    except TimeoutError:
        return WAITING


def close(servers: list[asyncio.Server]) -> None:
    """Accept no more connections; those that are there go on."""
    for server in servers:
        server.close()


async def balance(context: str) -> None:
    kubectl = Kubectl(context)
    balancer = Balancer()
    while True:
        try:
            balancer.nodes = await kubectl.nodes()
            async with aclosing(kubectl.changes()) as changes:
                async for services in changes:
                    for service in await balancer.follow(services):
                        await kubectl.publish(service)
        except ChildProcessError:  # kubectl has said why
            await asyncio.sleep(RETRY_SECONDS)


if __name__ == "__main__":
    asyncio.run(balance(sys.argv[1]))
