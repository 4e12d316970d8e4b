"""Django's PostgreSQL backend with a cheaper health check."""

import select

from django.db.backends.postgresql import base

from service.connections import CloseUselessConnections

# PostgreSQL reports these with the answer to any statement, so reading them takes no query.
READ_ONLY = ("in_hot_standby", "default_transaction_read_only")


class DatabaseWrapper(CloseUselessConnections, base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection is open and takes writes, without a query as Django sends it.

        An idle connection becomes readable only when the server ends it, with a message or by
        closing it. When the server is cut off, the kernel finds out by TCP keepalive probes
        (libpq's ``keepalives_idle``) and the socket becomes readable as well.

        A connection to a standby is not kept, because a proxy may lead to the primary by now.
        """
        if self.is_useless or self.connection is None or self.connection.closed:
            return False
        if "on" in map(self.connection.get_parameter_status, READ_ONLY):
            return False
        poller = select.poll()
        poller.register(self.connection.fileno(), select.POLLIN)
        return not poller.poll(0)
