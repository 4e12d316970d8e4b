"""A TCP proxy in front of PostgreSQL, as a load balancer that follows the primary."""

import select
import socket
import socketserver
import threading
from contextlib import suppress
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.postgresql import PostgreSQL


class Switch(socketserver.ThreadingTCPServer):
    """Runs for the duration of the block; ``url`` leads to the server that it was last led to."""

    daemon_threads = True

    def __init__(self, server: PostgreSQL) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.lead_to(server)
        self.connections: set[socket.socket] = set()
        self.url = f"postgresql://postgres@127.0.0.1:{self.server_address[1]}/postgres"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.drop()
        self.server_close()

    def lead_to(self, server: PostgreSQL) -> None:
        """Lead new connections to ``server``; those that there are stay as they are."""
        [folder] = parse_qs(urlsplit(server.url).query)["host"]
        self.path = f"{folder}/.s.PGSQL.5432"

    def drop(self) -> None:
        """Close all connections."""
        for connection in list(self.connections):
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)


class Connection(socketserver.BaseRequestHandler):
    request: socket.socket
    server: Any

    def handle(self) -> None:
        self.server.connections.add(self.request)
        with suppress(OSError), socket.socket(socket.AF_UNIX) as database:
            database.connect(self.server.path)
            ends = {self.request: database, database: self.request}
            while True:
                for ready in select.select(list(ends), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    ends[ready].sendall(data)

    def finish(self) -> None:
        self.server.connections.discard(self.request)
