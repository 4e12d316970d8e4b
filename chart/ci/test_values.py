"""What the chart lets through, the application accepts, so that a mistake ends `helm upgrade`.

The application's own settings read the environment of the rendered pods.
"""

import json
import os
import re
import runpy
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from rendering import Refused, Values, mutations, nested, render

ROOT = Path(__file__).resolve().parents[2]
HELMS = ("helm3", "helm4")

# fmt: off
LABEL = "a" * 63
HOSTS = [  # usual spellings
    *("*", "example.com", "EXAMPLE.com", "a.Example.com", "example.com.", "localhost", "3scale"),
    *(".example.com", "*.example.com", "127.0.0.1", "[::1]", "[2001:DB8:0:0::1]"),
    *("[1:2:3:4:5:6:7:8]", "xn--bcher-kva.example", "a--b.example", f"{LABEL}.example"),
    *("1.2.3.example", "0x1g.a1"),
]
NO_HOSTS = [
    *("", " ", "my_app", ".my_app.example", "example.com:80", "https://example.com", "//a.example"),
    *("https://tasks.example.com/", "example.com/tasks", "[::1]:80", "*.10.0.0.1", ".10.0.0.1"),
    *(".[::1]", "10.0.0.256", "10.0.0.1.", "10.0.1", "010.0.0.1", "1", "0x", "a.0x1F", "a.1"),
    *("[::1", "::1]", "[]", "[:]", "[:::]", "[1::2::3]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]"),
    *("[1::2:3:4:5:6:7:8]", "[12345::]", "[fe80::1%eth0]", "[::ffff:10.0.0.1]", "[::FFFF:a00:1]"),
    *("[0:0::0:ffff:1:2]", "[::1.2.3.4]", "two words", " a", "a ", "a,b", "a\nb", "a\n", "a..b"),
    *(".", "..", "-a.example", "a-.example", "**", "*example.com", "**.example.com"),
    *("*.*.example.com", "a.*.example", f"{LABEL}a.example", f"{'a.' * 127}a", "user@a.example"),
    *("a?b", "a#b", "{{ .Release.Name }}", "%61", "a\0"),
]
ORIGINS = [
    *("https://app.example.com", "http://localhost:3000", "https://app.example.com:443/"),
    *("http://my_app:3000", "http://[::1]:3000", "https://10.0.0.1"),
    *("https://*.Example.com:8443", "http://localhost:08080"),
]
NO_ORIGINS = [
    *("", "https://", "null", "app.example.com", "://a", "1a://b", "https:/a.example", "https:a"),
    *("https://a.example/path", "https://a.example//", "https://A.example?q", "https://a.example#f"),
    *("https://user@a.example", "https://user:word@a.example", "https://a.example:0"),
    *("https://a.example:00000", "https://a.example:65536", "https://a.example:٣"),
    *("https://a.example:99999/", "https://a.example:http", "https://*.10.0.0.1", "https://*.[::1]"),
    *("https://.example.com", "https://*", "https://a.*.example", "wss://a.example", "File://x"),
    *("about:blank", "javascript://a", "data://a", "blob://a", "FTP://a", "https://a.example "),
    *(" https://a.example", "https://a,https://b", "https://a\n", "*.example.com"),
    *(f"https://{host}" for host in NO_HOSTS if not re.search(r"^[*.]|[_/]|:80$", host)),
]
ROUTE_HOSTS = [
    *("example.com", "*.example.com", "a", "3scale.example", "xn--bcher-kva.example"),
    f"{LABEL}.example",
]
LISTS: dict[str, tuple[list[str], list[str]]] = {
    "config.allowedHosts": (HOSTS, NO_HOSTS),
    "config.corsAllowedOrigins": (["*", "capacitor://localhost", "io+x://a", *ORIGINS], NO_ORIGINS),
    "config.csrfTrustedOrigins": (ORIGINS, ["*", "ldap://a", "capacitor://localhost", *NO_ORIGINS]),
    "ingress.hosts": (ROUTE_HOSTS, NO_HOSTS),
    "httpRoute.hostnames": (ROUTE_HOSTS, NO_HOSTS),
}
SERVICES = (["", "db"], ["db.x", "1db", "Db", "a_b", "db:5432", "a" * 64])
SCALARS: dict[str, tuple[list[Any], list[Any]]] = {
    "config.apiAccess": (["anyone", "read_only", "authenticated"], ["", "Anyone", "read-only"]),
    "config.trustProxyHeaders": ([True, False, 0, 1, 10], [-1, 11, 1.5, "true", "1", "yes"]),
    "config.httpsOnly": ([False], [1, "yes"]),
    "config.logLevel": (["DEBUG", "CRITICAL"], ["", "TRACE"]),
    "config.logFormat": (["json", "console"], ["", "text"]),
    "config.webConcurrency": ([1, 256], [0, -1, 257, 1.5, "2", 10**9]),
    "config.threads": ([1, 256], [0, 257, 1.5, "2", 10**9]),
    "shutdown.gracefulTimeoutSeconds": ([1, 3600], [-1, 3601, 0.5, "30", 10**9]),
    "external.sslMode": (["", "require"], ["Require", "on"]),
    "clusterDomain": (
        ["cluster.local", "k8s", "a.b.c.example"],
        ["", ".local", "Cluster.local", "a_b", "10.0.0.1", "a.1", "a b", "a,b", "a:53", "a." * 110 + "a"],
    ),
    "postgres.auth.username": (
        ["tasklists", "_a1", "pg", "pga", "postgres", "user", "a" * 63],
        ["", "pg_", "pg_app", "public", "none", "Tasks", "a-b", "1a", "a b", "a" * 64, "a@b", "a:b"],
    ),
    "postgres.auth.database": (
        ["tasklists", "pg_app"], ["", "postgres", "template1", "a/b", "a?b", "A", "a" * 64]
    ),
    "metrics.missingKinds": (["fail", "skip", "always"], ["", "Skip", True]),
    "metrics.rules.runbookUrl": (
        ["docs/runbooks", "https://example.com/docs/runbooks"],
        ["", "/", "https://example.com/docs/runbooks/", "a b", "docs/runbooks\n"],
    ),
    "metrics.rules.thresholds.errorRatio": ([0, 0.05], [-0.1, 1, 5, "0.05"]),
    "metrics.rules.thresholds.latencySeconds": ([0.3, 1, 9.9], [0, 10, "1s"]),
    "metrics.rules.thresholds.restarts": ([1, 100], [0, 1.5]),
    "metrics.rules.slo.availability": ([99, 99.95], [0, 100, "99.9%"]),
    "metrics.rules.slo.latencySeconds": ([0.005, 0.3, 10], [0, 0.4, 300]),  # the histogram's bounds
    "postgres.serviceName": SERVICES,
    "postgres.alias": SERVICES,
    "admin.username": (
        ["admin", "Ünal+1@x.y-z_", "a" * 150],
        [
            *("", "two words", "a\nb", "a/b", "a" * 151, "ﷺ", "ﷺ" * 10, "ŀ", "ﬃ" * 60, "ำ", "½"),
            *("a\u0301b", " a", "a "),
        ],
    ),
    "admin.email": (
        ["", "Admin@example.com", "admin@localhost", "a.b+c@x-y.example", "a@b.co"],
        [
            *("nobody", "a@b", "a b@example.com", "a@example..com", "a@.com", "a.@b.com", "@b.com"),
            *("a@b.com ", "a@b.com,c@d.com", "a@b.c", "a@b.co\n"),
            f"{'a' * 60}@{'b.' * 100}example.com",
        ],
    ),
}
# fmt: on

CONTEXT: dict[str, Values] = {  # which makes a value count
    "ingress": {"enabled": True},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]},
    "admin": {"enabled": True, "password": "of the test"},
}
# Enough connections for the largest numbers of workers and threads.
ROOM: Values = {"postgres": {"parameters": {"max_connections": 10_000}}}


def values_with(path: str, value: Any) -> Values:
    first, *rest = path.split(".")
    values = CONTEXT.get(first, {}) | nested(rest, value) if rest else value
    return ROOM | {first: values}


def chart_error(path: str, value: Any, helm: str = "helm4") -> str:
    """Return what Helm prints when it refuses the value; empty if it accepts it."""
    try:
        render(values_with(path, value), helm=helm)
    except Refused as message:
        return str(message)
    return ""


def let_through(path: str, texts: list[str]) -> list[str]:
    """Return those texts that the chart accepts as items of the list ``path``."""
    message = chart_error(path, texts)
    if not message:
        return texts
    numbers = re.findall(rf"/{path.replace('.', '/')}/(\d+)'", message)  # of the schema
    places = {int(number) for number in numbers}
    if not places:  # a template stops at the first
        places = {texts.index(json.loads(re.findall(rf'{path} has ("[^"]*")', message)[0]))}
    return let_through(path, [text for place, text in enumerate(texts) if place not in places])


def environments(objects: Iterable[Any]) -> list[dict[str, str]]:
    """Return the environment of each of the application's containers, without paths of files."""
    [pod] = (each["spec"]["template"]["spec"] for each in objects if each["kind"] == "Deployment")
    return [
        {
            one["name"]: one["value"]
            for one in container["env"]
            if "value" in one and not one["name"].endswith("_FILE")
        }
        for container in (*pod["initContainers"], *pod["containers"])
    ]


def application_error(values: Values, **options: str) -> str:
    """Return the error with which the application refuses these values; empty if it accepts them."""
    found = environments(render(values, **options))  # type: ignore[arg-type]
    assert found
    for variables in found:
        with mock.patch.dict(os.environ, variables | {"SECRET_KEY": "x" * 50}, clear=True):
            try:
                runpy.run_path(str(ROOT / "project" / "settings.py"))
            except SystemExit as message:
                return str(message)
    return ""


@pytest.fixture(autouse=True, scope="module")
def _application() -> Iterable[None]:
    with mock.patch.object(sys, "path", [str(ROOT), *sys.path]):
        yield


PIECES = [*"..::[]*-_/0159afx,@ \t", "ffff", "://"]


@pytest.mark.parametrize("path", LISTS)
def test_the_application_accepts_every_part_of_a_list_that_the_chart_lets_through(
    path: str,
) -> None:
    good, bad = LISTS[path]
    passed = let_through(path, [*good, *bad, *mutations(good, PIECES, 100)])
    assert [text for text in good if text not in passed] == []
    assert not application_error(values_with(path, passed))
    assert [text for text in bad if text in passed] == []


@pytest.mark.parametrize("path", SCALARS)
def test_the_application_accepts_a_value_that_the_chart_lets_through(path: str) -> None:
    good, bad = SCALARS[path]
    for value in [*good, *bad]:
        message = chart_error(path, value)
        assert message or not application_error(values_with(path, value)), value
        assert bool(message) == (value in bad), value
        assert path in message.replace("/", ".") or not message


@pytest.mark.parametrize("helm", HELMS)
def test_both_versions_of_helm_decide_alike(helm: str) -> None:
    assert not chart_error("config.allowedHosts", HOSTS, helm)
    for path, value in (
        ("config.allowedHosts", ["https://tasks.example.com"]),
        ("config.allowedHosts", ["10.0.0.256"]),
        ("config.corsAllowedOrigins", ["wss://a.example"]),
        ("config.threads", 257),
        ("admin.username", "two words"),
        ("postgres.auth.username", "pg_app"),
    ):
        assert chart_error(path, value, helm), value


@pytest.mark.parametrize("namespace", ["here", "1234", "a-1", "0x1f", "0xg", "12e4", "a" * 63])
def test_the_application_accepts_its_hosts_in_every_namespace(namespace: str) -> None:
    assert not application_error({}, namespace=namespace)
