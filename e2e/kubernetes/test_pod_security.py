"""The namespaces of these tests enforce ``restricted``, and the chart never even warns."""

import pytest

from e2e.kubernetes.cluster import CommandError, Namespace
from e2e.kubernetes.release import Release, Values

EVERYTHING: dict[str, Values] = {
    "postgres": {
        "backup": {"enabled": True},
        "restore": {"backup": "tasklists-20260101T000000Z.dump"},
        "postgres": {"auth": {"password": "secret"}},
    },
    "sqlite": {"sqlite": {"persistence": {"enabled": True}}},
    "external": {
        "external": {"existingSecret": "a", "migrationSecret": "b", "caSecret": "c"},
    },
    "cloudnative-pg": {
        "backup": {"enabled": True},
        "restore": {"backup": "tasklists-20260101T000000Z.dump"},
        "cloudnativePg": {"pooler": {"enabled": True}},
    },
}
BOTH: Values = {
    "secretKey": {"value": "k" * 50},
    "admin": {"enabled": True, "password": "long-enough"},
}


def test_an_ordinary_pod_is_refused(namespace: Namespace) -> None:
    with pytest.raises(CommandError, match='violates PodSecurity "restricted:latest"'):
        namespace.kubectl("run", "ordinary", "--image=app:latest")


@pytest.mark.parametrize("mode", EVERYTHING)
def test_everything_that_the_chart_has_is_admitted(
    namespace: Namespace, mode: str, request: pytest.FixtureRequest
) -> None:
    """Pods that it has itself are in the manifest as well: those of ``helm test``."""
    if mode == "cloudnative-pg":
        request.getfixturevalue("with_kinds")
    release = Release(namespace)
    values = {"database": {"mode": mode}, **EVERYTHING[mode], **BOTH}
    manifest = release.template(values=values)
    command = ("apply", "--filename=-", "--dry-run=server", "--warnings-as-errors")
    created = namespace.kubectl(*command, stdin=manifest)
    assert f"pod/{release.name}-test-api created" in created
