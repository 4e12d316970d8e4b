"""The chart's objects of kinds that a cluster may lack, with and without these kinds."""

import json
import re
from typing import Any

import pytest
import yaml

from e2e.kubernetes.cluster import CommandError, Namespace
from e2e.kubernetes.kinds import skip_if_existing
from e2e.kubernetes.monitoring import SECRETS
from e2e.kubernetes.release import EXAMPLES, HELMS, SMALL, Release, Values, merge

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
# Every value for which the chart renders a field of the operator's kinds.
OPERATED: Values = {
    "database": {"mode": "cloudnative-pg"},
    "imagePullSecrets": ["mine"],
    "commonLabels": {"team": "lists"},
    "cloudnativePg": {
        "parameters": {"max_connections": 200},
        "persistence": {"storageClass": "fast"},
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "database", "operator": "Exists"}],
        "backup": {"objectStore": "store", "volumeSnapshotClass": "snapshots"},
        "pooler": {"enabled": True},
        "extraSpec": {"walStorage": {"size": "1Gi"}},
    },
}
TEMPLATES = {
    "PodMonitor": "templates/metrics/podmonitor.yaml",
    "PrometheusRule": "templates/metrics/prometheusrule.yaml",
    "HTTPRoute": "templates/app/httproute.yaml",
}
OPERATOR_TEMPLATES = {
    kind: f"templates/cloudnativepg/{kind.lower()}.yaml"
    for kind in ("Cluster", "Pooler", "ScheduledBackup", "PodMonitor")
}
ANNOTATION = 'prometheus.io/scrape: "true"'
REFUSED = r"misspelt: field not declared in schema|unknown field .*misspelt"


@pytest.fixture(scope="module")
def without_kinds() -> None:
    skip_if_existing("monitoring.coreos.com")


@pytest.fixture(scope="module")
def without_operator() -> None:
    skip_if_existing("postgresql.cnpg.io")


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


@pytest.mark.usefixtures("without_operator")
@pytest.mark.parametrize("values", [OPERATED, {"cloudnativePg": {"prepare": True}}])
def test_a_missing_operator_fails(release: Release, values: Values) -> None:
    with pytest.raises(CommandError, match="install the CloudNativePG operator"):
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
        (item,) = namespace.get(kind, f"--selector={release.label}")
        assert item["metadata"]["name"] == "monitored-tasklists"
    release.helm("uninstall", release.name)


@pytest.mark.usefixtures("with_kinds")
@pytest.mark.parametrize("template", [*TEMPLATES.values(), *OPERATOR_TEMPLATES.values()])
def test_every_field_is_known(release: Release, template: str) -> None:
    operated = OPERATED if template in OPERATOR_TEMPLATES.values() else {}
    document = rendered(release, template, MONITORED, ROUTED, operated)
    create(release.namespace, document)
    assert release.namespace.get(document["kind"], document["metadata"]["name"])["spec"]

    document["spec"]["misspelt"] = True
    with pytest.raises(CommandError, match=REFUSED):
        create(release.namespace, document)


@pytest.mark.usefixtures("with_kinds")
@pytest.mark.parametrize(
    "values",
    [
        {"instances": 1},
        {"instances": 2, "dataDurability": "preferred", "imageName": ""},
        {"backup": {"objectStore": "store"}},
    ],
    ids=["one server", "two servers", "a plugin"],
)
def test_every_cluster_is_taken(release: Release, values: Values) -> None:
    operated = {"database": {"mode": "cloudnative-pg"}, "cloudnativePg": values}
    for kind in ("Cluster", "ScheduledBackup") if "backup" in values else ("Cluster",):
        create(release.namespace, rendered(release, OPERATOR_TEMPLATES[kind], operated))


@pytest.mark.usefixtures("with_kinds")
def test_the_cluster_of_the_example(release: Release) -> None:
    example = yaml.safe_load((EXAMPLES / "cloudnative-pg.yaml").read_text())
    create(release.namespace, rendered(release, OPERATOR_TEMPLATES["Cluster"], example))


@pytest.mark.usefixtures("with_kinds")
def test_a_release_keeps_its_cluster(namespace: Namespace, release: Release) -> None:
    """The data belongs to the Cluster; an install of the same name takes it back."""
    release = Release(namespace, "operated", helm=release.binary)
    values = merge(OPERATED, {"replicaCount": 0})
    release.install(values, options=())
    release.uninstall()
    kept = ("clusters.postgresql.cnpg.io", "operated-tasklists-db")
    cluster = namespace.get(*kept)
    kinds = "poolers.postgresql.cnpg.io,scheduledbackups.postgresql.cnpg.io"
    assert namespace.get(kinds, f"--selector={release.label}") == []
    release.install(values, options=())
    assert namespace.get(*kept)["metadata"]["uid"] == cluster["metadata"]["uid"]
    release.uninstall()
    namespace.kubectl("delete", *kept)


def dry_run(release: Release, *values: Values) -> str:
    """What ``helm install`` would create on this cluster."""
    return release.install(SMALL, *values, options=("--dry-run=server",))


def rendered(release: Release, template: str, *values: Values) -> Any:
    every = merge(SMALL, *values, {"metrics": {"missingKinds": "always"}}, SECRETS)
    return yaml.safe_load(release.template(f"--show-only={template}", values=every))


def create(namespace: Namespace, document: Any) -> None:
    options = ("--server-side", "--validate=strict", "--filename=-")
    namespace.kubectl("apply", *options, stdin=json.dumps(document))
