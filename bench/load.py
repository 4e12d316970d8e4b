"""Load from wrk, described by workloads.lua."""

import subprocess
from pathlib import Path
from typing import NamedTuple

SCRIPT = Path(__file__).with_name("workloads.lua")


class Workload(NamedTuple):
    """``kind`` is that of workloads.lua; ``lists`` is how many there are at its beginning."""

    name: str
    kind: str
    lists: int = 100
    with_tasks: bool = False


LIST_WORKLOADS = [
    Workload("list of 100", "list"),
    Workload("list of 10", "list", 10),
    Workload("read one", "read"),
    Workload("create", "create"),
    Workload("update", "update"),
    Workload("90 % reads", "mix"),
]
TASK_WORKLOADS = [
    Workload("page of 100 tasks", "tasks", 10, with_tasks=True),
    Workload("read a task", "read task", 10, with_tasks=True),
    Workload("create a task", "create task", 10, with_tasks=True),
    Workload("change a task", "change task", 10, with_tasks=True),
]
WORKLOADS = LIST_WORKLOADS + TASK_WORKLOADS


class Sample(NamedTuple):
    """One measurement; ``failures`` counts errors and statuses from 400, times are in ms."""

    requests_per_second: float
    failures: int
    median: float
    percentile_99: float


def load(url: str, kind: str, argument: int | str, connections: int, seconds: int) -> Sample:
    """Load ``url`` for that long; ``argument`` is the number of lists, or for path the path."""
    options = ["--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    command = ["wrk", *options, "--timeout=10s", "--script", str(SCRIPT), url]
    output = subprocess.run(
        [*command, "--", kind, str(argument)],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    ).stdout
    numbers = output.partition("\nRESULT ")[2].split()
    requests, duration, failures, median, percentile_99 = map(int, numbers)
    return Sample(requests / duration * 1e6, failures, median / 1e3, percentile_99 / 1e3)
