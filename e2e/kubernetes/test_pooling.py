"""The external database of the chart's example, through a pooler in transaction mode."""

import json
from collections.abc import Callable

import pytest

from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.conftest import require_built_images
from e2e.kubernetes.database import Database
from e2e.kubernetes.pooler import IMAGE, SERVER_CONNECTIONS, Pooler, create_database_secret
from e2e.kubernetes.release import EXAMPLES, WAIT, Release
from e2e.kubernetes.writer import PersistentWriter, only_outages_and_nothing_lost

DATABASE = "lists"
# The connections that come from other pods than the server's own.
CONNECTIONS = f"FROM pg_stat_activity WHERE datname = '{DATABASE}' AND client_addr IS NOT NULL"
# For a second, end each connection while it executes a statement.
END_CONNECTIONS = f"""\
DO $$BEGIN
    FOR attempt IN 1..100 LOOP
        PERFORM pg_terminate_backend(pid) {CONNECTIONS} AND state = 'active';
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
    END LOOP;
END$$"""


@pytest.fixture(scope="module")
def pooler(namespace: Namespace) -> Pooler:
    """A pooler, and the Secret that leads a release to it."""
    require_built_images(namespace, IMAGE)
    database = Database(namespace, "postgresql")
    database.create(DATABASE)
    pooler = Pooler(database)
    create_database_secret(pooler, DATABASE)
    pooler.start()
    return pooler


@pytest.fixture(scope="module")
def release(pooler: Pooler) -> Release:
    """The example as it stands."""
    release = Release(pooler.namespace)
    release.install(options=(*WAIT, f"--values={EXAMPLES / 'external-database.yaml'}"))
    release.client()
    return release


def test_migrations_go_past_the_pooler(release: Release, pooler: Pooler) -> None:
    """They hold a lock of the session, which a pooler would pass on to others."""
    scale = ("scale", "deployment/pooler")
    release.namespace.kubectl(*scale, "--replicas=0")
    try:
        release.namespace.kubectl("wait", "pods", "--selector=app=pooler", "--for=delete")
        assert "No migrations to apply" in manage(release, "migrate")
    finally:
        release.namespace.kubectl(*scale, "--replicas=1")
        pooler.wait_until_ready()


def test_many_clients_share_few_connections(release: Release, pooler: Pooler) -> None:
    with PersistentWriter(release.client().url, threads=16) as writer:
        eventually(lambda: pooler.clients() >= 3 * SERVER_CONNECTIONS, "the threads have connected")
        assert writer.succeeds_again()
        connections = pooler.database.sql(DATABASE, f"SELECT count(*) {CONNECTIONS}")
        assert int(connections) <= SERVER_CONNECTIONS
    # A busy machine sheds some of so many requests.
    assert writer.unexpected_failures() == []
    assert writer.lost(release.client().names()) == {}


def test_doctor_knows_that_there_is_a_pooler(release: Release) -> None:
    # The role of the tests is a superuser. Doctor warns of that, and ends with 1.
    report = json.loads(manage(release, "doctor --json || test $? = 1"))
    checks = {each["id"]: each for each in report["checks"]}
    assert [each for each in report["checks"] if each["status"] == "error"] == []
    assert checks["database.tls"]["fact"].startswith("encrypted")
    assert "A pooler is in between" in checks["database.replicas"]["fact"]


def manage(release: Release, command: str) -> str:
    """Run a command of manage.py in a pod of the application."""
    pod = f"deployment/{release.one('deployment')}"
    shell = ("sh", "-c", f"python manage.py {command}")
    return release.namespace.kubectl("exec", pod, "--container=app", "--", *shell)


def test_restart_of_the_pooler(release: Release, pooler: Pooler) -> None:
    survives(release, pooler.delete)


def test_kill_of_the_pooler(release: Release, pooler: Pooler) -> None:
    survives(release, pooler.kill)


def test_end_of_the_pooler_s_connections_to_the_server(release: Release, pooler: Pooler) -> None:
    survives(release, lambda: pooler.database.sql(DATABASE, END_CONNECTIONS))


def survives(release: Release, disturb: Callable[[], object]) -> None:
    """Disturb until a client has noticed; all that is written is there once in the end."""

    def is_noticed() -> bool:
        disturb()
        return bool(writer.failures)

    pods = release.pod_names()
    with PersistentWriter(release.client().url, threads=8) as writer:
        assert writer.succeeds_again()
        eventually(is_noticed, "a client notices")
        assert writer.succeeds_again()
    assert release.pod_names() == pods
    only_outages_and_nothing_lost(release, writer)
