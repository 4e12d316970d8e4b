"""Steps 5 and 6 of the course: a pod, and a load balancer for it."""

import pytest

from e2e.kubernetes.cluster import eventually
from e2e.kubernetes.course import LISTS, another_terminal, course

RUN = "kubectl run app-pod --image=app:latest --port=5000 --image-pull-policy=Never"

pytestmark = pytest.mark.usefixtures("room_for_the_course")


def test_a_pod() -> None:
    course(RUN)
    eventually(lambda: "1/1     Running" in course("kubectl get pods"), "the pod runs")
    assert "app:latest" in course("kubectl describe pod app-pod")
    with another_terminal("kubectl logs -f app-pod") as screen:
        eventually(lambda: "Listening at" in screen(), "the log goes on")
    assert "uid=10001" in course("kubectl exec -it app-pod -- sh", "id\nexit\n")
    course("kubectl delete pod app-pod")
    assert "app-pod" not in course("kubectl get pods")


def test_a_load_balancer() -> None:
    course(RUN)
    course("kubectl create service loadbalancer lb-svc --tcp=5000:5000")
    course("kubectl set selector service lb-svc run=app-pod")
    eventually(LISTS.is_there, "localhost:5000 answers")
    assert LISTS.names() == []
    LISTS.add("test")
    assert LISTS.names() == ["test"]
    assert "localhost" in course("kubectl get service lb-svc")
