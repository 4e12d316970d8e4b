"""More requests than the pods can answer, through the Service."""

from typing import Any

from bench.clients import Answer, Apart, probe
from e2e.kubernetes.cluster import Namespace
from e2e.kubernetes.release import Release, Values

LISTS = 1000
PAGE = f"/lists?limit={LISTS}"
RATE = 400  # requests per second, several times what the pods can answer with their CPU limit
SECONDS = 15
LIMITED: Values = {"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}}


def test_a_load_above_capacity_is_shed_and_leaves_the_pods_alone(namespace: Namespace) -> None:
    release = Release(namespace, "overload")
    release.install(LIMITED)
    fill(release)
    client = release.client()
    before = states(release)
    with Apart() as clients:
        clients.call(probe, release.port, [PAGE], 1 / RATE, RATE * SECONDS)
        answers: list[Answer] = clients.result()[PAGE]
    assert client.request("GET", "/lists/1").status_code == 200
    assert {(each.status, each.fault) for each in answers} == {(200, ""), (503, "")}
    assert states(release) == before


def fill(release: Release) -> None:
    insert = (
        "INSERT INTO tasklists_tasklist (name, created_at, updated_at, version)"
        f" SELECT 'list ' || n, now(), now(), 1 FROM generate_series(1, {LISTS}) AS n"
    )
    pod = release.one("pod", "postgres")
    release.namespace.kubectl("exec", pod, "--", "psql", "-U", "tasklists", "-c", insert)


def states(release: Release) -> dict[str, Any]:
    """How often each pod's container was restarted, and since when the pod is ready."""
    return {
        pod["metadata"]["name"]: (
            [container["restartCount"] for container in pod["status"]["containerStatuses"]],
            *(
                (each["status"], each["lastTransitionTime"])
                for each in pod["status"]["conditions"]
                if each["type"] == "Ready"
            ),
        )
        for pod in release.pods()
    }
