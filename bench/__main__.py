"""Compare the service with other stacks, and write the results: ``python -m bench``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import chart, growth, layers, report
from bench.correctness import faults
from bench.databases import POSTGRESQL, SQLITE, databases, fill
from bench.load import WORKLOADS, Workload, load
from bench.server import Server, cores, missing
from bench.stacks import BENCH, Stack, beside, stacks


class Plan(NamedTuple):
    """How much is measured; a sample takes ``seconds``, and there is one of each in a round.

    ``workloads`` maps a database and a number of connections to the workloads measured there.
    """

    rounds: int
    seconds: int
    workloads: dict[tuple[str, int], list[Workload]]
    growth: list[int]


def named(*names: str) -> list[Workload]:
    return [workload for workload in WORKLOADS if workload.name in names]


FEW = named("list of 100", "read one", "create")
FULL = Plan(
    rounds=4,
    seconds=1,
    workloads={
        (POSTGRESQL, 1): FEW,
        (POSTGRESQL, 8): WORKLOADS,
        (POSTGRESQL, 64): FEW,
        (SQLITE, 8): WORKLOADS,
    },
    growth=[1_000, 100_000, 1_000_000],
)
QUICK = Plan(
    rounds=1,
    seconds=1,
    workloads={
        (POSTGRESQL, 8): WORKLOADS,
        (SQLITE, 8): named("list of 100", "create", "page of 100 tasks"),
    },
    growth=[1_000, 100_000],
)


@contextmanager
def serving(
    compared: list[Stack], kind: str, folder: Path, core: int, results: report.Results
) -> Iterator[dict[Server, str]]:
    """The servers that answer correctly, each with its database; the others are reported."""
    with databases(kind, folder) as available, ExitStack() as running:
        servers = {}
        for number, stack in enumerate(compared):
            url = available.make(f"stack_{number}")
            server = running.enter_context(Server(stack, url, core))
            results.start_seconds.setdefault(stack.name, server.start_seconds)
            if found := faults(server, url):
                results.faults += [f"{stack.name} on {kind}: {fault}" for fault in found]
            else:
                servers[server] = url
        yield servers


def measure(plan: Plan, servers: dict[Server, str], kind: str, results: report.Results) -> None:
    """Every stack in turn with each workload, and all of it again in each round."""
    order = list(servers)
    cases = [
        (workload, connections)
        for workload in WORKLOADS
        for (database, connections), measured in plan.workloads.items()
        if database == kind and workload in measured
    ]
    for number in range(plan.rounds):
        for workload, connections in cases:
            print(
                f"{kind}, round {number + 1} of {plan.rounds}: {workload.name}, "
                f"{connections} connections",
                flush=True,
            )
            for server in order:
                if not server.stack.serves(workload):
                    continue
                if not server.stack.answers_only:
                    fill(
                        servers[server],
                        server.stack,
                        workload.lists,
                        with_tasks=workload.with_tasks,
                    )
                sample = load(server.url, workload.kind, workload.lists, connections, plan.seconds)
                case = report.Case(kind, connections, workload.name, server.stack.name)
                results.samples.setdefault(case, []).append(sample)
                results.memory[case] = server.memory()
                print(f"  {server.stack.name}: {sample}", flush=True)
            # Nobody is always the one who follows the same other.
            order = order[1:] + order[:1]


def main() -> int | str:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about three minutes: a first look")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="only stacks of these names")
    parser.add_argument(
        "--beside", metavar="FOLDER", type=Path, help="also this service as it is in FOLDER"
    )
    parser.add_argument("--rounds", type=int, help="more of them take longer and spread less")
    parser.add_argument("--output", metavar="FOLDER", type=Path, help="where the results go")
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else FULL
    plan = plan._replace(rounds=arguments.rounds or plan.rounds)
    output = arguments.output or (BENCH / "quick" if arguments.quick else BENCH)
    try:
        server_core, load_core = cores()
    except LookupError as error:
        return f"bench: {error}"
    if lacking := missing({"wrk": "wrk", "taskset": "util-linux"}):
        return "\n".join(f"bench: {each}" for each in lacking)
    # What is started from here inherits this; the servers are then put on their own core.
    os.sched_setaffinity(0, {load_core})

    compared = [each for each in stacks() if not arguments.only or each.name in arguments.only]
    if arguments.beside:
        compared.append(beside(arguments.beside.resolve()))
    results = report.Results(rounds=plan.rounds, seconds=plan.seconds)
    with tempfile.TemporaryDirectory(prefix="tasklists-bench-") as folder:
        for kind in dict.fromkeys(database for database, _ in plan.workloads):
            with serving(compared, kind, Path(folder) / kind, server_core, results) as servers:
                measure(plan, servers, kind, results)
        print("growth", flush=True)
        with databases(POSTGRESQL, Path(folder) / "growth") as available:
            results.growth = growth.measure(available, plan.growth, plan.rounds, server_core)
            results.layers = layers.measure(available, plan.rounds, server_core)
    output.mkdir(exist_ok=True)
    (output / "results.md").write_text(report.markdown(results))
    (output / "results.svg").write_text(chart.svg(results))
    print((output / "results.md").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
