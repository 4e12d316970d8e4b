"""A volume that names a wrong node: the database's pod waits, and NOTES say the way out."""

from collections.abc import Iterator

import pytest

from e2e.kubernetes.cluster import CommandError, Namespace, eventually, folder, nodes, run
from e2e.kubernetes.release import SMALL, Release, Values, merge


@pytest.fixture
def release(namespace: Namespace) -> Iterator[Release]:
    release = Release(namespace)
    try:
        yield release
    finally:
        release.helm("uninstall", release.name, "--ignore-not-found")
        volume = f"persistentvolume/{namespace.name}-tasklists-postgres"
        run("kubectl", "delete", volume, "--ignore-not-found", "--wait=false")


def test_the_way_out_of_a_wrong_node(release: Release) -> None:
    node = nodes()[0]
    with folder(node) as path:
        notes = release.install(volume(path, "nowhere"), options=())
        eventually(lambda: is_unschedulable(release), "the database's pod has no node")

        with pytest.raises(CommandError, match="exists already, for the node nowhere") as refusal:
            release.upgrade(volume(path, node), options=())

        [command] = [line.strip() for line in notes.splitlines() if "delete pvc/" in line][:1]
        assert command in str(refusal.value)
        run(*command.split())
        release.upgrade(volume(path, node))
        release.client().add("on the right node")

        # The same way out later: the data is in the folder.
        with pytest.raises(CommandError, match=f"for the node {node}"):
            release.upgrade(volume(path, "another"), options=())
        assert release.client().names() == ["on the right node"]


def test_an_empty_name_is_refused(release: Release) -> None:
    with pytest.raises(CommandError, match="has an empty name"):
        release.install(volume("/mnt/tasklists", ""), options=())


def volume(path: str, node: str) -> Values:
    static = {"type": "local", "path": path, "nodes": [node]}
    return merge(SMALL, {"postgres": {"persistence": {"staticVolume": static}}})


def is_unschedulable(release: Release) -> bool:
    return any(
        condition["reason"] == "Unschedulable"
        for pod in release.pods("postgres")
        for condition in pod["status"].get("conditions", [])
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    )
