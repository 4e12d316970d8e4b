"""A PostgreSQL that fails over: 503 meanwhile, and every acknowledged write is there exactly once.

Patroni runs it, with a commit that waits for a standby. Clients repeat each write with the same
Idempotency-Key until it is acknowledged. bench/kubernetes.py measures how long that takes.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from e2e.kubernetes.cluster import Namespace, drained, eventually
from e2e.kubernetes.conftest import require_built_images
from e2e.kubernetes.patroni import IMAGE, SELECTOR, PatroniCluster
from e2e.kubernetes.release import Release
from e2e.kubernetes.writer import PersistentWriter, Writer, only_outages_and_nothing_lost

# Writes to the member in whose pod it runs, whether or not that member leads, and prints the number
# of each row that the member acknowledges. Ends when the member is a standby.
WRITE_DIRECTLY = """\
for number in {1..2000}; do
  said=$(psql -qc "INSERT INTO direct VALUES ($number)" tasklists 2>&1) && echo $number
  case $said in *"read-only transaction"*) exit 0 ;; esac
  sleep 0.05
done
"""


@pytest.fixture(scope="module")
def cluster(namespace: Namespace) -> PatroniCluster:
    require_built_images(namespace, IMAGE)
    return PatroniCluster(namespace)


@pytest.fixture(scope="module")
def release(namespace: Namespace, cluster: PatroniCluster) -> Release:
    release = Release(namespace, "failover")
    release.install(cluster.values())
    return release


@contextmanager
def survived(release: Release, cluster: PatroniCluster) -> Iterator[Writer]:
    """Writers during the block, after which the database and the service recover by themselves."""
    pods = release.pod_names()
    with PersistentWriter(release.client().url) as writer:
        assert writer.succeeds_again()
        yield writer
        cluster.wait_until_whole()
        assert writer.succeeds_again()
    assert release.pod_names() == pods
    only_outages_and_nothing_lost(release, writer)


def wait_for_failures(writer: Writer, count: int = 1) -> None:
    """Wait until ``count`` more requests have failed."""
    before = len(writer.failures)
    eventually(lambda: len(writer.failures) >= before + count, "writes fail")


def test_kill_of_the_leader(release: Release, cluster: PatroniCluster) -> None:
    with survived(release, cluster) as writer, cluster.killed(cluster.leader()):
        wait_for_failures(writer)


def test_deletion_of_the_leader(release: Release, cluster: PatroniCluster) -> None:
    leader = cluster.leader()
    with survived(release, cluster), cluster.deleted(leader):
        eventually(lambda: cluster.leader() not in ("", leader), "another member leads")


@pytest.mark.usefixtures("no_page")
def test_drain_of_the_leader_s_node(release: Release, cluster: PatroniCluster) -> None:
    leader = cluster.leader()
    home = cluster.namespace.node(leader)
    with survived(release, cluster), drained(home, SELECTOR):
        eventually(lambda: cluster.leader() not in ("", leader), "another member leads")


def test_partition_between_application_and_leader(
    release: Release, cluster: PatroniCluster
) -> None:
    """Patroni does not see this, so it lasts as long as the partition does."""
    leader = cluster.leader()
    with survived(release, cluster) as writer, cluster.without_application(release):
        wait_for_failures(writer, count=50)
    assert cluster.leader() == leader


def test_partition_between_leader_and_standbys(release: Release, cluster: PatroniCluster) -> None:
    """No commit is acknowledged, and no standby takes over from a leader that the API sees."""
    leader = cluster.leader()
    with survived(release, cluster) as writer, cluster.without_members():
        wait_for_failures(writer)
    assert cluster.leader() == leader


def test_freeze_of_the_leader(release: Release, cluster: PatroniCluster) -> None:
    """A leader that resumes after another member has taken over acknowledges no write."""
    leader = cluster.leader()
    cluster.sql("CREATE TABLE direct (number integer)", database="tasklists")
    with survived(release, cluster) as writer, ThreadPoolExecutor() as thread:
        direct = thread.submit(cluster.execute, leader, "bash", "-c", WRITE_DIRECTLY)
        eventually(lambda: written_directly(cluster), "the leader is written to")
        with cluster.frozen(leader):
            eventually(lambda: cluster.leader() not in ("", leader), "another member leads")
            assert writer.succeeds_again()
    assert set(direct.result().split()) <= written_directly(cluster)


def written_directly(cluster: PatroniCluster) -> set[str]:
    return set(cluster.sql("SELECT number FROM direct", database="tasklists").split())
