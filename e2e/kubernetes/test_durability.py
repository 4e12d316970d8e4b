"""Lists outlive every pod, and the release itself; so do the Secrets that open them."""

import pytest

from e2e.kubernetes.cluster import CommandError, Namespace, eventually
from e2e.kubernetes.release import SMALL, Release


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    release = Release(namespace)
    release.install(SMALL)
    release.client().add("kept")
    return release


def test_deletion_of_the_application_s_pods(release: Release) -> None:
    release.namespace.kubectl("delete", "pod", release.selector("app"))
    release.wait_until_rolled_out()
    assert release.client().names() == ["kept"]


def test_deletion_of_the_database_s_pod(release: Release) -> None:
    release.namespace.kubectl("delete", "pod", release.one("pod", "postgres"))
    release.wait_until_rolled_out()
    eventually(lambda: release.client().request("GET", "/lists").ok, "the database is back")
    assert release.client().names() == ["kept"]


def test_one_server_at_a_time_has_the_volume(release: Release) -> None:
    """A second pod of the StatefulSet stands for the successor of one that still runs."""
    database, kubectl = release.one("pod", "postgres"), release.namespace.kubectl
    second = database.removesuffix("-0") + "-1"
    scale = ("scale", "statefulset", release.one("statefulset", "postgres"))
    kubectl(*scale, "--replicas=2")
    try:
        waiting = "waiting until no other PostgreSQL uses the volume\n"
        eventually(lambda: kubectl("logs", second) == waiting, "the second server waits")
        kubectl("delete", "pod", database)
        eventually(lambda: "ready to accept connections" in kubectl("logs", second), "it starts")
    finally:
        kubectl(*scale, "--replicas=1")
        kubectl("wait", "--for=delete", f"pod/{second}", "--timeout=60s")
    release.wait_until_rolled_out()
    eventually(lambda: release.client().request("GET", "/lists").ok, "the database is back")
    assert release.client().names() == ["kept"]


def test_deletion_of_the_release(release: Release) -> None:
    secrets = release.secrets()
    assert {key for data in secrets.values() for key in data} == {"password", "secret-key"}
    release.uninstall()
    assert release.secrets() == secrets
    release.install(SMALL)
    assert release.secrets() == secrets
    assert release.client().names() == ["kept"]


def test_a_new_password_is_refused_before_it_locks_everybody_out(release: Release) -> None:
    with pytest.raises(CommandError, match=r"postgres\.auth\.password differs from the one that"):
        release.upgrade(SMALL, {"postgres": {"auth": {"password": "another"}}})
    assert release.client().names() == ["kept"]


def test_a_change_of_the_password(release: Release) -> None:
    """As docs/kubernetes.md has it."""
    kubectl = release.namespace.kubectl
    database = release.one("pod", "postgres")
    new = "n" * 40
    psql = ["psql", "--username=postgres", r"--command=\password tasklists"]
    kubectl("exec", "--stdin", database, "--", *psql, stdin=f"{new}\n{new}\n")
    patch = f"stringData: {{password: {new}}}"
    secret = release.one("secret", "postgres")
    kubectl("patch", "secret", secret, "--patch-file=/dev/stdin", stdin=patch)
    kubectl("rollout", "restart", f"deployment/{release.one('deployment')}")
    release.wait_until_rolled_out()
    release.wait_until_old_pods_are_gone()  # which answer with what they have, the old password
    assert release.client().names() == ["kept"]

    release.upgrade(SMALL)
    assert release.secrets()[secret]["password"] == new
    assert release.client().names() == ["kept"]
