"""How gunicorn runs the service; the values come from the environment through settings."""

import gc
import math
import os
import resource
import signal
import socket
import sys
from functools import partial
from pathlib import Path

from gunicorn import util

from project import settings
from server.access_log import AccessLogger
from server.worker import ENDING, http_date, write_problem

wsgi_app = "server.wsgi"
proc_name = "tasklists"
bind = f"[::]:{settings.PORT}" if socket.has_dualstack_ipv6() else f"0.0.0.0:{settings.PORT}"

# Never from the number of cores: a container sees the machine's, not its own share.
workers = settings.WEB_CONCURRENCY
threads = settings.THREADS
worker_class = "server.worker.Worker"
# A connection takes a file descriptor, as does what else a worker opens: SQLite three in each
# thread, for itself less than the rest. With none left it would end, and every request with it.
descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
room = math.inf if descriptors == resource.RLIM_INFINITY else descriptors - 64 - 3 * threads
worker_connections = int(max(1, min(1000, room)))
# Loaded once, before the workers are forked, which then share its memory.
preload_app = True
# The heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# It would overtake the answer's head, which server/connection.py keeps until the body is there.
sendfile = False
keepalive = settings.KEEP_ALIVE
# Both filters with a name of 255 characters each, percent-encoded, are 6,200.
limit_request_line = 8190
graceful_timeout = settings.GRACEFUL_TIMEOUT
# It needs a home directory that can be written to.
control_socket_disable = True

# What to believe of a proxy is Django's decision (TRUST_PROXY_HEADERS): here there is nothing to
# believe, and so no need to look from which address it comes.
forwarded_allow_ips = "*"
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

accesslog = "-"
# A client's text is written also where the terminal's encoding lacks it.
sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
logger_class = AccessLogger
logconfig_dict = settings.LOGGING

util.write_error = write_problem
util.http_date = http_date


def when_ready(arbiter: object) -> None:
    """Prepare for the workers, which are forked from here on."""
    # What they share is exempt from their garbage collection, which would write to it: a page
    # that is written to is shared no longer, and the service would soon take twice the memory.
    gc.collect()
    gc.freeze()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)  # `manage.py serve` blocked SIGTERM
    # A worker that is told to end before it has its handlers would not hear it, and the service
    # take all of GRACEFUL_TIMEOUT to stop: until then the signal waits.
    os.register_at_fork(
        before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, ENDING),
        after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, ENDING),
    )
