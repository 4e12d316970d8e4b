"""A stack's server: its process, on a core of its own."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple, Self

import requests

from bench.stacks import Stack
from tests.process import environment, free_port

START_SECONDS = 300  # a guard against a hang, also under valgrind


class Memory(NamedTuple):
    """In MiB: what the worker has resident, and the share of all its processes."""

    worker: float
    all: float


class Server:
    """Serves when the block begins, on ``core``, and is stopped with SIGTERM when it ends.

    ``start_seconds`` is the time from its start to its first answer.
    """

    def __init__(self, stack: Stack, database_url: str, core: int) -> None:
        self.stack = stack
        self.core = core
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        variables = {name: self.fill(value) for name, value in stack.environment.items()}
        self.environment = environment(variables) | {"DATABASE_URL": database_url}

    def fill(self, text: str) -> str:
        return text.replace("{port}", str(self.port))

    def __enter__(self) -> Self:
        if self.stack.prepare:
            subprocess.run(
                self.stack.prepare, cwd=self.stack.folder, env=self.environment, check=True
            )
        start = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "--cpu-list", str(self.core), *map(self.fill, self.stack.command)],
            cwd=self.stack.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        self.start_seconds = time.monotonic() - start
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                requests.get(f"{self.url}/lists", timeout=START_SECONDS)
            except requests.ConnectionError:
                time.sleep(0.01)
            else:
                return
        command = " ".join(map(self.fill, self.stack.command))
        raise RuntimeError(f"{self.stack.name} does not answer; in {self.stack.folder}: {command}")

    def processes(self) -> list[int]:
        """The ids of its processes, each before those that its main thread started."""
        found = [self.process.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            found += map(int, children.split())
        return found

    def processor_seconds(self) -> float:
        """What all its processes have used so far."""
        ticks = 0
        for process in self.processes():
            # The second field, the program's name, may have spaces; see proc_pid_stat(5).
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> Memory:
        """The worker is the process that was started last."""
        processes = self.processes()
        return Memory(
            _mebibytes(processes[-1], "Rss"), sum(_mebibytes(p, "Pss") for p in processes)
        )


def _mebibytes(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def cores() -> tuple[int, int]:
    """One for the servers and one for the load and PostgreSQL; raises LookupError with fewer."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise LookupError("two cores are needed: one for the servers, one for the load")
    return available[0], available[1]


def missing(packages: dict[str, str]) -> list[str]:
    """What a run needs and this machine lacks, of these programs and their packages."""
    return [
        f"{program} is missing: install it, on Debian with `apt-get install {package}`"
        for program, package in packages.items()
        if shutil.which(program) is None
    ]
