"""Releases of the chart, through helm."""

import base64
import itertools
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from e2e.kubernetes.client import Client
from e2e.kubernetes.cluster import Namespace, eventually, run

CHART = Path(__file__).resolve().parents[2] / "chart"
EXAMPLES = CHART / "examples"
HELMS = [name for name in ("helm3", "helm4") if shutil.which(name)] or ["helm"]
HELM = HELMS[-1]

WAIT = ("--wait", "--timeout=180s")

Values = dict[str, Any]

# One pod that stops without much ado, where a test is about something else. kube-proxy changes
# its rules once a second, so that within a delay of one a pod that ended may still be asked.
SMALL: Values = {
    "replicaCount": 1,
    "shutdown": {"delaySeconds": 4, "gracefulTimeoutSeconds": 5},
}

# pytest-xdist runs tests in processes called gw0, gw1 and so on. Each has a range of ports, so that
# no two choose the same one.
_process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.count(5010 + 500 * _process)


def free_port() -> int:
    """A port of localhost, for a load balancer, that nobody has and no test was given before."""
    for port in _ports:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def merge(*many: Values) -> Values:
    """Later values over earlier ones, as helm does with several files."""
    merged: Values = {}
    for values in many:
        for key, value in values.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = merge(merged[key], value) if both else value
    return merged


class Release:
    """A release with a load balancer of its own at localhost."""

    def __init__(self, namespace: Namespace, name: str = "tasklists", helm: str = HELM) -> None:
        self.namespace = namespace
        self.name = name
        self.binary = helm
        self.port = free_port()
        self.service: Values = {"service": {"type": "LoadBalancer", "port": self.port}}

    def helm(self, *arguments: str, values: Values | None = None, seconds: float = 300) -> str:
        if values is not None:
            arguments += ("--values=-",)
        command = (self.binary, "--namespace", self.namespace.name, *arguments)
        return run(*command, stdin=json.dumps(values or {}), seconds=seconds)

    def install(self, *values: Values, options: tuple[str, ...] = WAIT, chart: Path = CHART) -> str:
        every = merge(self.service, *values)
        return self.helm("install", self.name, str(chart), *options, values=every)

    def upgrade(self, *values: Values, options: tuple[str, ...] = WAIT) -> str:
        every = merge(self.service, *values)
        return self.helm("upgrade", self.name, str(CHART), *options, values=every)

    def rollback(self, revision: int, options: tuple[str, ...] = WAIT) -> str:
        return self.helm("rollback", self.name, str(revision), *options)

    def uninstall(self) -> str:
        return self.helm("uninstall", self.name, *WAIT)

    def template(self, *options: str, values: Values) -> str:
        """What ``helm template`` renders for this cluster's version."""
        version = json.loads(run("kubectl", "version", "--output=json"))["serverVersion"]
        options += (f"--kube-version={version['gitVersion']}",)
        return self.helm("template", self.name, str(CHART), *options, values=values)

    def client(self) -> Client:
        """A client of the load balancer, once that answers."""
        client = Client(f"http://localhost:{self.port}")
        eventually(client.is_there, f"{client.url} answers", seconds=60)
        return client

    def selector(self, component: str) -> str:
        labels = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"
        return f"--selector={labels}"

    def get(self, kind: str, component: str = "app") -> list[Any]:
        items: list[Any] = self.namespace.get(kind, self.selector(component))
        return items

    def one(self, kind: str, component: str = "app") -> str:
        """The name of the only object of that kind."""
        (item,) = self.get(kind, component)
        return str(item["metadata"]["name"])

    def pods(self, component: str = "app") -> list[Any]:
        """Pods that are there to stay."""
        pods = self.get("pods", component)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def pod_names(self, component: str = "app") -> set[str]:
        return {pod["metadata"]["name"] for pod in self.pods(component)}

    def wait_until_rolled_out(self) -> None:
        for kind, component in (("statefulset", "postgres"), ("deployment", "app")):
            for item in self.get(kind, component):
                name = f"{kind}/{item['metadata']['name']}"
                self.namespace.kubectl("rollout", "status", name, "--timeout=180s")

    def wait_until_old_pods_are_gone(self) -> None:
        eventually(lambda: len(self.get("pods")) == len(self.pods()), "old pods are gone")

    def images(self) -> dict[str, str]:
        """The application's image in each ReplicaSet, whose name begins its pods' names."""
        return {
            item["metadata"]["name"]: item["spec"]["template"]["spec"]["containers"][0]["image"]
            for item in self.get("replicasets")
        }

    def node(self, pod: str) -> str:
        return str(self.namespace.get("pod", pod)["spec"]["nodeName"])

    @contextmanager
    def drained(self, node: str) -> Iterator[None]:
        """``kubectl drain``, of this release's pods alone, and back at the end."""
        selector = f"--pod-selector=app.kubernetes.io/instance={self.name}"
        try:
            run("kubectl", "drain", node, selector, "--delete-emptydir-data", "--timeout=180s")
            yield
        finally:
            run("kubectl", "uncordon", node)

    def secrets(self) -> dict[str, dict[str, str]]:
        """What the Secrets of this release hold, helm's own aside."""
        found = self.namespace.get("secrets", f"--selector=app.kubernetes.io/instance={self.name}")
        return {
            secret["metadata"]["name"]: {
                key: base64.b64decode(value).decode() for key, value in secret["data"].items()
            }
            for secret in found
        }
