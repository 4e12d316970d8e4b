"""Each mode, with each Helm: installed, tested, upgraded, rolled back and uninstalled."""

from collections.abc import Iterator

import pytest

from e2e.kubernetes.cluster import Namespace, eventually, new_namespace
from e2e.kubernetes.database import Database
from e2e.kubernetes.release import HELMS, SMALL, Release, Values, merge

KINDS = (
    "all,configmaps,secrets,serviceaccounts,persistentvolumeclaims,networkpolicies,"
    "poddisruptionbudgets,ingresses"
)
KEPT: dict[str, set[str]] = {
    "postgres": {
        "persistentvolumeclaim/tasklists-postgres",
        "secret/tasklists",
        "secret/tasklists-postgres",
    },
    "external": {"secret/tasklists"},
    "sqlite": set(),
}


@pytest.fixture(scope="module")
def database(namespace: Namespace) -> Database:
    return Database(namespace, "elsewhere")


@pytest.fixture(params=HELMS)
def helm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["postgres", "external", "sqlite"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def release(helm: str, mode: str) -> Iterator[Release]:
    with new_namespace(f"lifecycle-{helm}-{mode}") as namespace:
        yield Release(namespace, helm=helm)


@pytest.fixture
def values(release: Release, mode: str, database: Database) -> Values:
    values = merge(SMALL, {"database": {"mode": mode}})
    if mode == "external":
        database.create(release.binary)
        release.namespace.create_secret("database", {"uri": database.url(release.binary)})
        values["external"] = {"existingSecret": "database"}
    return values


def test_lifecycle(release: Release, values: Values, mode: str) -> None:
    release.install(values)
    lists = release.client()
    lists.add("before the upgrade")
    secrets = release.secrets()
    release.helm("test", release.name)

    notes = release.upgrade(values, {"config": {"logLevel": "DEBUG"}})
    assert f"curl http://localhost:{release.port}/lists" in notes
    assert log_level(release) == "DEBUG"
    assert release.secrets() == secrets

    release.rollback(1)
    assert log_level(release) == "INFO"
    assert release.secrets() == secrets
    if mode == "sqlite":
        assert lists.names() == [], "a new pod has a file of its own"
    else:
        assert lists.names() == ["before the upgrade"]

    release.uninstall()
    eventually(lambda: left_by(release) == KEPT[mode], "nothing is left but what is kept")


def log_level(release: Release) -> str:
    """What the pod that serves was started with."""
    (pod,) = release.pod_names()
    return release.namespace.kubectl("exec", pod, "--", "printenv", "LOG_LEVEL").strip()


def left_by(release: Release) -> set[str]:
    selector = f"--selector={release.label}"
    return set(release.namespace.kubectl("get", KINDS, selector, "--output=name").split())
