"""How a release follows its load, and what it does above its capacity: ``make bench-scaling``.

Runs on the cluster that KUBECONFIG names, in namespaces of its own. The load comes from vegeta,
which sends each request when it is due, whether or not those before it were answered. So a stall
of the service shows in the time of every request that it delays.
"""

import base64
import csv
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench.clients import ANSWER_SECONDS, Answer
from bench.overload import milliseconds, percentile, recover, unusual
from e2e.kubernetes.cluster import eventually, new_namespace
from e2e.kubernetes.release import Release
from e2e.kubernetes.test_autoscaling import AUTOSCALING, ready
from e2e.kubernetes.test_overload import LIMITED, PAGE, fill, states

MISSING = """bench: vegeta is missing: install it with Go
    go install github.com/tsenart/vegeta/v12@v12.13.0
and add $(go env GOPATH)/bin to the PATH"""

LITTLE, MUCH = 10, 200  # requests per second: two pods are enough for LITTLE, six not for MUCH
MOST_SECONDS = 300  # the load ends earlier if there are as many pods as expected

CLIENTS = 16  # that find the capacity; each asks again as soon as it has an answer
CAPACITY_SECONDS = 10
OVERLOAD_SECONDS = 60
FACTORS = (1.5, 3)  # of the capacity


class Attack:
    """A load for the block, but for ``seconds`` at most. Sets ``answers`` at the end."""

    def __init__(self, release: Release, path: str, seconds: float, *options: str) -> None:
        self.target = f"GET http://localhost:{release.port}{path}"
        self.options = (f"-duration={seconds}s", f"-timeout={ANSWER_SECONDS}s", *options)
        self.answers: list[Answer] = []

    def __enter__(self) -> Self:
        self.folder = tempfile.TemporaryDirectory(prefix="tasklists-bench-")
        self.output = Path(self.folder.name) / "results"
        command = ["vegeta", "attack", "-max-body=0", f"-output={self.output}", *self.options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        assert self.process.stdin
        self.process.stdin.write(self.target)
        self.process.stdin.close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.send_signal(signal.SIGINT)  # it waits for the answers that are due
        self.process.wait()
        encode = ["vegeta", "encode", "-to=csv", str(self.output)]
        with subprocess.Popen(encode, stdout=subprocess.PIPE, text=True) as encoded:
            self.answers = [answer(row) for row in csv.reader(encoded.stdout or [])]
        self.folder.cleanup()

    def wait(self) -> None:
        self.process.wait()


def answer(row: list[str]) -> Answer:
    """A line that ``vegeta encode`` writes."""
    code, seconds, error, headers = int(row[1]), int(row[2]) / 1e9, row[5], row[11]
    if code == 0:
        return Answer(0, seconds, error.rpartition(": ")[2])
    if code == 503 and b"Retry-After: " not in base64.b64decode(headers):
        return Answer(code, seconds, "503 without Retry-After")
    return Answer(code, seconds)


class Step(NamedTuple):
    what: str
    seconds: float
    answers: list[Answer]


def scaling() -> list[Step]:
    """To six pods and back, under a load that rises and falls."""
    with new_namespace("bench") as namespace:
        release = Release(namespace)
        release.install(AUTOSCALING)
        fill(release)
        release.client()
        with Attack(release, "/lists", MOST_SECONDS, f"-rate={MUCH}/1s") as much:
            out = seconds_until(release, 6)
        with Attack(release, "/lists", MOST_SECONDS, f"-rate={LITTLE}/1s") as little:
            back = seconds_until(release, 2)
            release.wait_until_old_pods_are_gone()
    return [
        Step(f"from 2 pods to 6, {MUCH} requests per second", out, much.answers),
        Step(f"from 6 pods to 2, {LITTLE} requests per second", back, little.answers),
    ]


def seconds_until(release: Release, pods: int) -> float:
    started = time.monotonic()
    eventually(lambda: ready(release) == pods, f"{pods} ready pods", seconds=MOST_SECONDS)
    return time.monotonic() - started


class Overload(NamedTuple):
    factor: float
    rate: int
    answers: list[Answer]
    recovery: float
    same_pods: bool


def overload() -> tuple[float, list[Overload]]:
    """The capacity of two pods in requests per second, and what happens above it."""
    found = []
    with new_namespace("bench") as namespace:
        release = Release(namespace)
        release.install(LIMITED)
        fill(release)
        release.client()
        closed_loop = ("-rate=0", f"-max-workers={CLIENTS}")
        with Attack(release, PAGE, CAPACITY_SECONDS, *closed_loop) as attack:
            attack.wait()
        capacity = sum(each.status == 200 for each in attack.answers) / CAPACITY_SECONDS
        for factor in FACTORS:
            rate = round(factor * capacity)
            before = states(release)
            with Attack(release, PAGE, OVERLOAD_SECONDS, f"-rate={rate}/1s") as attack:
                attack.wait()
            recovery = recover(release.port)
            same = states(release) == before
            found.append(Overload(factor, rate, attack.answers, recovery, same))
    return capacity, found


def markdown(steps: list[Step], capacity: float, overloads: list[Overload]) -> str:
    lines = [
        "| | seconds | requests | not answered with 200 |",
        "| --- | ---: | ---: | ---: |",
    ]
    for step in steps:
        failed = sum(each.status != 200 for each in step.answers)
        lines.append(f"| {step.what} | {step.seconds:.0f} | {len(step.answers):,} | {failed} |")
    lines += [
        "",
        f"Two pods with a CPU limit answer {capacity:.0f} requests per second for {PAGE}.",
        "",
        "| load | requests per second | answered with 200 | p50, ms | p95, ms | p99, ms | max, ms "
        "| 503 | p99 of them, ms | other | recovery, s | pods |",
        f"| --- {'| ---: ' * 10}| --- |",
    ]
    for each in overloads:
        answered = sorted(one.seconds for one in each.answers if one.status == 200)
        shed = sorted(one.seconds for one in each.answers if one.status == 503)
        times = [*(percentile(answered, part) for part in (50, 95, 99)), answered[-1]]
        columns = [
            f"{each.factor:g} times the capacity",
            str(each.rate),
            f"{len(answered) / len(each.answers):.0%}",
            *map(milliseconds, times),
            f"{len(shed) / len(each.answers):.0%}",
            milliseconds(percentile(shed, 99)) if shed else "",
            unusual(each.answers) or "none",
            f"{each.recovery:.2f}",
            "not restarted, always ready" if each.same_pods else "restarted, or not always ready",
        ]
        lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines)


def main() -> int | str:
    if shutil.which("vegeta") is None:
        return MISSING
    steps = scaling()
    capacity, overloads = overload()
    print(markdown(steps, capacity, overloads))
    return 0


if __name__ == "__main__":
    sys.exit(main())
