"""Step 7 of the course: replicas that have an SQLite file each."""

from pathlib import Path

import pytest

from e2e.kubernetes.cluster import eventually
from e2e.kubernetes.course import LISTS, another_terminal, course
from e2e.kubernetes.release import CHART, EXAMPLES

pytestmark = pytest.mark.usefixtures("room_for_the_course")


def test_replicas_diverge_and_come_back_empty(tmp_path: Path) -> None:
    example = EXAMPLES / "course-sqlite-replicas.yaml"
    options = "--set shutdown.delaySeconds=4 --skip-tests"
    course(f"helm template app {CHART} -f {example} {options} --output-dir {tmp_path}")
    course(f"kubectl apply -R -f {tmp_path}")
    course("kubectl rollout status deployment/app --timeout=120s")
    eventually(LISTS.is_there, "localhost:5000 answers")

    LISTS.add("test")
    pods = eventually(lambda: answers(3), "each of the three pods answers")
    (writer,) = [pod for pod, names in pods.items() if names == ["test"]]
    assert sorted(pods.values()) == [[], [], ["test"]]

    with another_terminal("kubectl get pod -w") as screen:
        course(f"kubectl delete pod {writer}")
        course("kubectl rollout status deployment/app --timeout=120s")
        eventually(lambda: "Terminating" in screen(), "the pod is seen to go")
    pods = eventually(lambda: answers(3), "three pods answer again")
    assert writer not in pods
    assert list(pods.values()) == [[], [], []]

    course(f"kubectl delete -R -f {tmp_path}")


def answers(pods: int) -> dict[str, list[str]]:
    """Which lists each pod has, as repeated requests show; nothing until so many answer."""
    seen: dict[str, list[str]] = {}
    for _ in range(40):
        answer = LISTS.request("GET", "/lists")
        seen[answer.headers["Served-By"]] = [item["name"] for item in answer.json()]
    return seen if len(seen) == pods else {}
