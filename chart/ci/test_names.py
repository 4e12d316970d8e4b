"""The chart accepts labels, annotations, address ranges and names only if Kubernetes does."""

import json
import subprocess
from typing import Any

import pytest
from rendering import CHART, SECRETS, VERSION, Refused, Values, nested, render, require_cluster

LONG = "a" * 63
SUBDOMAIN = ".".join([LONG] * 3 + ["a" * 61])  # 253 characters
GOOD: Values = {
    "commonLabels": {
        "a": "", "A_b.c-1": "1", f"{SUBDOMAIN}/{LONG}": LONG, "example.com/x": "A_b.c-1"
    },
    "podAnnotations": {f"{SUBDOMAIN}/{LONG}": "any text,\nof any length", "Example.COM/X": ""},
    "nodeSelector": {"example.com/x": "", "a": "1"},
    "priorityClassName": "system-node-critical",
    "service": {
        "type": "LoadBalancer",
        "loadBalancerClass": f"{SUBDOMAIN}/{LONG}",
        "loadBalancerSourceRanges": ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.255/32", "::/0", "2001:db8::/32"],
        "annotations": {"a/b": "c"},
        "ipFamilies": ["IPv4"],
    },
    "ingress": {
        "enabled": True,
        "className": SUBDOMAIN,
        "hosts": ["example.com", "*.example.com", "a", f"{LONG}.3scale"],
        "tlsSecret": SUBDOMAIN,
        "annotations": {"a/B": "c"},
    },
    "serviceAccount": {"name": SUBDOMAIN, "annotations": {"a/b": "c"}},
    "postgres": {
        "persistence": {"storageClass": SUBDOMAIN},
        "podAnnotations": {"a/b": "c"},
        "auth": {"existingSecret": SUBDOMAIN, "existingSecretKey": ".A_b-" + "c" * 248},
    },
    "metrics": {
        "enabled": True,
        "from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "dashboard": {"enabled": True, "labels": {"a/b": "1"}, "annotations": {"grafana_folder": "A b"}},
    },
    "backup": {"enabled": True, "timeZone": "America/Argentina/Buenos_Aires",
               "persistence": {"existingClaim": SUBDOMAIN}},
}  # fmt: skip
CLUSTER: Values = {
    "database": {"mode": "cloudnative-pg"},
    "cloudnativePg": {
        "fullnameOverride": "a" * 50,
        "imageName": "localhost:5000/a/b_c:17.5-minimal@sha256:" + "0" * 64,
        "persistence": {"storageClass": SUBDOMAIN},
        "backup": {"objectStore": SUBDOMAIN, "volumeSnapshotClass": SUBDOMAIN},
        "nodeSelector": {"example.com/x": ""},
    },
}
EXTERNAL: Values = {
    "database": {"mode": "external"},
    "external": {"existingSecret": "url", "cidrs": ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8", "::1/128"]},
}  # fmt: skip

NO_NAMES = ["A", "a_b", "-a", "a-", ".a", "a.", "a..b", "a b", "a\n", "a/b", "a" * 254]
NO_KEYS = ["", "-a", "a-", "a b", "/a", "a/", "a/b/c", "A_b/c", f"{LONG}a", "ä", "a/b\n"]
NO_CIDRS = [
    "",
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0/8",
    "10.0.0.256/8",
    "010.0.0.0/8",
    "::/129",
    "a/8",
    " ::/0",
]
BAD: list[tuple[str, Any]] = [
    *((place, {key: "x"}) for place in ("commonLabels", "nodeSelector") for key in NO_KEYS),
    *(("commonLabels", {"a": text}) for text in ("-a", "a-", "a b", "a/b", f"{LONG}a", 1, True, "a\n")),
    *((place, {key: "x"}) for place in ("podAnnotations", "ingress.annotations") for key in ("", "a b", "a/")),
    ("service.annotations", {"a": 1}),
    *(("external.cidrs", [text]) for text in NO_CIDRS),
    ("service.loadBalancerSourceRanges", ["10.0.0.0/8, 192.0.2.0/24"]),
    ("service.loadBalancerClass", "internal vip"),
    ("service.ipFamilies", ["IPv4", "IPv4"]),
    *(("ingress.className", text) for text in NO_NAMES),
    *((f"{place}.persistence.storageClass", text) for place in ("postgres", "sqlite", "backup") for text in ("A", "--")),
    *((f"{place}.persistence.existingClaim", "a_b") for place in ("postgres", "sqlite", "backup")),
    *((place, "A") for place in ("ingress.tlsSecret", "serviceAccount.name", "priorityClassName", "postgres.priorityClassName")),
    *(("backup.timeZone", text) for text in ("Europe/Lisbon ", " UTC", "Europe/", "/UTC", "Europe Lisbon", "../UTC")),
    ("metrics.monitor.labels", {"a": "b c"}),
    ("metrics.rules.labels", {"a": "b c"}),
    ("metrics.dashboard.labels", {"a": 1}),
    ("metrics.dashboard.annotations", {"a b": "c"}),
    *(("metrics.monitor.interval", text) for text in ("", "30", 30, "s", "1.5s", "30 s", "1m 30s", "30s1m")),
    *(("secretKey.existingSecretKey", text) for text in ("a b", "a/b", ".", "..", "..a", "a" * 254)),
    *(("postgres.auth.existingSecret", text) for text in NO_NAMES),
    *(("cloudnativePg.fullnameOverride", text) for text in ("A", "1a", "a.b", "a" * 51)),
    *(("cloudnativePg.imageName", text) for text in ("postgresql", "postgresql:latest", "a b:17", "a:17@sha256:0")),
    *(("cloudnativePg.backup.objectStore", text) for text in NO_NAMES),
    *(("cloudnativePg.auth.username", text) for text in ("postgres", "streaming_replica", "A", "")),
]  # fmt: skip


def test_what_kubernetes_refuses_is_refused() -> None:
    for path, value in BAD:
        with pytest.raises(Refused) as refused:
            render(nested(path.split("."), value))
        assert path in str(refused.value).replace("/", "."), (path, value)


def test_names_of_a_cluster_are_let_through() -> None:
    """e2e/kubernetes/test_custom_resources.py has a cluster that knows the kinds."""
    assert render(CLUSTER)


@pytest.mark.parametrize("values", [GOOD, EXTERNAL])
def test_what_is_let_through_is_taken_by_a_cluster(values: Values) -> None:
    assert render(values)
    require_cluster()
    command = ["helm4", "template", "one", str(CHART), f"--kube-version={VERSION}"]
    made = subprocess.run(
        [*command, f"--values={SECRETS}", "--values=-"],
        input=json.dumps(values), capture_output=True, text=True, check=True,
    )  # fmt: skip
    taken = subprocess.run(
        ["kubectl", "create", "--dry-run=server", "--namespace=default", "--filename=-"],
        input=made.stdout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not taken.returncode, taken.stderr
