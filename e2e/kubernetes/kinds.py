"""Kinds that a cluster may lack, created for the tests that need them.

CRDS names a folder with the definitions that the Prometheus operator, the Gateway API and
CloudNativePG publish. No operator acts on their objects here.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from e2e.kubernetes.cluster import run

DEFINITIONS = (
    "podmonitors.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
    "httproutes.gateway.networking.k8s.io",
    "clusters.postgresql.cnpg.io",
    "poolers.postgresql.cnpg.io",
    "scheduledbackups.postgresql.cnpg.io",
)


def existing() -> set[str]:
    """The definitions of custom resources that the cluster has."""
    names = run("kubectl", "get", "customresourcedefinitions", "--output=name")
    return {name.partition("/")[2] for name in names.split()}


def skip_if_existing(group: str) -> None:
    """Skip the test if the cluster has kinds of this group."""
    if any(name.partition(".")[2] == group for name in existing()):
        pytest.skip(f"this cluster has kinds of {group}")


@contextmanager
def definitions() -> Iterator[None]:
    """Add those of DEFINITIONS that the cluster lacks for a block; skip the test without CRDS."""
    missing = set(DEFINITIONS) - existing()
    folder = os.environ.get("CRDS")
    if missing and not folder:
        pytest.skip(f"the cluster lacks {sorted(missing)}, and CRDS names no folder with them")
    files = [path.read_text() for path in sorted(Path(folder or ".").glob("*.yaml")) if missing]
    published = [document for file in files for document in yaml.safe_load_all(file) if document]
    chosen = [item for item in published if item["metadata"]["name"] in missing]
    assert {item["metadata"]["name"] for item in chosen} == missing
    names = [f"customresourcedefinition/{name}" for name in sorted(missing)]
    try:
        for item in chosen:
            apply = ("kubectl", "apply", "--server-side", "--filename=-")
            run(*apply, stdin=json.dumps(item, default=str))
        for name in names:
            run("kubectl", "wait", name, "--for=condition=Established", "--timeout=60s")
        yield
    finally:
        for name in names:
            run("kubectl", "delete", name, "--ignore-not-found")
