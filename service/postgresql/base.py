"""Django's PostgreSQL backend with a cheaper health check."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection still stands, as far as this side can know without a query.

        A server that ends a connection says so or closes it, and an idle
        connection has nothing else to read; of one that is cut off the kernel's
        keepalive probes know (project/database.py).
        """
        if self.connection is None or self.connection.closed:
            return False
        poller = select.poll()
        poller.register(self.connection.fileno(), select.POLLIN)
        return not poller.poll(0)
