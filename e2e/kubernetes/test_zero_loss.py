"""No request fails and no acknowledged write is lost while everything but the database moves."""

from collections.abc import Iterator

import pytest

from e2e.kubernetes.cluster import Namespace, drained
from e2e.kubernetes.release import Release
from e2e.kubernetes.writer import Writer, settle


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    """As the chart has it by default."""
    release = Release(namespace, "zero-loss")
    release.install()
    release.client()
    return release


@pytest.fixture(scope="module")
def writer(release: Release) -> Iterator[Writer]:
    with Writer(release.client().url) as writer:
        yield writer


def test_upgrade(release: Release, writer: Writer) -> None:
    changed = {"config": {"logLevel": "WARNING"}, "podAnnotations": {"changed": "yes"}}
    release.upgrade(changed)
    settle(release, writer)


def test_rollback(release: Release, writer: Writer) -> None:
    release.rollback(1)
    settle(release, writer)


@pytest.mark.parametrize("replicas", [1, 5, 2])
def test_scaling(release: Release, writer: Writer, replicas: int) -> None:
    release.upgrade({"replicaCount": replicas})
    settle(release, writer)
    assert len(release.pods()) == replicas


def test_deletion_of_pods_one_after_another(release: Release, writer: Writer) -> None:
    for pod in release.pod_names():
        release.namespace.kubectl("delete", "pod", pod, "--wait=false")
        release.wait_until_rolled_out()
    settle(release, writer)


@pytest.mark.usefixtures("no_page")
def test_drain_of_the_node_without_the_database(release: Release, writer: Writer) -> None:
    home = release.namespace.node(release.one("pod", "postgres"))
    nodes = {release.namespace.node(pod) for pod in release.pod_names()}
    assert nodes - {home}, "the pods are not spread over the nodes"
    for node in nodes - {home}:
        with drained(node, release.label):
            release.wait_until_rolled_out()
            assert node not in {release.namespace.node(pod) for pod in release.pod_names()}
    settle(release, writer)


def test_every_acknowledged_write_is_there_once(release: Release, writer: Writer) -> None:
    writer.stop()
    assert len(writer.acknowledged) > 1000
    assert writer.lost(release.client().names()) == {}
