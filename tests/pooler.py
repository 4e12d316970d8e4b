"""PgBouncer in transaction mode, as Debian packages it."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.postgresql import DebianPostgreSQL

SECONDS = 10

CONFIGURATION = """\
[databases]
postgres = host={folder}

[pgbouncer]
unix_socket_dir = {folder}
listen_addr =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = {clients}
logfile = {folder}/pgbouncer.log
"""


class PgBouncer:
    """It runs in front of ``server`` for the duration of the block; ``url`` leads through it."""

    def __init__(self, server: DebianPostgreSQL, clients: int = 100) -> None:
        self.server = server
        self.clients = clients  # how many it lets in
        self.url = f"{server.url}&port=6432"

    def __enter__(self) -> Self:
        # Debian keeps it where only root looks for programs.
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program, "install PgBouncer (Debian: apt-get install pgbouncer)"
        folder = Path(self.server.folder)
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(folder=folder, clients=self.clients))
        (folder / "users").write_text('"postgres" ""\n')
        self.process = subprocess.Popen(
            [program, "--quiet", str(configuration)],
            user=self.server.user,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + SECONDS
        while not (folder / ".s.PGSQL.6432").exists():
            assert self.process.poll() is None, (folder / "pgbouncer.log").read_text()
            assert time.monotonic() < end, "PgBouncer does not listen"
            time.sleep(0.02)
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait(SECONDS)
        # Killed, it leaves its socket, and newer versions wait for their clients if they are not.
        (Path(self.server.folder) / ".s.PGSQL.6432").unlink(missing_ok=True)
