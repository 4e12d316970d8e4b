"""Each of chart/examples, installed; then ``helm test`` asks it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.kubernetes.cluster import Namespace, folder, new_namespace, nodes, run
from e2e.kubernetes.database import Database, OperatedDatabase
from e2e.kubernetes.kinds import definitions
from e2e.kubernetes.pooler import Pooler, create_database_secret
from e2e.kubernetes.release import EXAMPLES, WAIT, Release, Values


@contextmanager
def nothing(namespace: Namespace) -> Iterator[Values]:
    yield {}


@contextmanager
def static_volume(namespace: Namespace) -> Iterator[Values]:
    """The example's folder and node, as they are on this cluster."""
    node = nodes()[0]
    with folder(node) as path:
        volume = {"path": path, "nodes": [node]}
        try:
            yield {"postgres": {"persistence": {"staticVolume": volume}}}
        finally:
            namespace.kubectl("delete", "statefulsets,persistentvolumeclaims", "--all")
            volume_name = f"{namespace.name}-app-db-st"
            run("kubectl", "delete", "persistentvolume", volume_name, "--ignore-not-found")


@contextmanager
def generated(namespace: Namespace) -> Iterator[Values]:
    """The Secret that the example says how to make, and this project's image."""
    secret = {"secret-key": "k" * 50, "database-password": "d" * 24, "admin-password": "a" * 24}
    namespace.create_secret("tasklists-secrets", secret)
    yield {"image": {"registry": "", "repository": "app", "tag": "latest"}}


@contextmanager
def managed(namespace: Namespace) -> Iterator[Values]:
    """A database with TLS, and a pooler in front of it."""
    pooler = Pooler(Database(namespace, "postgresql"))
    create_database_secret(pooler, "postgres")
    pooler.start()
    yield {}


@contextmanager
def operated(namespace: Namespace) -> Iterator[Values]:
    """The Secret that the example says how to make, and what the operator would make."""
    with definitions():
        OperatedDatabase(namespace, "tasklists-db", {"owner": "tasklists", "database": "tasklists"})
        namespace.create_secret("tasklists-secrets", {"secret-key": "k" * 50})
        yield {}


PREPARATIONS = {
    "cloudnative-pg": operated,
    "course-isolated-postgres": static_volume,
    "course-operations": nothing,
    "course-sqlite-replicas": nothing,
    "development": nothing,
    "external-database": managed,
    "gitops": generated,
    "production": generated,
}


@pytest.mark.parametrize("example", [path.stem for path in sorted(EXAMPLES.glob("*.yaml"))])
def test_example(example: str) -> None:
    with (
        new_namespace("example") as namespace,
        PREPARATIONS[example](namespace) as values,
    ):
        release = Release(namespace)
        file = f"--values={EXAMPLES / example}.yaml"
        release.install(values, options=(*WAIT, file))
        release.helm("test", release.name)
