"""Pods come with load and go without, and nobody who writes notices."""

import pytest

from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.release import Release
from e2e.kubernetes.writer import Writer

METRICS = "of a HorizontalPodAutoscaler, which needs metrics-server"


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    release = Release(namespace, "autoscaling")
    at_once = {"stabilizationWindowSeconds": 0}
    release.install(
        {
            "autoscaling": {
                "enabled": True,
                "minReplicas": 1,
                "maxReplicas": 3,
                # Far below what the writer takes of the pods, and far above what idle ones do.
                "targetCPUUtilizationPercentage": 25,
                "behavior": {"scaleDown": at_once},
            }
        }
    )
    return release


def test_out_under_load_and_back(release: Release) -> None:
    client = release.client()
    with Writer(client.url) as writer:
        eventually(lambda: ready(release) == 3, f"3 ready pods {METRICS}", seconds=180)
    eventually(lambda: ready(release) == 1, f"1 ready pod {METRICS}", seconds=180)
    assert writer.failures == []
    assert writer.lost(client.names()) == {}


def test_an_upgrade_leaves_the_number_of_pods_to_it(release: Release) -> None:
    (deployment,) = release.get("deployment")
    assert deployment["spec"]["replicas"] == 1
    release.upgrade({"autoscaling": {"enabled": True, "minReplicas": 1}, "replicaCount": 4})
    (deployment,) = release.get("deployment")
    assert deployment["spec"]["replicas"] == 1


def ready(release: Release) -> int:
    (deployment,) = release.get("deployment")
    return int(deployment["status"].get("readyReplicas", 0))
