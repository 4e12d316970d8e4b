"""After a failed upgrade, pods of the previous revision can still be restarted."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.kubernetes import previous
from e2e.kubernetes.cluster import CommandError, Namespace, eventually
from e2e.kubernetes.release import CHART, HELMS, SMALL, WAIT, Release, Values, merge
from e2e.kubernetes.writer import Writer, settle

USUAL: Values = {"shutdown": {"delaySeconds": 4, "gracefulTimeoutSeconds": 5}}
# The chart accepts this value, and the application refuses it.
REFUSED: Values = merge(USUAL, {"extraEnv": [{"name": "THREADS", "value": "none"}]})


@pytest.fixture(scope="module")
def old_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart whose pods read their environment from a ConfigMap."""
    commit = previous.CONFIG_MAP_COMMIT
    if not previous.is_in_history(commit):
        pytest.skip(f"this clone lacks commit {commit}: git fetch --unshallow")
    return previous.unpack_chart(tmp_path_factory.mktemp("old"), commit)


def test_failed_upgrades_stop_no_pod_and_lose_no_write(
    namespace: Namespace, old_chart: Path
) -> None:
    """From the chart with a ConfigMap: failed upgrades, a rollback and deleted pods, while clients write."""
    with ThreadPoolExecutor() as pool:
        releases = [Release(namespace, f"failed-{helm}", helm=helm) for helm in HELMS]
        for _ in pool.map(upgrades_and_rollbacks, releases, [old_chart] * len(releases)):
            pass


def upgrades_and_rollbacks(release: Release, old_chart: Path) -> None:
    release.install(USUAL, chart=old_chart)
    url = release.client().url
    database = release.pods("postgres")[0]["metadata"]["uid"]
    kubectl, deployment = release.namespace.kubectl, f"deployment/{release.one('deployment')}"
    with Writer(url) as writer:
        assert writer.succeeds_again()

        release.upgrade(REFUSED, options=())
        replace_a_pod(release, writer)
        release.rollback(1)
        settle(release, writer)

        upgrade = ("upgrade", release.name, str(CHART), *WAIT)
        with pytest.raises(CommandError, match="missing propert"):
            release.helm(*upgrade, "--reuse-values")
        release.helm(*upgrade, "--reset-then-reuse-values")
        settle(release, writer)
        assert delay(release) == USUAL["shutdown"]["delaySeconds"]
        assert release.get("configmap") != []
        release.upgrade(USUAL, {"podAnnotations": {"upgraded": "again"}})
        settle(release, writer)
        assert release.get("configmap") == []

        release.upgrade(REFUSED, options=())
        replace_a_pod(release, writer)
        kubectl("rollout", "undo", deployment)
        settle(release, writer)
        assert release.pods("postgres")[0]["metadata"]["uid"] == database
    assert writer.lost(release.client().names()) == {}


def test_pods_keep_the_account_and_the_secret_of_their_revision(namespace: Namespace) -> None:
    """Even if the new revision uses another service account and another Secret."""
    release = Release(namespace, "others")
    values = merge(SMALL, {"database": {"mode": "sqlite"}})
    others = {"serviceAccount": {"create": False}, "secretKey": {"existingSecret": "mine"}}
    release.install(values)
    [old] = release.pod_names()
    for _ in range(2):  # the second time, the live Deployment does not use them any more
        release.upgrade(values, others, options=())
    namespace.kubectl("delete", "pod", old)
    eventually(lambda: ready(release) - {old}, "another pod of the same revision serves")
    assert release.client().names() == []

    namespace.create_secret("mine", {"secret-key": "x" * 50})
    release.wait_until_rolled_out()
    release.upgrade(values, others, {"podAnnotations": {"upgraded": "again"}})
    assert release.get("serviceaccounts") == release.get("secrets") == []


def delay(release: Release) -> int:
    """The value shutdown.delaySeconds, read from a pod."""
    return int(
        release.pods()[0]["spec"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    )


def replace_a_pod(release: Release, writer: Writer) -> None:
    """While the new pods fail, delete a pod that serves, and wait until its successor serves."""
    eventually(lambda: refusing(release), "a new pod refuses to start")
    serving = ready(release)
    victim = min(serving)
    release.namespace.kubectl("delete", "pod", victim, "--wait=false")
    eventually(
        lambda: len(ready(release) - {victim}) == len(serving), "another pod serves", seconds=60
    )
    assert writer.succeeds_again()
    assert writer.failures == []


def refusing(release: Release) -> bool:
    """Whether a container ended with an error before its pod was ready."""
    return any(
        (status.get("lastState", {}) | status["state"]).get("terminated", {}).get("exitCode")
        for pod in release.pods()
        for status in pod["status"].get("initContainerStatuses", [])
    )


def ready(release: Release) -> set[str]:
    """The names of the pods that serve, and are there to stay."""
    return {
        pod["metadata"]["name"]
        for pod in release.pods()
        if any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in pod["status"].get("conditions", [])
        )
    }
