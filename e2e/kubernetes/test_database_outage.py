"""A database that is killed or moves: 503 meanwhile, no write lost, no pod restarted."""

import pytest

from e2e.kubernetes.cluster import Namespace, drained, eventually
from e2e.kubernetes.release import Release
from e2e.kubernetes.writer import Writer, only_outages_and_nothing_lost


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    """As the chart has it by default."""
    release = Release(namespace, "outage")
    release.install()
    release.client()
    return release


def test_kill_of_the_database(release: Release) -> None:
    pods = release.pod_names()
    with Writer(release.client().url) as writer:
        assert writer.succeeds_again()
        killed = release.get("pods", "postgres")[0]["metadata"]["uid"]
        pod = release.one("pod", "postgres")
        release.namespace.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
        eventually(lambda: is_another(release, killed), "the database's pod is another")
        recovers(release, writer)
    assert release.pod_names() == pods
    only_outages_and_nothing_lost(release, writer)


@pytest.mark.usefixtures("no_page")
def test_drain_of_the_database_s_node(release: Release) -> None:
    home = release.namespace.node(release.one("pod", "postgres"))
    elsewhere = {pod for pod in release.pod_names() if release.namespace.node(pod) != home}
    with Writer(release.client().url) as writer:
        assert writer.succeeds_again()
        with drained(home, release.label):
            recovers(release, writer)
            assert release.namespace.node(release.one("pod", "postgres")) != home
    assert elsewhere <= release.pod_names()
    only_outages_and_nothing_lost(release, writer)


def is_another(release: Release, killed: str) -> bool:
    return {pod["metadata"]["uid"] for pod in release.pods("postgres")} not in ({killed}, set())


def recovers(release: Release, writer: Writer) -> None:
    release.wait_until_rolled_out()
    release.wait_until_old_pods_are_gone()
    assert writer.succeeds_again()
