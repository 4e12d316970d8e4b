"""A Prometheus in the cluster that scrapes a release and evaluates the chart's rules."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from e2e.kubernetes import state_metrics
from e2e.kubernetes.cluster import (
    RESTRICTED_CONTAINER,
    RESTRICTED_POD,
    Namespace,
    eventually,
    new_namespace,
    run,
)
from e2e.kubernetes.release import CHART, Release, Values, merge

IMAGE = "app:prometheus"  # `make image-prometheus` builds it
CONFIGURATION = CHART.parent / "docs" / "prometheus.yml"
LABELS = {"app": "prometheus"}

# Prometheus scrapes each second instead of every 30. The durations of the rules are that much
# shorter, so that they cover the same number of scrapes.
SPEED = 30

# What the chart wants to know where it is rendered without a cluster.
SECRETS: Values = {
    "secretKey": {"value": "k" * 50},
    "postgres": {"auth": {"password": "d" * 24}},
}

JOBS = {"pods", "kube-state-metrics", "kubelet"}  # of docs/prometheus.yml

Labels = dict[str, str]


def configuration() -> str:
    """docs/prometheus.yml, with a scrape each second."""
    document = yaml.safe_load(CONFIGURATION.read_text())
    document["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
    document["global"]["evaluation_interval"] = "1s"
    return yaml.safe_dump(document)


def rules(release: Release, values: Values) -> Any:
    """The rules of a release as a file for a Prometheus without the operator."""
    only = ("--show-only", "templates/metrics/prometheusrule.yaml")
    asked_for = {"metrics": {"rules": {"enabled": True}, "missingKinds": "always"}}
    manifest = release.template(*only, values=merge(values, asked_for, SECRETS))
    return yaml.safe_load(manifest)["spec"]


def accelerated(document: Any) -> Any:
    """The rules with all durations divided by SPEED."""
    groups = []
    for group in document["groups"]:
        faster = []
        for rule in group["rules"]:
            ranges = {"expr": re.sub(r"\[[^]]*\]", lambda part: shorter(part[0]), rule["expr"])}
            waits = {key: shorter(rule[key]) for key in ("for", "keep_firing_for") if key in rule}
            faster.append(rule | ranges | waits)
        groups.append({"name": group["name"], "rules": faster})
    return {"groups": groups}


def shorter(durations: str) -> str:
    """The text with each duration in it divided by SPEED."""
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return re.sub(
        r"(\d+)([smhd])",
        lambda part: f"{max(1, int(part[1]) * seconds[part[2]] // SPEED)}s",
        durations,
    )


class Prometheus:
    """A pod with Prometheus, which is asked through the API server."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace

    def peer(self) -> dict[str, Any]:
        """This pod, as the peer of a NetworkPolicy."""
        name = {"kubernetes.io/metadata.name": self.namespace.name}
        return {
            "namespaceSelector": {"matchLabels": name},
            "podSelector": {"matchLabels": LABELS},
        }

    def start(self, rules: Any) -> None:
        files = {"prometheus.yml": configuration(), "rules.yml": json.dumps(rules)}
        command = ["prometheus", "--config.file=/config/prometheus.yml"]
        self.namespace.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "prometheus"},
                "data": files,
            },
            *pod(
                "prometheus",
                IMAGE,
                [*command, "--storage.tsdb.path=/tmp/prometheus"],
                LABELS,
                port=9090,
                files={"prometheus.yml": "prometheus.yml", "rules.yml": "rules/rules.yml"},
                probe={"httpGet": {"path": "/-/ready", "port": 9090}, "periodSeconds": 1},
            ),
        )
        self.namespace.kubectl("wait", "pod/prometheus", "--for=condition=Ready", "--timeout=120s")
        eventually(lambda: self.jobs_that_answer() == JOBS, f"{JOBS} are scraped")

    def jobs_that_answer(self) -> set[str]:
        return {labels["job"] for labels, up in self.query("min by (job) (up)") if up}

    def query(self, expression: str) -> list[tuple[Labels, float]]:
        """The labels and the value of each sample in the result of an instant query."""
        result = self.ask("query", query=expression)["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def value(self, expression: str) -> float | None:
        """The value of an instant query whose result has at most one sample."""
        samples = self.query(expression)
        if not samples:
            return None
        ((_, value),) = samples
        return value

    def had_data(self, expression: str, seconds: float) -> bool:
        """Whether an expression returned samples at any time in the last ``seconds``."""
        now = self.value("vector(time())")
        assert now
        times = {"start": str(now - seconds), "end": str(now), "step": "5"}
        return bool(self.ask("query_range", query=expression, **times)["result"])

    def firing(self, release: Release) -> set[str]:
        """The names of the alerts that fire for a release."""
        selector = f'alertstate="firing",namespace="{release.namespace.name}"'
        return {labels["alertname"] for labels, _ in self.query(f"ALERTS{{{selector}}}")}

    def fires(self, release: Release, *alerts: str, seconds: float = 60) -> None:
        what = f"{' and '.join(alerts)} fire"
        eventually(lambda: set(alerts) <= self.firing(release), what, seconds)

    def resolves(self, release: Release, *alerts: str, seconds: float = 120) -> None:
        what = f"{' and '.join(alerts)} no longer fire"
        eventually(lambda: not set(alerts) & self.firing(release), what, seconds)

    def ask(self, method: str, **parameters: str) -> Any:
        pod = f"/api/v1/namespaces/{self.namespace.name}/pods/prometheus:9090/proxy"
        answer = run("kubectl", "get", "--raw", f"{pod}/api/v1/{method}?{urlencode(parameters)}")
        return json.loads(answer)["data"]


@contextmanager
def prometheus() -> Iterator[Prometheus]:
    """A Prometheus and a kube-state-metrics in a namespace of their own; neither is started yet."""
    with new_namespace("prometheus") as namespace, rights(namespace):
        start_state_metrics(namespace)
        yield Prometheus(namespace)


@contextmanager
def rights(namespace: Namespace) -> Iterator[None]:
    """Grant the rights that docs/prometheus.yml names, and those that kube-state-metrics needs."""
    read = ["get", "list", "watch"]
    role = {"kind": "ClusterRole", "metadata": {"name": namespace.name}}
    binding = {"kind": "ClusterRoleBinding", "metadata": {"name": namespace.name}}
    version = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
    account = {"kind": "ServiceAccount", "namespace": namespace.name, "name": "prometheus"}
    namespace.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "prometheus"}},
        {
            **version,
            **role,
            "rules": [
                {"apiGroups": [""], "resources": ["pods", "services", "nodes"], "verbs": read},
                {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
                {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": read},
                {"apiGroups": ["batch"], "resources": ["cronjobs", "jobs"], "verbs": read},
            ],
        },
        {
            **version,
            **binding,
            "roleRef": {**reference, "name": namespace.name},
            "subjects": [account],
        },
    )
    try:
        yield
    finally:
        for kind in ("clusterrolebinding", "clusterrole"):
            run("kubectl", "delete", kind, namespace.name)


def start_state_metrics(namespace: Namespace) -> None:
    """Start kube-state-metrics, or its replacement if no image of it is given."""
    labels = {"app.kubernetes.io/name": "kube-state-metrics"}
    image = os.environ.get("KUBE_STATE_METRICS_IMAGE")
    script = Path(state_metrics.__file__)
    command = ["python3", f"/config/{script.name}"]
    if image:
        resources = "--resources=cronjobs,deployments,jobs,pods"
        command = ["/kube-state-metrics", resources, f"--port={state_metrics.PORT}"]
    port = {"name": "http-metrics", "port": state_metrics.PORT}
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "kube-state-metrics"},
            "data": {script.name: script.read_text()},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-state-metrics", "labels": labels},
            "spec": {"selector": labels, "ports": [port]},
        },
        *pod(
            "kube-state-metrics",
            image or IMAGE,
            command,
            labels,
            port=state_metrics.PORT,
            files={script.name: script.name},
            probe={"tcpSocket": {"port": state_metrics.PORT}, "periodSeconds": 1},
        ),
    )


def pod(
    name: str,
    image: str,
    command: list[str],
    labels: Labels,
    *,
    port: int,
    files: Labels,
    probe: dict[str, Any],
) -> list[dict[str, Any]]:
    """A pod that mounts the ConfigMap with its own name at /config and uses the ServiceAccount."""
    items = [{"key": key, "path": path} for key, path in files.items()]
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "ports": [{"containerPort": port}],
        "readinessProbe": probe,
        "securityContext": RESTRICTED_CONTAINER,
        "volumeMounts": [{"name": "config", "mountPath": "/config"}],
    }
    spec = {
        "serviceAccountName": "prometheus",
        "terminationGracePeriodSeconds": 1,
        "securityContext": RESTRICTED_POD,
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": name, "items": items}}],
    }
    metadata = {"name": name, "labels": labels}
    return [{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}]
