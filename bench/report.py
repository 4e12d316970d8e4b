"""The results of a run as Markdown."""

import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import layers
from bench.load import WORKLOADS, Sample
from bench.server import Memory
from bench.stacks import LIMIT, SERVICE


class Case(NamedTuple):
    database: str
    connections: int
    workload: str
    stack: str


@dataclass
class Results:
    rounds: int
    seconds: int
    samples: dict[Case, list[Sample]] = field(default_factory=dict)
    memory: dict[Case, Memory] = field(default_factory=dict)
    start_seconds: dict[str, float] = field(default_factory=dict)
    growth: dict[tuple[str, int, str], float] = field(default_factory=dict)
    layers: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def stacks(self) -> list[str]:
        return list(self.start_seconds)

    def settings(self) -> list[tuple[str, int]]:
        """The databases with the numbers of connections that were measured."""
        return list(dict.fromkeys((case.database, case.connections) for case in self.samples))

    def workloads(self, database: str, connections: int) -> list[str]:
        """The names of those that were measured there, in their usual order."""
        at = (database, connections)
        measured = {case.workload for case in self.samples if case[:2] == at}
        return [workload.name for workload in WORKLOADS if workload.name in measured]

    def rate(self, case: Case) -> float | None:
        """The median of requests per second; None unless every request was answered well."""
        samples = self.samples.get(case)
        if not samples or any(sample.failures for sample in samples):
            return None
        return median(sample.requests_per_second for sample in samples)

    def failures(self) -> list[str]:
        """What went wrong under load, in words."""
        return [
            f"{case.stack} on {case.database}, {case.workload}, {case.connections} connections: "
            f"{failed} requests failed"
            for case, samples in self.samples.items()
            if (failed := sum(sample.failures for sample in samples))
        ]


def markdown(results: Results) -> str:
    return "\n".join([*_introduction(results), *_speed(results), *_rest(results), ""])


def _introduction(results: Results) -> Iterable[str]:
    yield "# Results"
    yield ""
    yield (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, {_processor()}, Linux {_kernel()}, "
        f"Python {platform.python_version()}. One process with four threads (or an event loop) on "
        "one core, the load and PostgreSQL on another. Each figure is the median of "
        f"{results.rounds} samples of {results.seconds} s; ± is half of what lies between the "
        "lowest and the highest. [README.md](README.md) says what is compared and how."
    )
    yield ""
    yield "![Requests per second](results.svg)"
    problems = results.faults + results.failures()
    if problems:
        yield "\nNot measured, because it was answered wrongly or with an error:\n"
        yield from (f"- {problem}" for problem in problems)


def _speed(results: Results) -> Iterable[str]:
    for database, connections in results.settings():
        names = results.workloads(database, connections)

        def rate(stack: str, workload: str, at: tuple[str, int] = (database, connections)) -> str:
            return _with_spread(results, Case(*at, workload, stack))

        def ratio(stack: str, workload: str, at: tuple[str, int] = (database, connections)) -> str:
            # The limit answers the same whatever the workload, and is measured once.
            same = WORKLOADS[0].name if stack == LIMIT else workload
            theirs = results.rate(Case(*at, same, stack))
            ours = results.rate(Case(*at, workload, SERVICE))
            return f"{ours / theirs:.2f}" if ours and theirs else "-"

        def tail(stack: str, workload: str, at: tuple[str, int] = (database, connections)) -> str:
            samples = results.samples.get(Case(*at, workload, stack), [])
            return f"{median(s.percentile_99 for s in samples):.0f}" if samples else "-"

        noun = "connection" if connections == 1 else "connections"
        yield f"\n## {database}, {connections} {noun}\n"
        yield "Requests per second:\n"
        yield from _table(["", *names], results.stacks(), rate)
        yield f"\nHow many times as fast {SERVICE} is:\n"
        yield from _table(["", *names], [s for s in results.stacks() if s != SERVICE], ratio)
        yield "\n99 of 100 requests are answered within, in ms:\n"
        yield from _table(["", *names], results.stacks(), tail)


def _rest(results: Results) -> Iterable[str]:
    database, connections = next(
        (at for at in results.settings() if at[1] == 8), results.settings()[0]
    )
    names = results.workloads(database, connections)

    def memory(stack: str, workload: str) -> str:
        used = results.memory.get(Case(database, connections, workload, stack))
        return f"{used.worker:.0f} / {used.all:.0f}" if used else "-"

    yield "\n## Memory\n"
    yield (
        f"MiB after each workload on {database} with {connections} connections: resident in the "
        "worker / of all its processes, what they share counted once.\n"
    )
    yield from _table(["", *names], results.stacks(), memory)
    yield "\n## Start\n"
    yield "Seconds from the start of the process to the first answer, tables made before:\n"
    yield from _table(
        ["", "s"], results.stacks(), lambda stack, _: f"{results.start_seconds[stack]:.1f}"
    )
    sizes = list(dict.fromkeys(size for _, size, _ in results.growth))
    columns = {f"{page}, {size:,} lists": (size, page) for size in sizes for page in PAGES}
    stacks = list(dict.fromkeys(stack for stack, _, _ in results.growth))
    yield "\n## Growth\n"
    yield "Milliseconds for a page of 100 with one client on PostgreSQL:\n"
    yield from _table(
        ["", *columns],
        stacks,
        lambda stack, column: f"{results.growth[(stack, *columns[column])]:.2f}",
    )
    yield "\n## Where the time goes\n"
    yield (
        f"Microseconds of processor time that {SERVICE} needs for a request on PostgreSQL with "
        f"{layers.CONNECTIONS} connections: up to there, and in that layer alone.\n"
    )
    order = list(results.layers)

    def layer(name: str, column: str) -> str:
        place = order.index(name)
        before = results.layers[order[place - 1]] if place and column == "alone" else 0
        return f"{results.layers[name] - before:.0f}"

    yield from _table(["", "up to there", "alone"], order, layer)


PAGES = ["first", "last"]


def _with_spread(results: Results, case: Case) -> str:
    rate = results.rate(case)
    if rate is None:
        return "-"
    rates = [sample.requests_per_second for sample in results.samples[case]]
    return f"{rate:.0f} ±{(max(rates) - min(rates)) / 2 / rate:.0%}"


def _table(columns: list[str], rows: list[str], cell: Callable[[str, str], str]) -> Iterable[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "| --- |" + " ---: |" * (len(columns) - 1)
    for row in rows:
        yield "| " + " | ".join([row, *(cell(row, column) for column in columns[1:])]) + " |"


def _kernel() -> str:
    """The kernel's version without patch level and distributor."""
    return ".".join(platform.release().split(".")[:2])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
