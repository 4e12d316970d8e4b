"""How long a release takes to start, to change and to recover: ``make bench-chart``.

Runs on the cluster that KUBECONFIG names, in namespaces of its own, with the
chart's defaults. Seconds depend on the cluster; failed requests should not.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise

from e2e.kubernetes.cluster import eventually, new_namespace
from e2e.kubernetes.database import Database
from e2e.kubernetes.patroni import PatroniCluster
from e2e.kubernetes.release import HELMS, Release, Values
from e2e.kubernetes.writer import PersistentWriter, Writer

# Writes a row over a connection of its own, again and again, and prints when it was acknowledged.
# Like the service, psql gives up on a server that does not answer within 3 seconds.
PSQL = """\
psql "$1" -qc 'CREATE TABLE IF NOT EXISTS written (at timestamptz DEFAULT now())' 2>/dev/null
while sleep 0.05; do
  timeout 3 psql "$1" -qc 'INSERT INTO written DEFAULT VALUES' 2>/dev/null && date +%s.%N
done
"""


def main() -> None:
    print(f"{'':46} {'seconds':>8} {'requests':>9} {'failed':>7}")
    for mode in ("sqlite", "external", "postgres"):
        for helm in HELMS:
            show(f"helm install to ready, {mode}, {helm}", install(mode, helm))
    with new_namespace("bench") as namespace:
        release = Release(namespace)
        release.install({"replicaCount": 3})
        show("upgrade of 3 replicas", *under_load(release, upgrade))
        show("its rollback", *under_load(release, rollback))
        show("database's pod deleted, to the first write", *outage(release, "--wait=false"))
        killed = outage(release, "--force", "--grace-period=0")
        show("database's pod killed, to the first write", *killed)
    with new_namespace("bench") as namespace:
        cluster = PatroniCluster(namespace)
        release = Release(namespace)
        release.install(cluster.values())
        for failure in (cluster.killed, cluster.deleted, cluster.frozen):
            service, psql_alone = failover(release, cluster, failure)
            show(f"leader of Patroni {failure.__name__}, without a write", *service)
            show("  the same for psql beside it", psql_alone)


def show(what: str, seconds: float, requests: int | str = "", failed: int | str = "") -> None:
    print(f"{what:46} {seconds:8.1f} {requests:>9} {failed:>7}", flush=True)


def install(mode: str, helm: str) -> float:
    """Seconds until ``helm install --wait`` ends and the load balancer answers."""
    values: Values = {"database": {"mode": mode}}
    with new_namespace("bench") as namespace:
        if mode == "external":
            database = Database(namespace, "postgresql")
            namespace.create_secret("database", {"uri": database.url("postgres")})
            values["external"] = {"existingSecret": "database"}
        release = Release(namespace, helm=helm)
        started = time.monotonic()
        release.install(values)
        release.client()
        return time.monotonic() - started


def upgrade(release: Release) -> None:
    release.upgrade({"replicaCount": 3, "config": {"logLevel": "WARNING"}})


def rollback(release: Release) -> None:
    release.rollback(1)


def under_load(release: Release, change: Callable[[Release], None]) -> tuple[float, int, int]:
    """Seconds until every pod is a new one, and what writers saw until the old ones were gone."""
    with Writer(release.client().url) as writer:
        started = time.monotonic()
        change(release)
        seconds = time.monotonic() - started
        release.wait_until_old_pods_are_gone()
    return seconds, *requests(writer)


def outage(release: Release, *how: str) -> tuple[float, int, int]:
    """Seconds from the end of the database's pod to the first write of the time after it."""
    pod = release.one("pod", "postgres")
    with Writer(release.client().url) as writer:
        assert writer.succeeds_again()
        started = time.monotonic()
        release.namespace.kubectl("delete", "pod", pod, *how)
        eventually(lambda: writer.failures, "the database is unavailable")
        release.wait_until_rolled_out()
        assert writer.succeeds_again()
    _, recovered = longest_gap(writer.acknowledged.values())
    return recovered - started, *requests(writer)


def failover(
    release: Release,
    cluster: PatroniCluster,
    failure: Callable[[str], AbstractContextManager[None]],
) -> tuple[tuple[float, int, int], float]:
    """The longest time without a write of the service, and that of psql, while the leader fails."""
    with PersistentWriter(release.client().url) as writer, psql(cluster) as acknowledged:
        eventually(acknowledged, "psql writes")
        with failure(cluster.leader()):
            eventually(lambda: writer.failures, "the database is unavailable")
            eventually(writer.succeeds_again, "the database is available")
        cluster.wait_until_whole()
        assert writer.succeeds_again()
        before, after = longest_gap(acknowledged())
    stopped, recovered = longest_gap(writer.acknowledged.values())
    return (recovered - stopped, *requests(writer)), after - before


@contextmanager
def psql(cluster: PatroniCluster) -> Iterator[Callable[[], list[float]]]:
    """A pod whose psql writes during the block; the function returns when it was acknowledged."""
    cluster.namespace.start_pod("psql", "postgres:17", "bash", "-c", PSQL, "bash", cluster.url)
    try:
        yield lambda: [float(time) for time in cluster.namespace.kubectl("logs", "psql").split()]
    finally:
        cluster.namespace.kubectl("delete", "pod", "psql", "--now")


def longest_gap(times: Iterable[float]) -> tuple[float, float]:
    """The end of the last write before the longest time without one, and of the first after it."""
    return max(pairwise(sorted(times)), key=lambda pair: pair[1] - pair[0])


def requests(writer: Writer) -> tuple[int, int]:
    return len(writer.acknowledged) + len(writer.failures), len(writer.failures)


if __name__ == "__main__":
    main()
