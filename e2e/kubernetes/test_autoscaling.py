"""Pods come with load and go without, and nobody who writes notices."""

import pytest

from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.release import Release, Values
from e2e.kubernetes.writer import Writer

METRICS = "of a HorizontalPodAutoscaler, which needs metrics-server"
AUTOSCALING: Values = {
    "resources": {"requests": {"cpu": "100m"}},
    "autoscaling": {
        "enabled": True,
        "maxReplicas": 6,
        # 0.025 processors for a pod. A writer with long pauses takes less, all writers far more.
        "targetCPUUtilizationPercentage": 25,
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    },
}


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    release = Release(namespace, "autoscaling")
    release.install(AUTOSCALING)
    return release


def test_out_and_back_as_load_rises_and_falls(release: Release) -> None:
    client = release.client()
    with Writer(client.url, threads=2, pause=0.4) as constant:
        assert ready(release) == 2
        with Writer(client.url, threads=12) as crowd:
            eventually(lambda: ready(release) == 6, f"6 ready pods {METRICS}", seconds=180)
        eventually(lambda: ready(release) == 2, f"2 ready pods {METRICS}", seconds=180)
        release.wait_until_old_pods_are_gone()
        assert constant.succeeds_again()
    assert [*constant.failures, *crowd.failures] == []
    stored = client.names()
    assert constant.lost(stored) == {}
    assert crowd.lost(stored) == {}


def test_an_upgrade_leaves_the_number_of_pods_to_it(release: Release) -> None:
    (deployment,) = release.get("deployment")
    assert deployment["spec"]["replicas"] == 2
    release.upgrade({"autoscaling": {"enabled": True}, "replicaCount": 4})
    (deployment,) = release.get("deployment")
    assert deployment["spec"]["replicas"] == 2


def ready(release: Release) -> int:
    (deployment,) = release.get("deployment")
    return int(deployment["status"].get("readyReplicas", 0))
