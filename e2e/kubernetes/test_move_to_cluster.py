"""The move from the release's PostgreSQL to a Cluster, and back, as docs/cloudnative-pg.md has it.

A server with the names, labels and Secrets that the CloudNativePG operator would give stands for
the Cluster, which no operator runs here.
"""

from collections.abc import Iterator

import pytest

from e2e.kubernetes.backup import back_up
from e2e.kubernetes.client import Client
from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.database import OperatedDatabase
from e2e.kubernetes.release import SMALL, Release, Values, merge
from e2e.kubernetes.writer import Writer

CLUSTER = "tasklists-db"
PREPARED = merge(
    SMALL, {"replicaCount": 2, "backup": {"enabled": True}, "cloudnativePg": {"prepare": True}}
)
MOVED = merge(PREPARED, {"database": {"mode": "cloudnative-pg"}})
OLD = ("statefulset/tasklists-postgres", "--container=postgres")
NEW = (f"service/{CLUSTER}-rw", "--container=postgres")
READ_ONLY = "ALTER DATABASE tasklists SET default_transaction_read_only = on"
DISCONNECT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = 'tasklists' AND pid <> pg_backend_pid()"
)
KEPT = {"persistentvolumeclaim/tasklists-postgres", "secret/tasklists-postgres"}

pytestmark = pytest.mark.usefixtures("with_kinds")


@pytest.fixture(scope="module")
def release(namespace: Namespace, with_kinds: None) -> Iterator[Release]:
    release = Release(namespace)
    release.install(SMALL, {"replicaCount": 2})
    release.client().add("before the move")
    release.upgrade(PREPARED, options=())
    cluster = namespace.get("clusters.postgresql.cnpg.io", CLUSTER)
    OperatedDatabase(namespace, CLUSTER, cluster["spec"]["bootstrap"]["initdb"])
    release.wait_until_rolled_out()
    yield release
    release.uninstall()


def test_the_move_loses_no_write(release: Release) -> None:
    client = release.client()
    with Writer(client.url) as writer:
        assert writer.succeeds_again()
        move(release, OLD, MOVED, "last")
        assert writer.succeeds_again()
    nothing_lost(client, writer)
    assert "before the move" in client.names()

    release.upgrade(MOVED)
    eventually(lambda: left(release) == KEPT, "of the old database, the data and the password stay")


def test_the_way_back_loses_no_write(release: Release) -> None:
    client = release.client()
    client.add("after the move")
    with Writer(client.url) as writer:
        assert writer.succeeds_again()
        move(release, NEW, merge(PREPARED, {"restore": {"overwrite": True}}), "back")
        assert writer.succeeds_again()
    nothing_lost(client, writer)
    assert {"before the move", "after the move"} <= set(client.names())


def move(release: Release, source: tuple[str, ...], values: Values, job: str) -> None:
    """Bring the lists from the database of the pod ``source`` to that of ``values``."""
    client = release.client()
    sql(release, source, READ_ONLY, DISCONNECT)
    assert client.request("GET", "/lists").status_code == 200  # reads go on
    assert client.request("POST", "/lists", json={"name": "no"}).status_code == 503
    backup = back_up(release, job)

    deployment = f"deployment/{release.one('deployment')}"
    kubectl = release.namespace.kubectl
    kubectl("rollout", "pause", deployment)
    release.upgrade(values, {"restore": {"backup": backup}}, options=())
    done = "--for=condition=complete"
    kubectl("wait", "job", release.selector("restore"), done, "--timeout=300s")
    kubectl("rollout", "resume", deployment)
    release.wait_until_rolled_out()
    release.upgrade(values, {"restore": {"overwrite": False}})


def sql(release: Release, pod: tuple[str, ...], *statements: str) -> None:
    commands = [f"--command={statement}" for statement in statements]
    release.namespace.kubectl("exec", *pod, "--", "psql", "--username=postgres", *commands)


def nothing_lost(client: Client, writer: Writer) -> None:
    """Every acknowledged write is stored once, and the only failures are 503."""
    assert writer.unexpected_failures() == []
    assert writer.lost(client.names()) == {}


def left(release: Release) -> set[str]:
    """The objects of the old database."""
    kinds = "statefulsets,services,persistentvolumeclaims,secrets"
    names = release.namespace.kubectl("get", kinds, release.selector("postgres"), "--output=name")
    return set(names.split())
