"""gunicorn's configuration; the values that differ between installations are Django settings."""

import gc
import math
import os
import resource
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from project import environment
from server import metrics_directory

environment.select_settings()
if settings.METRICS_PORT:
    metrics_directory.prepare(settings.SERVICE_NAME)
    pre_fork = metrics_directory.assign_slot
    post_fork = metrics_directory.enter_slot
    child_exit = worker_exit = metrics_directory.leave_slot
    pre_exec = metrics_directory.pass_on
    on_exit = metrics_directory.delete

from server.worker import STOP_SIGNALS  # noqa: E402 - it defines metrics

wsgi_app = "server.wsgi"
proc_name = settings.SERVICE_NAME
host = settings.HOST or ("::" if socket.has_dualstack_ipv6() else "0.0.0.0")  # noqa: S104
ports = [port for port in (settings.PORT, settings.METRICS_PORT) if port]
bind = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for port in ports]

# The number of workers is not derived from the number of cores, because a container sees all
# cores of its node and not its own share.
workers = settings.WEB_CONCURRENCY
threads = settings.THREADS
worker_class = "server.worker.Worker"
# A worker that runs out of file descriptors ends, with every request that it is handling. Each
# connection needs one. SQLite needs three in each thread, and everything else fewer than 64.
descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
room = math.inf if descriptors == resource.RLIM_INFINITY else descriptors - 64 - 3 * threads
worker_connections = int(max(1, min(1000, room)))
# Load the application once, before the workers are forked. They then share its memory.
preload_app = True
# The workers touch their heartbeat files every second, which must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# sendfile() would send the body before the head, which server/connection.py collects first.
sendfile = False
keepalive = settings.KEEP_ALIVE
# A request line may have 8190 bytes, gunicorn's maximum. Percent-encoded UTF-8 takes up to 12
# bytes for a character.
limit_request_line = 8190
graceful_timeout = settings.GRACEFUL_TIMEOUT
# The control socket needs a writable home directory.
control_socket_disable = True

# Django decides whether to trust a proxy's headers (USE_X_FORWARDED_HOST,
# SECURE_PROXY_SSL_HEADER). gunicorn interprets none of them, so it need not check which address
# they come from.
forwarded_allow_ips = "*"
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

accesslog = "-"
# Log lines contain text from clients, which the encoding of the terminal may not be able to show.
sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
logger_class = "server.access_log.AccessLogger"
logconfig_dict = settings.LOGGING


def when_ready(arbiter: Any) -> None:
    """Prepare the arbiter for forking workers."""
    # SIGUSR2 starts a new arbiter with the arguments of this one. `python -m gunicorn` has
    # replaced -m gunicorn by the path of a file, which cannot be run like that.
    arbiter.START_CTX["args"] = [sys.executable, "-m", "gunicorn", *sys.argv[1:]]
    # Garbage collection writes to the objects that it visits, and a memory page that a worker
    # writes to is no longer shared. Without this, the service soon takes twice the memory.
    gc.collect()
    gc.freeze()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # `manage.py serve` blocked SIGTERM
    # A signal that arrives after the fork and before the worker has installed its handlers would
    # be lost, and the service would take all of GRACEFUL_TIMEOUT to stop. So the signals are
    # blocked during the fork, and the worker unblocks them (Worker.init_signals).
    os.register_at_fork(
        before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, STOP_SIGNALS),
        after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, STOP_SIGNALS),
    )
