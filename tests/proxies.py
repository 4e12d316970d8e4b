"""HAProxy and nginx in front of the service: the real programs, which reuse connections."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import ClassVar, Self

from tests.process import Service, free_port
from tests.wire import HANG

# Fewer than the clients of a test, so that each connection to the service carries the requests of
# several clients.
CONNECTIONS = 3


class Proxy:
    """Runs for the duration of the block, as a child process, and listens on ``port``.

    It never sends a request twice, so that a client misses each response that the proxy missed.
    """

    program: ClassVar[str]
    configuration: ClassVar[str]
    arguments: ClassVar[list[str]]

    def __init__(self, service: Service) -> None:
        self.service = service
        self.port = free_port()

    def __enter__(self) -> Self:
        # Debian keeps both where only root looks for programs.
        program = shutil.which(self.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program, "install haproxy and nginx (Debian: apt-get install haproxy nginx-light)"
        self.folder = tempfile.TemporaryDirectory(prefix="tasklists-")
        folder = Path(self.folder.name)
        values = {"port": self.port, "service": self.service.port, "folder": folder}
        values |= {"hang": HANG, "connections": CONNECTIONS}
        (folder / "configuration").write_text(self.configuration % values)
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [program, *(argument % values for argument in self.arguments)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(HANG)
        self.folder.cleanup()

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + HANG
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"{self.program} ended:\n{self.log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=HANG).close()
            except ConnectionRefusedError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"{self.program} did not listen:\n{self.log.read_text()}")


class HAProxy(Proxy):
    program = "haproxy"
    arguments = ["-db", "-f", "%(folder)s/configuration"]
    configuration = """
global
    maxconn 100
    nbthread 1
defaults
    mode http
    option http-keep-alive
    http-reuse always
    retries 0
    timeout connect %(hang)ds
    timeout client %(hang)ds
    timeout server %(hang)ds
    timeout queue %(hang)ds
listen service
    bind 127.0.0.1:%(port)d
    server service 127.0.0.1:%(service)d maxconn %(connections)d pool-max-conn %(connections)d
"""


class Nginx(Proxy):
    """It streams the bodies of requests, as the service's tests need it, and not as by default."""

    program = "nginx"
    # -e: until it has read the configuration, it would write to the system's log.
    arguments = ["-p", "%(folder)s", "-e", "%(folder)s/log", "-c", "%(folder)s/configuration"]
    # One process instead of a master and a worker can be ended by its id.
    beginning = """
daemon off;
master_process off;
pid %(folder)s/pid;
error_log %(folder)s/log;
events {
    worker_connections 100;
}
http {
    access_log off;
    client_body_temp_path %(folder)s/client_body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
"""
    configuration = (
        beginning
        + """
    client_max_body_size 0;
    large_client_header_buffers 4 32k;
    upstream service {
        server 127.0.0.1:%(service)d max_fails=0;
        keepalive %(connections)d;
        keepalive_timeout 10s;
    }
    server {
        listen 127.0.0.1:%(port)d;
        location / {
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_request_buffering off;
            proxy_next_upstream off;
            proxy_connect_timeout %(hang)ds;
            proxy_send_timeout %(hang)ds;
            proxy_read_timeout %(hang)ds;
        }
    }
}
"""
    )


class CachingNginx(Nginx):
    """It keeps every response for ten minutes for everybody, unless the response forbids it."""

    configuration = Nginx.configuration.replace(
        "    server {\n        listen",
        "    proxy_cache_path %(folder)s/cache keys_zone=cache:1m;\n    server {\n        listen",
    ).replace(
        "        location / {",
        """        proxy_cache cache;
        proxy_cache_key $request_method$host$request_uri;
        proxy_cache_valid any 10m;
        add_header Cached $upstream_cache_status always;
        location / {""",
    )
