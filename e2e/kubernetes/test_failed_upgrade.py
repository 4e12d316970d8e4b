"""A rollout that fails takes nothing with it: pods of the revision before it start as ever."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.kubernetes import previous
from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.release import HELMS, Release, Values, merge
from e2e.kubernetes.writer import Writer

USUAL: Values = {"shutdown": {"delaySeconds": 4, "gracefulTimeoutSeconds": 5}}
# The schema can't know it, and the application refuses it.
REFUSED: Values = merge(USUAL, {"extraEnv": [{"name": "THREADS", "value": "none"}]})


@pytest.fixture(scope="module")
def old_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart whose pods read their environment from a ConfigMap."""
    commit = previous.CONFIG_MAP_COMMIT
    if not previous.is_in_history(commit):
        pytest.skip(f"this clone lacks commit {commit}: git fetch --unshallow")
    return previous.unpack_chart(tmp_path_factory.mktemp("old"), commit)


@pytest.fixture(params=HELMS)
def release(request: pytest.FixtureRequest, namespace: Namespace, old_chart: Path) -> Release:
    release = Release(namespace, f"failed-{request.param}", helm=request.param)
    release.install(USUAL, chart=old_chart)
    return release


@pytest.fixture
def writer(release: Release) -> Iterator[Writer]:
    with Writer(release.client().url) as writer:
        assert writer.succeeds_again()
        yield writer


def test_upgrades_from_the_chart_with_a_config_map(release: Release, writer: Writer) -> None:
    """With data, through failures, a rollback and pods that are deleted, while clients write."""
    database = release.pods("postgres")[0]["metadata"]["uid"]
    kubectl, deployment = release.namespace.kubectl, f"deployment/{release.one('deployment')}"

    release.upgrade(REFUSED, options=())
    replace_a_pod(release, writer)
    release.rollback(1)
    settle(release, writer)

    release.upgrade(USUAL)
    settle(release, writer)
    assert release.get("configmap") != []
    release.upgrade(USUAL, {"podAnnotations": {"upgraded": "again"}})
    settle(release, writer)
    assert release.get("configmap") == []

    release.upgrade(REFUSED, options=())
    replace_a_pod(release, writer)
    kubectl("rollout", "undo", deployment)
    settle(release, writer)
    assert release.pods("postgres")[0]["metadata"]["uid"] == database

    writer.stop()
    assert writer.lost(release.client().names()) == {}


def replace_a_pod(release: Release, writer: Writer) -> None:
    """While the new pods fail, delete one of those that serve: its successor serves as well."""
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
        (status.get("lastState") | status["state"]).get("terminated", {}).get("exitCode")
        for pod in release.pods()
        for status in pod["status"].get("initContainerStatuses", [])
    )


def ready(release: Release) -> set[str]:
    """The names of the pods that serve, and are there to stay."""
    return {
        pod["metadata"]["name"]
        for pod in release.pods()
        if {"type": "Ready", "status": "True"}.items()
        <= next(
            condition for condition in pod["status"]["conditions"] if condition["type"] == "Ready"
        ).items()
    }


def settle(release: Release, writer: Writer) -> None:
    release.wait_until_rolled_out()
    release.wait_until_old_pods_are_gone()
    assert writer.succeeds_again()
    assert writer.failures == []
