"""A Prometheus server that scrapes the service, and a reader of the service's metrics."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.load import eventually
from tests.process import free_port
from tests.wire import HANG

# The name of a series and its labels. A histogram has series that end in _bucket, _count and _sum.
Series = tuple[str, frozenset[tuple[str, str]]]
REQUESTS = "http_server_request_duration_seconds_count"


def series(name: str, **labels: str) -> Series:
    return name, frozenset(labels.items())


def requests_of(method: str, route: str, status: int) -> Series:
    """The series that counts the requests of a method to a route with a status."""
    return series(
        REQUESTS,
        http_request_method=method,
        http_route=route,
        http_response_status_code=str(status),
    )


def program(name: str) -> str:
    """The path of ``prometheus`` or ``promtool``; fails the test without it."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is missing: install it, on Debian with `apt install prometheus`")
    return path


class Metrics:
    """What is served on METRICS_PORT."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/metrics"

    def text(self) -> str:
        answer = requests.get(self.url, timeout=HANG)
        assert answer.status_code == 200, answer.text
        return answer.text

    def read(self) -> dict[Series, float]:
        families = text_string_to_metric_families(self.text())
        samples = [sample for family in families for sample in family.samples]
        found = {series(sample.name, **sample.labels): sample.value for sample in samples}
        assert len(found) == len(samples), "a series is there twice"
        return found

    def value(self, name: str, **labels: str) -> float:
        return self.read()[series(name, **labels)]

    def wait_for(self, counts: dict[Series, float]) -> dict[Series, float]:
        """Wait until these series have these values; return all series.

        A request is counted after its response was sent, so it may be counted a little later.
        """
        end = time.monotonic() + HANG
        while True:
            values = self.read()
            if all(values.get(each) == value for each, value in counts.items()):
                return values
            assert time.monotonic() < end, {each: values.get(each) for each in counts}
            time.sleep(0.02)


class Prometheus:
    """A Prometheus server that scrapes ``targets`` (host:port) every second during the block."""

    def __init__(self, folder: Path, *targets: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.configuration = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {"job_name": "tasklists", "static_configs": [{"targets": list(targets)}]}
            ],
        }

    def __enter__(self) -> Self:
        file = self.folder / "prometheus.yml"
        file.write_text(json.dumps(self.configuration))  # YAML contains JSON
        self.log = (self.folder / "prometheus.log").open("w+")
        self.process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        try:
            eventually(self.is_ready, "Prometheus")
        except BaseException:
            self.__exit__()
            raise
        return self

    def is_ready(self) -> bool:
        assert self.process.poll() is None, Path(self.log.name).read_text()
        try:
            return requests.get(f"{self.url}/-/ready", timeout=HANG).ok
        except requests.ConnectionError:
            return False

    def __exit__(self, *exception: object) -> None:
        self.process.terminate()
        self.process.wait(HANG)
        self.log.close()

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series that an instant query finds."""
        answer = requests.get(
            f"{self.url}/api/v1/query", params={"query": expression}, timeout=HANG
        )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def wait_for(self, expression: str, expected: Callable[[float], bool]) -> float:
        """Wait until an instant query has one series with the expected value; return the value."""
        end = time.monotonic() + HANG
        while time.monotonic() < end:
            found = self.query(expression)
            if len(found) == 1 and expected(found[0][1]):
                return found[0][1]
            time.sleep(0.1)
        raise AssertionError(f"{expression}: {found}")
