"""Django's PostgreSQL backend with a deadline for each host and a cheaper health check."""

import select
from typing import Any

import psycopg2
from django.db.backends.postgresql import base

from service.connections import CloseUselessConnections

# PostgreSQL 14 and newer report these when they change, so reading them takes no query.
READ_ONLY_PARAMETERS = ("in_hot_standby", "default_transaction_read_only")

# For each list of hosts the position of the one that accepted the latest connection. It is tried
# first, so that a host that never answers delays one connection and not all of them.
latest_host: dict[str, int] = {}


class DatabaseWrapper(CloseUselessConnections, base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect to the first host that accepts; each may take DATABASE_CONNECT_TIMEOUT.

        libpq tries several hosts by itself too. But with a wait callback (service/deadlines.py) it
        never gives up on a host that does not answer.
        """
        hosts = conn_params.get("host", "").split(",")
        ports = conn_params.get("port", "").split(",")
        if len(hosts) == 1 or "hostaddr" in conn_params:
            return self.connect_to(conn_params)
        errors = []
        first = latest_host.get(conn_params["host"], 0)
        for position in [*range(first, len(hosts)), *range(first)]:
            # The URL has one port for each host, or one for all of them.
            address = {"host": hosts[position], "port": ports[position % len(ports)]}
            try:
                connection = self.connect_to(conn_params | address)
            except psycopg2.OperationalError as error:
                errors.append(str(error).strip())
            else:
                latest_host[conn_params["host"]] = position
                return connection
        raise psycopg2.OperationalError("\n".join(errors))

    def connect_to(self, conn_params: dict[str, Any]) -> Any:
        """Connect to one host, and name it in errors, as libpq only does when it waits itself."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg2.OperationalError as error:
            host, port = conn_params.get("host"), conn_params.get("port") or 5432
            message = str(error).strip()
            if not host or host in message:
                raise
            raise psycopg2.OperationalError(f"{host}, port {port}: {message}") from error

    def is_usable(self) -> bool:
        """Whether the connection is open and takes writes, without a query as Django sends it.

        An idle connection becomes readable only when the server ends it, with a message or by
        closing it. When the server is cut off, the kernel finds out by TCP keepalive probes
        (libpq's ``keepalives_idle``) and the socket becomes readable as well.

        A connection to a standby is not kept, because a proxy may lead to the primary by now.
        """
        if self.is_useless or self.connection is None or self.connection.closed:
            return False
        if "on" in map(self.connection.get_parameter_status, READ_ONLY_PARAMETERS):
            return False
        poller = select.poll()
        poller.register(self.connection.fileno(), select.POLLIN)
        return not poller.poll(0)
