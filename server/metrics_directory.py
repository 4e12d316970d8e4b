"""The directory in which all workers keep their metrics, so that any worker can report the total.

prometheus_client writes the numbers of each process to memory-mapped files in one directory. It
would name the files by process id, and there would be more of them with each worker that is
replaced. Here they are named by slot, the lowest number that no other worker has. A worker goes on
counting in the files of the worker that had its slot before, so counters never fall.
https://prometheus.github.io/client_python/multiprocess/
"""

import fcntl
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess, values
from prometheus_client.mmap_dict import MmapedDict

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # which prometheus_client reads
GENERATION = "METRICS_GENERATION"  # a or b; set for an arbiter that is started by SIGUSR2
# On a file system in memory if possible, where writing to a mapped file never waits for a disk.
PARENT = Path("/dev/shm" if Path("/dev/shm").is_dir() else tempfile.gettempdir())  # noqa: S108
# In bytes. A histogram takes 5 KB for each combination of method, route and status.
FILE_SIZES = {"counter": 1 << 16, "gauge_livesum": 1 << 16, "histogram": 1 << 20}
ARBITER_FILE_SIZES = dict.fromkeys(FILE_SIZES, 1 << 16)  # the arbiter counts no requests
RETRY_INTERVAL = 1  # seconds

_generation = ""  # which tells the files of two arbiters in one directory apart
_process = ""  # which names the files of this process
_lock = -1  # a descriptor of the directory, which is locked while it is used


def prepare(service: str) -> None:
    """Make a directory for the processes of this service, and delete those that no process uses.

    Call it before the first metric is defined. A second call does nothing. An arbiter that was
    started by SIGUSR2 uses the directory of the arbiter that started it.
    """
    global _generation, _process, _lock  # noqa: PLW0603 - prometheus_client has such state too
    if _lock >= 0:
        return
    previous = os.environ.get(GENERATION)
    _generation = "b" if previous == "a" else "a"
    _process = f"{_generation}-arbiter"
    values.ValueClass = values.MultiProcessValue(lambda: _process)  # type: ignore[no-untyped-call]
    if previous and Path(os.environ[VARIABLE]).is_dir():
        _lock = os.open(os.environ[VARIABLE], os.O_RDONLY)
        fcntl.flock(_lock, fcntl.LOCK_SH)
        for file in Path(os.environ[VARIABLE]).glob(f"gauge_*_{_generation}-*.db"):
            file.unlink()  # of workers whose arbiter has ended
        reserve(ARBITER_FILE_SIZES)
        return
    for directory in PARENT.glob(f"{service}-metrics-*"):
        with suppress(OSError):
            delete_unused(directory)
    while _lock < 0:
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix=f"{service}-metrics-", dir=PARENT)
        _lock = lock(Path(os.environ[VARIABLE]))
    reserve(ARBITER_FILE_SIZES)


def lock(directory: Path) -> int:
    """Lock a new directory; return -1 if another starting service has deleted it already."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except FileNotFoundError:
        return -1
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    if directory.exists():
        return descriptor
    os.close(descriptor)
    return -1


def delete_unused(directory: Path) -> None:
    """Delete a directory unless a process holds its lock; raises OSError if one does."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory)
    finally:
        os.close(descriptor)


def assign_slot(arbiter: Any, worker: Any) -> None:
    """Give a worker the lowest slot that is free. Called in the arbiter, before it forks."""
    taken = {other.slot for other in arbiter.WORKERS.values()}
    worker.slot = next(slot for slot in range(len(taken) + 1) if slot not in taken)


def enter_slot(arbiter: Any, worker: Any) -> None:
    """Count in the files of the worker's slot from now on. Called in the worker.

    Without room for the files, the first workers raise OSError, and the service does not start. A
    later one ends, and the arbiter tries again: after SIGHUP, the old workers leave their files.
    """
    global _process  # noqa: PLW0603
    _process = name(worker)
    try:
        reserve(FILE_SIZES)
    except OSError as error:
        if worker.age <= arbiter.num_workers:
            raise
        worker.log.error("No room for metrics in %s: %s", PARENT, error.strerror)  # noqa: TRY400 - one line
        time.sleep(RETRY_INTERVAL)
        sys.exit(1)


def reserve(sizes: dict[str, int]) -> None:
    """Create the missing files of this process with their full size.

    Raises OSError if the file system is full. If the space were not reserved, the kernel would kill
    the process with SIGBUS when it writes to a mapped file on a full file system. A file gets its
    name only when it is complete, so that no scrape reads an empty file.
    """
    for kind, size in sizes.items():
        path = Path(os.environ[VARIABLE]) / f"{kind}_{_process}.db"
        if path.exists():
            continue
        unfinished = path.with_suffix(".unfinished")
        try:
            with unfinished.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
            unfinished.rename(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise


def series(kind: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The name and the labels of each series in this process's file of one kind."""
    path = Path(os.environ[VARIABLE]) / f"{kind}_{_process}.db"
    for key, *_ in MmapedDict.read_all_values_from_file(path):  # type: ignore[no-untyped-call]
        _, name_of_series, labels, _ = json.loads(key)
        yield name_of_series, labels


def leave_slot(_: Any, worker: Any) -> None:
    """Delete the gauges of a worker that has ended, and keep its counters.

    Called in the worker, whose arbiter may have been killed, and in the arbiter, if the worker was.
    """
    multiprocess.mark_process_dead(name(worker))  # type: ignore[no-untyped-call]


def pass_on(arbiter: Any) -> None:
    """Pass the directory on to the arbiter that SIGUSR2 starts. Called before its execve()."""
    arbiter.cfg.env_orig |= {VARIABLE: os.environ[VARIABLE], GENERATION: _generation}


def delete(_: Any) -> None:
    """Delete the directory, unless another arbiter uses it. Called when the arbiter ends."""
    fcntl.flock(_lock, fcntl.LOCK_UN)
    with suppress(OSError):
        delete_unused(Path(os.environ[VARIABLE]))


def name(worker: Any) -> str:
    return f"{_generation}-{worker.slot}"
