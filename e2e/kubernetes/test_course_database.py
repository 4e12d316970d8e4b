"""Steps 8 and 9 of the course: the database isolated, and a directory applied at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.kubernetes.cluster import CommandError, eventually, folder, nodes
from e2e.kubernetes.course import LISTS, course, is_the_courses, there
from e2e.kubernetes.release import CHART, EXAMPLES

EXAMPLE = EXAMPLES / "course-isolated-postgres.yaml"
VOLUME = "default-app-db-st"


@pytest.fixture
def directory(room_for_the_course: None, tmp_path: Path) -> Iterator[Path]:
    """Holds what the chart renders for a folder of this cluster's first node."""
    node = nodes()[0]
    with folder(node) as path:
        volume = "postgres.persistence.staticVolume"
        options = f"--set {volume}.path={path} --set {volume}.nodes={{{node}}}"
        options += " --set shutdown.delaySeconds=4 --skip-tests"
        manifest = course(f"helm template app {CHART} -f {EXAMPLE} {options}")
        (tmp_path / "app.yaml").write_text(manifest)
        try:
            yield tmp_path
        finally:
            course(f"kubectl delete -f {tmp_path} --ignore-not-found")


def test_deleting_any_pod_loses_nothing(directory: Path) -> None:
    course(f"kubectl apply -f {directory}")
    rolled_out()
    LISTS.add("test")
    assert "200Mi" in course(f"kubectl get pv {VOLUME}")
    assert "Retain" in course(f"kubectl get pv {VOLUME}")
    assert "Bound" in course("kubectl get pvc app-db-st")
    assert "app-db-st-0.app-db-svc.default.svc.cluster.local" in course("kubectl get service db")
    assert "1/1" in course("kubectl get statefulset app-db-st")
    answer = course(
        "kubectl exec deployment/app -- python -c 'import socket;"
        ' socket.create_connection(("db", 5432), 5); print("the alias leads to the database")\''
    )
    assert "the alias leads to the database" in answer

    for pod in pods():
        course(f"kubectl delete {pod}")
        rolled_out()
        eventually(lambda: LISTS.request("GET", "/lists").ok, "the database is back")
        assert LISTS.names() == ["test"], f"after the end of {pod}"


def test_a_directory_at_once(directory: Path) -> None:
    course(f"kubectl apply -f {directory}")
    rolled_out()
    LISTS.add("test")
    shown = course("kubectl get all")
    for name in ("deployment.apps/app", "statefulset.apps/app-db-st", "service/lb-svc"):
        assert name in shown

    assert all(is_the_courses(name) for name in there())
    course("kubectl delete all --all")
    eventually(lambda: not pods(), "pods that came again go as well")
    course(f"kubectl apply -f {directory}")
    rolled_out()
    assert LISTS.names() == ["test"], "the claim is not among what kubectl calls all"

    course(f"kubectl delete -f {directory}")
    eventually(lambda: not there(), "nothing is left")
    with pytest.raises(CommandError, match="NotFound"):
        course(f"kubectl get pv {VOLUME}")


def rolled_out() -> None:
    course("kubectl rollout status statefulset/app-db-st --timeout=120s")
    course("kubectl rollout status deployment/app --timeout=120s")
    eventually(LISTS.is_there, "localhost:5000 answers")


def pods() -> list[str]:
    return course("kubectl get pods --output=name").split()
