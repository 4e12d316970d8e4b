"""From 0.1.0 to this version and back, while clients write and pods of both versions serve."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from e2e.kubernetes import previous
from e2e.kubernetes.backup import back_up, finished_restore, restores
from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.conftest import require_built_images
from e2e.kubernetes.release import SMALL, Release, Values, merge
from e2e.kubernetes.writer import TaskWriter, Writer, settle

OLD, NEW = previous.IMAGE, "app:latest"
BACKUP: Values = {"backup": {"enabled": True}}

# Sends a request from within a pod, so that this pod answers it.
ASK_POD = """\
import http.client, sys
connection = http.client.HTTPConnection("localhost", 5000)
connection.request(*sys.argv[1:])
print(connection.getresponse().status)
"""


@pytest.fixture(scope="module")
def release(namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A release of the chart and image of 0.1.0, with two pods."""
    if not previous.is_in_history():
        pytest.skip(f"this clone lacks commit {previous.COMMIT}: git fetch --unshallow")
    require_built_images(namespace, OLD)
    release = Release(namespace, "upgrade")
    chart = previous.unpack_chart(tmp_path_factory.mktemp("0.1.0"))
    repository, _, tag = OLD.partition(":")
    image = {"image": {"repository": repository, "tag": tag}}
    release.install(BACKUP, image, chart=chart)
    release.client()
    return release


@pytest.fixture(scope="module")
def shopping(release: Release) -> int:
    """The id of a list that 0.1.0 made, and that gets tasks."""
    return release.client().add("shopping")


@pytest.fixture(scope="module")
def backup(release: Release, shopping: int) -> str:
    """The name of a backup that 0.1.0's release made of the list."""
    return back_up(release, "old")


@pytest.fixture(scope="module")
def lists(release: Release, backup: str) -> Iterator[Writer]:
    with Writer(release.client().url) as writer:
        assert writer.succeeds_again()
        yield writer


@pytest.fixture(scope="module")
def tasks(release: Release, shopping: int) -> Iterator[TaskWriter]:
    with TaskWriter(release.client().url, shopping) as writer:
        yield writer


def test_upgrade(release: Release, lists: Writer, tasks: TaskWriter) -> None:
    assert images_of(release, release.pod_names()) == {OLD}
    eventually(lambda: tasks.without_tasks, "0.1.0 is asked for tasks")
    with halfway(release, NEW, lambda: release.upgrade(BACKUP, options=())):
        both_serve(release, lists)
        assert tasks.succeeds_again()
    settle(release, lists, tasks)
    assert pods_of(release, NEW) == release.pod_names()
    assert tasks.succeeds_again()


@pytest.fixture(scope="module")
def deleted(release: Release) -> list[tuple[int, int]]:
    """The ids of two lists, which pods of 0.1.0 delete, each with its task's id."""
    client = release.client()
    ids = [client.add("one"), client.add("two")]
    return [(list_id, client.add_task(list_id, "goes with its list")) for list_id in ids]


def test_rollback(
    release: Release, lists: Writer, tasks: TaskWriter, deleted: list[tuple[int, int]]
) -> None:
    """A rollback undoes no migration, so the tasks stay in the database."""
    with halfway(release, OLD, lambda: release.rollback(1, options=())):
        both_serve(release, lists)
        assert tasks.succeeds_again()
        delete_by_0_1_0(release, deleted[0][0])
    settle(release, lists, tasks)
    assert pods_of(release, OLD) == release.pod_names()
    delete_by_0_1_0(release, deleted[1][0])


def test_second_upgrade(
    release: Release, lists: Writer, tasks: TaskWriter, deleted: list[tuple[int, int]]
) -> None:
    release.upgrade(BACKUP)
    settle(release, lists, tasks)
    assert pods_of(release, NEW) == release.pod_names()
    assert tasks.succeeds_again()
    for _, task in deleted:
        assert release.client().request("GET", f"/tasks/{task}").status_code == 404


def test_every_acknowledged_write_is_there_once(
    release: Release, shopping: int, lists: Writer, tasks: TaskWriter
) -> None:
    lists.stop()
    tasks.stop()
    assert lists.failures == tasks.failures == []
    assert images_of(release, tasks.without_tasks) == {OLD}
    assert images_of(release, set(tasks.served_by)) == {NEW}
    assert min(len(lists.acknowledged), len(tasks.acknowledged)) > 500
    assert lists.lost(release.client().names()) == {}
    assert tasks.lost(release.client().titles(shopping)) == {}
    print(f"{len(lists.acknowledged)} lists and {len(tasks.acknowledged)} tasks acknowledged")


def test_a_backup_of_0_1_0_restored(
    release: Release, shopping: int, backup: str, lists: Writer
) -> None:
    """The restore of this version migrates the backup."""
    lists.stop()
    claim = {"existingClaim": release.one("persistentvolumeclaim", "backup")}
    restored = Release(release.namespace, "restored")
    values = {"backup": {"persistence": claim}, "restore": {"backup": backup}}
    restored.install(merge(SMALL, values))
    finished_restore(restored, restores(restored))
    client = restored.client()
    eventually(lambda: client.names() == ["shopping"], "the backup is restored")
    task = client.add_task(shopping, "milk")
    assert client.titles(shopping) == ["milk"]
    assert client.request("DELETE", f"/lists/{shopping}").status_code == 204
    assert client.request("GET", f"/tasks/{task}").status_code == 404


@contextmanager
def halfway(release: Release, image: str, change: Callable[[], object]) -> Iterator[None]:
    """Begin a rollout to ``image``, and hold it while pods of both images serve."""
    kubectl, deployment = release.namespace.kubectl, f"deployment/{release.one('deployment')}"
    change()
    eventually(lambda: pods_of(release, image), f"a pod of {image}")
    kubectl("rollout", "pause", deployment)
    try:
        new = pods_of(release, image)
        kubectl("wait", "pod", *new, "--for=condition=Ready", "--timeout=120s")
        assert new < release.pod_names()
        yield
    finally:
        kubectl("rollout", "resume", deployment)


def both_serve(release: Release, lists: Writer) -> None:
    """Both versions acknowledge requests that clients send meanwhile."""
    before = len(lists.served_by)
    eventually(
        lambda: images_of(release, set(lists.served_by[before:])) == {OLD, NEW},
        "both versions serve",
        seconds=30,
    )


def delete_by_0_1_0(release: Release, list_id: int) -> None:
    pod = min(pods_of(release, OLD))
    ask = ("exec", pod, "--container=app", "--", "python", "-c", ASK_POD)
    assert release.namespace.kubectl(*ask, "DELETE", f"/lists/{list_id}") == "204\n"


def pods_of(release: Release, image: str) -> set[str]:
    """The pods of that image that are there to stay."""
    images = release.images()
    return {pod for pod in release.pod_names() if images[replica_set(pod)] == image}


def images_of(release: Release, pods: set[str]) -> set[str]:
    """The images of pods, also of those that are gone."""
    images = release.images()
    return {images[replica_set(pod)] for pod in pods}


def replica_set(pod: str) -> str:
    return pod.rpartition("-")[0]
