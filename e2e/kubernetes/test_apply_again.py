"""kubectl apply of an unchanged manifest says `unchanged` of every object, as the course shows."""

import json
from collections.abc import Iterator

import pytest

from e2e.kubernetes.cluster import Namespace, eventually, new_namespace, run
from e2e.kubernetes.release import EXAMPLES, Release


@pytest.fixture(params=["course-sqlite-replicas", "course-isolated-postgres"])
def manifest(request: pytest.FixtureRequest) -> Iterator[tuple[Namespace, str]]:
    with new_namespace("apply") as namespace:
        release = Release(namespace, "app")
        options = (f"--values={EXAMPLES / request.param}.yaml", "--skip-tests")
        rendered = release.template(*options, values={"service": {"port": release.port}})
        try:
            yield namespace, rendered
        finally:
            volume = f"persistentvolume/{namespace.name}-app-db-st"
            run("kubectl", "delete", volume, "--ignore-not-found", "--wait=false")


def test_nothing_is_configured_twice(manifest: tuple[Namespace, str]) -> None:
    namespace, rendered = manifest
    namespace.kubectl("apply", "--filename=-", stdin=rendered)
    eventually(lambda: settled(namespace), "the cluster has filled in what it fills in")
    again = namespace.kubectl("apply", "--filename=-", stdin=rendered).splitlines()
    assert again
    assert [line for line in again if not line.endswith(" unchanged")] == []


def settled(namespace: Namespace) -> bool:
    """Whether claims are bound, and controllers have seen the objects that they add fields to."""
    claims = namespace.get("persistentvolumeclaims")
    workloads = json.loads(namespace.kubectl("get", "deployments,statefulsets", "--output=json"))
    return all(claim["status"].get("phase") == "Bound" for claim in claims) and all(
        item["status"].get("observedGeneration") for item in workloads["items"]
    )
