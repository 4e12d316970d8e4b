"""Client-side deadlines for PostgreSQL."""

import select
import time

import psycopg2
import psycopg2.extensions


class Deadlines:
    """A wait callback for psycopg2 that raises OperationalError after a deadline.

    PostgreSQL enforces its own ``statement_timeout``. A server that is frozen or cut off from
    the network cannot do that, and does not close its connections either. Both limits are in
    seconds; with ``statement=None`` a statement may take forever. Install it with
    ``psycopg2.extensions.set_wait_callback``, see
    https://www.psycopg.org/docs/advanced.html#support-for-coroutine-libraries
    """

    def __init__(self, connect: float, statement: float | None) -> None:
        self.connect = connect
        self.statement = statement

    def __call__(self, connection: psycopg2.extensions.connection) -> None:
        connecting = connection.status == psycopg2.extensions.STATUS_SETUP
        limit = self.connect if connecting else self.statement
        end = None if limit is None else time.monotonic() + limit
        while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
            event = select.POLLIN if state == psycopg2.extensions.POLL_READ else select.POLLOUT
            poller = select.poll()
            poller.register(connection.fileno(), event)
            if not poller.poll(None if end is None else max(0, end - time.monotonic()) * 1000):
                raise psycopg2.OperationalError(f"the database did not answer within {limit:g} s")
