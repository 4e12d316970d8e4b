"""PgBouncer in transaction mode, as Debian packages it."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.postgresql import PostgreSQL

SECONDS = 10

CONFIGURATION = """\
[databases]
postgres = host={server.folder}/pg

[pgbouncer]
unix_socket_dir = {folder}
listen_addr =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = {clients}
server_login_retry = 0.5
logfile = {folder}/log
"""


class PgBouncer:
    """It runs in front of a server for the duration of the block; ``url`` leads through it."""

    def __init__(self, server: PostgreSQL, clients: int = 100) -> None:
        self.server = server
        self.clients = clients  # how many it accepts

    def __enter__(self) -> Self:
        # Debian keeps it where only root looks for programs.
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program, "install PgBouncer (Debian: apt-get install pgbouncer)"
        user = self.server.server.system_user  # set if the tests run as root, which it refuses
        self.folder = tempfile.mkdtemp(prefix="tasklists-")
        if user:
            shutil.chown(self.folder, user)
        folder = Path(self.folder)
        configuration = CONFIGURATION.format(
            server=self.server, folder=folder, clients=self.clients
        )
        (folder / "configuration").write_text(configuration)
        (folder / "users").write_text('"postgres" ""\n')
        command = [program, "--quiet", str(folder / "configuration")]
        self.process = subprocess.Popen(command, user=user, stderr=subprocess.DEVNULL)
        end = time.monotonic() + SECONDS
        while not (folder / ".s.PGSQL.6432").exists():
            assert self.process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, "PgBouncer does not listen"
            time.sleep(0.02)
        self.url = f"postgresql://postgres@/postgres?host={folder}&port=6432"
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()  # it may wait for its clients if it is asked to end
        self.process.wait(SECONDS)
        shutil.rmtree(self.folder)
