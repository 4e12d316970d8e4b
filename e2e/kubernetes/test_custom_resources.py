"""The chart's objects of kinds that a cluster may lack, with and without these kinds.

CRDS names a folder with the definitions that the Prometheus operator, the Gateway API and
CloudNativePG publish. Those that the cluster lacks are created for these tests.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.kubernetes.cluster import CommandError, Namespace, run
from e2e.kubernetes.monitoring import SECRETS
from e2e.kubernetes.release import EXAMPLES, HELMS, SMALL, Release, Values, merge

DEFINITIONS = (
    "podmonitors.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
    "httproutes.gateway.networking.k8s.io",
    "clusters.postgresql.cnpg.io",
)
MONITORED: Values = {
    "backup": {"enabled": True},
    "metrics": {
        "enabled": True,
        "monitor": {"enabled": True, "interval": "15s", "labels": {"release": "prometheus"}},
        "rules": {"enabled": True, "labels": {"release": "prometheus"}},
    },
}
ROUTED: Values = {
    "httpRoute": {
        "enabled": True,
        "parentRefs": [{"name": "gateway", "namespace": "gateways", "sectionName": "https"}],
        "hostnames": ["tasks.example.com"],
    }
}
TEMPLATES = {
    "PodMonitor": "templates/metrics/podmonitor.yaml",
    "PrometheusRule": "templates/metrics/prometheusrule.yaml",
    "HTTPRoute": "templates/app/httproute.yaml",
}
ANNOTATION = 'prometheus.io/scrape: "true"'
REFUSED = r"misspelt: field not declared in schema|unknown field .*misspelt"


def existing() -> set[str]:
    """The definitions of custom resources that the cluster has."""
    names = run("kubectl", "get", "customresourcedefinitions", "--output=name")
    return {name.partition("/")[2] for name in names.split()}


@pytest.fixture(scope="module")
def without_kinds() -> None:
    if existing() & {"podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"}:
        pytest.skip("this cluster has the kinds of the Prometheus operator")


@pytest.fixture(scope="module")
def with_kinds() -> Iterator[None]:
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


@pytest.fixture(params=HELMS)
def release(request: pytest.FixtureRequest, namespace: Namespace) -> Release:
    return Release(namespace, helm=request.param)


@pytest.mark.usefixtures("without_kinds")
def test_missing_kinds_fail(release: Release) -> None:
    with pytest.raises(CommandError, match=r"metrics\.missingKinds"):
        dry_run(release, MONITORED)


@pytest.mark.usefixtures("without_kinds")
def test_missing_kinds_are_skipped(release: Release) -> None:
    """Without a PodMonitor, the pods get the annotations."""
    said = dry_run(release, MONITORED, {"metrics": {"missingKinds": "skip"}})
    assert not re.search("^kind: (PodMonitor|PrometheusRule)$", said, re.MULTILINE)
    assert ANNOTATION in said


@pytest.mark.usefixtures("without_kinds")
def test_missing_kinds_are_rendered_and_refused_by_the_cluster(release: Release) -> None:
    values = merge(MONITORED, {"metrics": {"missingKinds": "always"}}, SECRETS)
    said = release.template(values=values)
    assert "\nkind: PodMonitor\n" in said
    assert "\nkind: PrometheusRule\n" in said
    with pytest.raises(CommandError, match="no matches for kind"):
        dry_run(release, values)


@pytest.mark.usefixtures("with_kinds")
@pytest.mark.parametrize("missing_kinds", ["fail", "skip", "always"])
def test_known_kinds_are_created(release: Release, missing_kinds: str) -> None:
    """With a PodMonitor, the pods have no annotations, or they would be scraped twice."""
    said = dry_run(release, MONITORED, {"metrics": {"missingKinds": missing_kinds}})
    assert "\nkind: PodMonitor\n" in said
    assert "\nkind: PrometheusRule\n" in said
    assert ANNOTATION not in said


@pytest.mark.usefixtures("with_kinds")
def test_a_release_has_them(namespace: Namespace) -> None:
    release = Release(namespace, "monitored")
    release.install({"replicaCount": 0}, MONITORED, ROUTED, options=())
    for kind in TEMPLATES:
        (item,) = namespace.get(kind, "--selector=app.kubernetes.io/instance=monitored")
        assert item["metadata"]["name"] == "monitored-tasklists"
    release.helm("uninstall", release.name)


@pytest.mark.usefixtures("with_kinds")
@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_field_is_known(release: Release, kind: str) -> None:
    document = rendered(release, kind)
    create(release.namespace, document)
    assert release.namespace.get(kind, document["metadata"]["name"])["spec"]

    document["spec"]["misspelt"] = True
    with pytest.raises(CommandError, match=REFUSED):
        create(release.namespace, document)


@pytest.mark.usefixtures("with_kinds")
def test_the_cluster_in_the_example_for_cloudnative_pg(namespace: Namespace) -> None:
    """The Cluster is in a comment of the example, above the values that use its Secret."""
    comment = (EXAMPLES / "cloudnative-pg.yaml").read_text()
    lines = re.findall(r"^#   (?!kubectl|helm)(.*)$", comment, re.MULTILINE)
    document = yaml.safe_load("\n".join(lines))
    assert document["kind"] == "Cluster"
    create(namespace, document)

    document["spec"]["storage"]["misspelt"] = True
    with pytest.raises(CommandError, match=REFUSED):
        create(namespace, document)


def dry_run(release: Release, *values: Values) -> str:
    """What ``helm install`` would create on this cluster."""
    return release.install(SMALL, *values, options=("--dry-run=server",))


def rendered(release: Release, kind: str) -> Any:
    values = merge(SMALL, MONITORED, ROUTED, {"metrics": {"missingKinds": "always"}}, SECRETS)
    return yaml.safe_load(release.template(f"--show-only={TEMPLATES[kind]}", values=values))


def create(namespace: Namespace, document: Any) -> None:
    options = ("--server-side", "--validate=strict", "--filename=-")
    namespace.kubectl("apply", *options, stdin=json.dumps(document))
