"""The database answers its application and nobody else; the application reaches nothing else."""

from urllib.parse import quote

import pytest

from e2e.kubernetes.cluster import CommandError, Namespace, new_namespace
from e2e.kubernetes.database import Database
from e2e.kubernetes.release import SMALL, Release

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    release = Release(namespace)
    release.install(SMALL, {"replicaCount": 2})
    return release


@pytest.fixture(scope="module")
def database(release: Release) -> str:
    """The host name of the release's database."""
    return release.one("service", "postgres")


@pytest.fixture(scope="module")
def stranger(namespace: Namespace) -> Database:
    """A database that is none of the release's, and that no policy protects."""
    return Database(namespace, "stranger")


def test_the_application_reaches_its_database(release: Release, database: str) -> None:
    release.namespace.kubectl(*connect_from_application(release, database, 5432))


def test_another_pod_does_not(release: Release, database: str) -> None:
    said = release.namespace.run_pod("visitor", "postgres:17", *ask(database))
    assert said == f"Failed\n{database}:5432 - no response\n"


def test_nor_with_the_right_password(release: Release, database: str) -> None:
    password = quote(release.secrets()[database]["password"], safe="")
    url = f"postgresql://tasklists:{password}@{database}/tasklists?connect_timeout=3"
    said = release.namespace.run_pod("thief", "postgres:17", "psql", url, "--command=SELECT 1")
    assert "Failed\n" in said
    assert f'connection to server at "{database}"' in said


def test_nor_with_the_right_labels_in_another_namespace(release: Release, database: str) -> None:
    host = f"{database}.{release.namespace.name}.svc"
    with new_namespace("isolation-other") as other:
        said = other.run_pod("double", "postgres:17", *ask(host), labels=app_labels(release))
    assert said == f"Failed\n{host}:5432 - no response\n"


def test_with_the_right_labels_a_pod_does(release: Release, database: str) -> None:
    """So it is the policy that keeps others out, and not how these tests ask."""
    until_it_answers = f"until {' '.join(ask(database))}; do sleep 0.2; done"
    said = release.namespace.run_pod(
        "member", "postgres:17", "timeout", "30", "bash", "-c", until_it_answers,
        labels=app_labels(release) | {"pod-template-hash": "none"},
    )  # fmt: skip
    assert "Succeeded\n" in said


def test_the_application_reaches_no_other_database(release: Release, stranger: Database) -> None:
    with pytest.raises(CommandError, match=r"ConnectionRefusedError|TimeoutError"):
        release.namespace.kubectl(*connect_from_application(release, stranger.host, 5432))


def test_the_application_reaches_no_other_pod(release: Release) -> None:
    _, other = release.pods()
    address = other["status"]["podIP"]
    with pytest.raises(CommandError, match=r"ConnectionRefusedError|TimeoutError"):
        release.namespace.kubectl(*connect_from_application(release, address, 5000))


def test_the_database_reaches_nobody(release: Release, stranger: Database) -> None:
    pod = release.one("pod", "postgres")
    with pytest.raises(CommandError, match="no response"):
        release.namespace.kubectl("exec", pod, "--", *ask(stranger.host))


def test_where_no_policy_is_everybody_gets_in(stranger: Database) -> None:
    said = stranger.namespace.run_pod("guest", "postgres:17", *ask(stranger.host))
    assert said == f"Succeeded\n{stranger.host}:5432 - accepting connections\n"


def test_the_tests_of_a_release_pass_where_everything_else_is_denied(release: Release) -> None:
    """A NetworkPolicy of the namespace denies all traffic that no other policy allows."""
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    with new_namespace("isolation-denied") as denied:
        policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
        denied.apply({**policy, "metadata": {"name": "deny"}, "spec": deny})
        alone = Release(denied)
        alone.install(SMALL)
        assert "Phase:          Succeeded" in alone.helm("test", alone.name)


def ask(host: str) -> tuple[str, ...]:
    return ("pg_isready", f"--host={host}", "--timeout=3")


def connect_from_application(release: Release, host: str, port: int) -> tuple[str, ...]:
    pod, _ = release.pods()
    name = pod["metadata"]["name"]
    return ("exec", name, "--", "python", "-c", CONNECT, host, str(port))


def app_labels(release: Release) -> dict[str, str]:
    (deployment,) = release.get("deployment")
    labels: dict[str, str] = deployment["spec"]["selector"]["matchLabels"]
    return labels
