"""The move to another major of PostgreSQL, as docs/kubernetes.md has it.

With one major at hand it goes from a folder of the volume to another, which is
what the move does; a server of another major reads dumps of older ones.
"""

import pytest

from e2e.kubernetes.backup import back_up
from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.release import SMALL, Release, merge

NEW_FOLDER = {"postgres": {"dataDirectory": "pgdata-18"}}


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    release = Release(namespace)
    release.install(SMALL)
    release.client().add("before the move")
    return release


def test_move(release: Release) -> None:
    stopped = merge(SMALL, {"backup": {"enabled": True}, "replicaCount": 0})
    release.upgrade(stopped)
    release.wait_until_old_pods_are_gone()
    backup = back_up(release, "last")

    moved = merge(stopped, NEW_FOLDER)
    release.upgrade(moved)
    release.wait_until_rolled_out()
    release.upgrade(moved, {"restore": {"backup": backup}}, options=())
    kubectl = release.namespace.kubectl
    done = "--for=condition=complete"
    kubectl("wait", "job", release.selector("restore"), done, "--timeout=120s")

    release.upgrade(moved, {"replicaCount": 1})
    assert release.client().names() == ["before the move"]
    release.client().add("after the move")


def test_the_way_back(release: Release) -> None:
    """The old folder is as it was."""
    release.upgrade(SMALL)
    release.wait_until_rolled_out()
    eventually(lambda: release.client().request("GET", "/lists").ok, "the database is back")
    assert release.client().names() == ["before the move"]
