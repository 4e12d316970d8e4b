"""Pods as the cluster view sees them: processes of the service behind one address."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.process import Service


class Balancer:
    """Gives each connection to the next of ``ports``, as a Service of Kubernetes does.

    A connection to a port that nobody listens at is closed, as to a pod that died and is still an
    endpoint. It runs for the duration of the block and answers at ``url``.
    """

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.turn = 0

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                client, _ = self.listener.accept()
                self.turn += 1
                port = self.ports[self.turn % len(self.ports)]
                threading.Thread(target=self.connect, args=(client, port), daemon=True).start()

    def connect(self, client: socket.socket, port: int) -> None:
        with client:
            try:
                server = socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                return
            with server:
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Forward the data from one socket to the other, then the end of the stream."""
    with suppress(OSError):  # either side is gone
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Pods(Balancer):
    """A balancer with pods behind it, which stop with it."""

    def __enter__(self) -> Self:
        self.stack = ExitStack()
        return super().__enter__()

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self.stack.close()

    def start(self, name: str, database: str, **variables: str) -> Service:
        """Start a pod of that name on the database, and send requests to it as well."""
        served = {"SERVED_BY": name} if name else {}
        pod = Service({"DATABASE_URL": database, "WEB_CONCURRENCY": "1", **served, **variables})
        self.stack.enter_context(pod)
        self.ports.append(pod.port)
        return pod

    def remove(self, pod: Service) -> None:
        """Stop forwarding new connections to the pod."""
        self.ports.remove(pod.port)


@contextmanager
def older_pod(name: str) -> Iterator[int]:
    """Serve as a pod of 0.1.0: answer 404 to every request and keep the connection open.

    Yields the port.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b'{"type": "about:blank", "title": "Not Found", "status": 404}'
            self.send_response(404)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Served-By", name)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *arguments: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
