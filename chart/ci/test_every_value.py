"""What holds for every value of the chart."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from rendering import CHART, SECRETS, Refused, Values, nested, render

DEFAULTS: Values = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
PAGE = (CHART.parent / "docs" / "kubernetes.md").read_text()

Path = tuple[str, ...]

# Values that switch everything on. With these and the modes, every value appears in some manifest.
EVERYTHING: Values = {
    "ingress": {"enabled": True, "hosts": ["a.example.com"]},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "web"}]},
    "autoscaling": {"enabled": True},
    "backup": {"enabled": True},
    "restore": {"backup": "a.dump"},
    "admin": {"enabled": True, "password": "hello-hello"},
    "metrics": {
        "enabled": True,
        "missingKinds": "always",
        "monitor": {"enabled": True},
        "rules": {"enabled": True},
        "dashboard": {"enabled": True},
    },
}
MODES: dict[str, Values] = {
    "its own database": {"service": {"type": "NodePort"}},
    "its own database, on a folder": {
        "postgres": {
            "alias": "db",
            "persistence": {
                "existingClaim": "",
                "staticVolume": {"type": "local", "path": "/mnt/x", "nodes": ["a"]},
            },
        }
    },
    "an external database": {
        "database": {"mode": "external"},
        "external": {"existingSecret": "mine"},
        "service": {"type": "LoadBalancer"},
        "backup": {"enabled": False},
        "restore": {"backup": ""},
    },
    "a cluster": {
        "database": {"mode": "cloudnative-pg"},
        "cloudnativePg": {"pooler": {"enabled": True}},
    },
    "a file": {
        "database": {"mode": "sqlite"},
        "sqlite": {"persistence": {"enabled": True}},
        "autoscaling": {"enabled": False},
        "backup": {"enabled": False},
        "restore": {"backup": ""},
    },
}
# Values for which templates refuse odd texts.
CHECKED = (
    ("extraObjects",),
    ("clusterDomain",),
    ("config", "allowedHosts"),
    ("backup", "schedule"),
    ("cloudnativePg", "backup", "schedule"),
    ("secretKey", "value"),
    ("admin", "password"),
    ("postgres", "auth", "password"),
)
# Texts that YAML does not read as strings unless they are quoted.
ODD = ("on", "off", "yes", "true", "null", "12e4", "1234", "0x1f", "1.5", "2026-11-27")


def merged(*many: Values) -> Values:
    result: Values = {}
    for values in many:
        for key, value in values.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result


def nodes(values: Values = DEFAULTS, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the path and default of every key of values.yaml that the schema describes."""
    for key, value in values.items():
        yield (*path, key), value
        if schema_at((*path, key)).get("properties"):
            yield from nodes(value, (*path, key))


def schema_at(path: Path) -> dict[str, Any]:
    schema = SCHEMA
    for key in path:
        schema = schema.get("properties", {}).get(key, {})
    return {**schema, "definitions": SCHEMA["definitions"]}


def accepts(path: Path, value: object) -> bool:
    return bool(jsonschema.Draft7Validator(schema_at(path)).is_valid(value))


def shapes(odd: str) -> Iterator[Any]:
    """Yield values of each kind that can contain a text."""
    yield odd
    yield [odd]
    yield {odd: odd}
    yield [{"name": odd}]
    yield [{"name": odd, "mountPath": odd}]


def with_odd_texts(suffix: str) -> Values:
    """Return values in which every value that accepts one of ODD, with the suffix, is set to it."""
    result: Values = {}
    for number, (path, _) in enumerate(nodes()):
        if schema_at(path).get("properties") or path in CHECKED or path[-1] == "enabled":
            continue
        texts = [odd + suffix for odd in ODD[number % len(ODD) :] + ODD[: number % len(ODD)]]
        for value in itertools.chain.from_iterable(shapes(text) for text in texts):
            if accepts(path, value):
                result = merged(result, nested(path, value))
                break
    return result


def types(manifest: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and type of every key and scalar in a manifest."""
    if isinstance(manifest, dict):
        for key, value in manifest.items():
            yield f"{path}: a key", type(key).__name__
            yield from types(value, f"{path}.{str(key).removesuffix('x')}")
    elif isinstance(manifest, list):
        for item in manifest:
            yield from types(item, path)
    else:
        yield path, type(manifest).__name__


@pytest.mark.parametrize("mode", MODES)
def test_a_text_stays_one_in_every_manifest(mode: str) -> None:
    """The manifests have strings in the same places as with an x appended, which is always a string."""
    found = []
    for suffix in ("", "x"):
        names: Values = {
            "service": {"name": f"on{suffix}"},
            "postgres": {"serviceName": f"off{suffix}", "alias": f"yes{suffix}"},
        }
        values = merged(
            with_odd_texts(suffix), EVERYTHING, MODES[mode], names, {"tmpSizeLimit": "1"}
        )
        objects = render(values, release=f"on{suffix}", namespace=f"1234{suffix}")
        found.append(Counter(itertools.chain.from_iterable(types(item) for item in objects)))
    assert found[0] - found[1] == Counter()


def test_an_emptied_key_means_its_default_where_that_is_empty() -> None:
    """Helm removes the default of a key that is null."""
    paths = [path for path, default in nodes() if is_empty(default) and is_closed(path[:-1])]
    for mode, values in MODES.items():
        base = merged(EVERYTHING, values)
        given = merged(base, yaml.safe_load(SECRETS.read_text()))
        emptied = [nested(path, None) for path in paths if not has(given, path)]
        assert render(merged(base, *emptied)) == render(base), mode


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_an_emptied_key_with_another_default_has_a_name(helm: str) -> None:
    named = [
        path
        for path, default in nodes()
        if not is_empty(default)
        and is_closed(path[:-1])
        and "null" not in schema_at(path).get("type", ())
    ]
    for depth in sorted({len(path) for path in named}):
        paths = [path for path in named if len(path) == depth]
        with pytest.raises(Refused) as refused:
            render(merged(*(nested(path, None) for path in paths)), helm=helm)
        missing = re.findall(r"missing propert(?:y|ies) (.+)", str(refused.value))
        assert Counter(re.findall("'(.+?)'", " ".join(missing))) == Counter(
            path[-1] for path in paths
        )


def is_empty(default: object) -> bool:
    return default in ("", [], {}, False, None)


def is_closed(path: Path) -> bool:
    """Whether the object at ``path`` accepts only the keys that the schema lists."""
    return schema_at(path)["additionalProperties"] is False


def has(values: Values, path: Path) -> bool:
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


# Candidates for another value, where the default is neither a number nor a boolean.
OTHERS: tuple[Any, ...] = (
    "abc",
    "b.dump",
    "1Gi",
    "5 * * * *",
    "x" * 60,
    "sha256:" + "0" * 64,
    ["a.example.com"],
    ["https://a.example.com"],
    [{"name": "a"}],
    [{"name": "a", "mountPath": "/a"}],
    ["192.0.2.0/24"],
    ["IPv4"],
    [53],
    "me@example.com",
    {"a": "b"},
    {"limits": {"memory": "1Gi"}},
    0.5,
    "1m",
)


def another(path: Path, default: object) -> object:
    """Return a value that the schema accepts at ``path`` and that is not the default."""
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        return default + 1
    candidates = [*schema_at(path).get("enum", []), *OTHERS, True, 30000]
    return next(value for value in candidates if value != default and accepts(path, value))


def test_what_restarts_the_database_is_what_the_page_says() -> None:
    paragraph = PAGE[PAGE.index("The database restarts only") :].partition("\n\n")[0]
    named = {tuple(name.split(".")) for name in re.findall("`([A-Za-z.]+)`", paragraph)}
    base = merged(EVERYTHING, MODES["its own database"])
    before = pod_of_the_database(base)
    restarts = set()
    for path, default in nodes():
        if schema_at(path).get("properties") or path[0] == "postgres":
            continue
        try:
            after = pod_of_the_database(merged(base, nested(path, another(path, default))))
        except Refused:
            continue  # it is valid only together with another value
        if after is not None and after != before:
            restarts.add(path)
    assert restarts == {path for path in named if path[0] != "postgres"}


def pod_of_the_database(values: Values) -> object:
    """Return the database's pod template; None if there is no StatefulSet of the usual name."""
    for item in render(values):
        if item["kind"] == "StatefulSet" and item["metadata"]["name"] == "one-tasklists-postgres":
            return item["spec"]["template"]
    return None
