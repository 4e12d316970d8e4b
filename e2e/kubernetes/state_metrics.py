"""Serves the series of kube-state-metrics that the chart's rules and dashboard use.

A pod of ``app:prometheus`` runs this file where KUBE_STATE_METRICS_IMAGE names no image of
kube-state-metrics. Names, labels and values are those of kube-state-metrics 2. They are read from
the cluster's objects at each scrape.
"""

import json
import ssl
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

API = "https://kubernetes.default.svc"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PORT = 8080

Labels = dict[str, str]
Sample = tuple[str, Labels, float]


def deployment(item: Any, labels: Labels) -> Iterator[Sample]:
    ready = item["status"].get("readyReplicas", 0)
    yield "kube_deployment_status_replicas_ready", labels, ready


def pod(item: Any, labels: Labels) -> Iterator[Sample]:
    labels = labels | {"uid": item["metadata"]["uid"]}
    for statuses, kind in (("containerStatuses", ""), ("initContainerStatuses", "init_")):
        for container in item["status"].get(statuses, []):
            of_container = labels | {"container": container["name"]}
            restarts = container["restartCount"]
            yield f"kube_pod_{kind}container_status_restarts_total", of_container, restarts


def cronjob(item: Any, labels: Labels) -> Iterator[Sample]:
    yield "kube_cronjob_created", labels, seconds(item["metadata"]["creationTimestamp"])
    if last := item["status"].get("lastSuccessfulTime"):
        yield "kube_cronjob_status_last_successful_time", labels, seconds(last)


def job(item: Any, labels: Labels) -> Iterator[Sample]:
    yield "kube_job_created", labels, seconds(item["metadata"]["creationTimestamp"])
    for owner in item["metadata"].get("ownerReferences", []):
        owned = {"owner_kind": owner["kind"], "owner_name": owner["name"]}
        is_controller = {"owner_is_controller": json.dumps(owner.get("controller", False))}
        yield "kube_job_owner", labels | owned | is_controller, 1
    for condition in item["status"].get("conditions", []):
        if condition["type"] == "Failed":
            for value in ("true", "false", "unknown"):
                is_it = condition["status"].lower() == value
                yield "kube_job_failed", labels | {"condition": value}, is_it


KINDS = (
    ("apis/apps/v1/deployments", "deployment", deployment),
    ("api/v1/pods", "pod", pod),
    ("apis/batch/v1/cronjobs", "cronjob", cronjob),
    ("apis/batch/v1/jobs", "job_name", job),
)


def samples() -> Iterator[Sample]:
    for path, label, series in KINDS:
        for item in objects(path):
            metadata = item["metadata"]
            yield from series(item, {"namespace": metadata["namespace"], label: metadata["name"]})


def objects(path: str) -> Any:
    token = (ACCOUNT / "token").read_text()
    request = urllib.request.Request(f"{API}/{path}", headers={"Authorization": f"Bearer {token}"})
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # some clusters' authority lacks an extension
    with urllib.request.urlopen(request, context=context, timeout=5) as answer:
        return json.load(answer)["items"]


def seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def exposition() -> str:
    lines = []
    for name, labels, value in samples():
        inside = ",".join(f"{key}={json.dumps(text)}" for key, text in labels.items())
        lines.append(f"{name}{{{inside}}} {float(value):.17g}\n")
    return "".join(lines)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = exposition().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Log no scrape."""


if __name__ == "__main__":
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
