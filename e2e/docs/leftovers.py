"""What a page has left behind in the Docker Engine and the cluster.

The tests of e2e/kubernetes may run at the same time: what is in their namespaces does not count.
"""

import json
import subprocess

NAMESPACED = (
    "all,persistentvolumeclaims,secrets,networkpolicies,poddisruptionbudgets,ingresses,"
    "horizontalpodautoscalers,cronjobs,jobs,resourcequotas"
)
IN_EVERY_CLUSTER = {"service/kubernetes"}
OF_OTHER_TESTS = "tasklists-"  # as e2e.kubernetes.cluster.new_namespace begins their names


def everything() -> set[str]:
    """All that a page could make, as the commands that remove it."""
    found = {f"docker rm -f -v {name}" for name in _words("docker ps -aq --no-trunc")}
    found |= {f"docker volume rm {name}" for name in _words("docker volume ls -q")}
    found |= {f"docker network rm {name}" for name in _words("docker network ls -q --no-trunc")}
    return found | in_default() | _of_the_cluster()


def in_default() -> set[str]:
    """What the namespace default has, less what every cluster has there."""
    names = _words(f"kubectl get -n default {NAMESPACED} -o name")
    return {f"kubectl delete -n default {name}" for name in set(names) - IN_EVERY_CLUSTER}


def _of_the_cluster() -> set[str]:
    found = set()
    for each in json.loads(_run("kubectl get namespaces,persistentvolumes -o json"))["items"]:
        name = each["metadata"]["name"]
        namespace = each["spec"].get("claimRef", {}).get("namespace", name)
        if not namespace.startswith(OF_OTHER_TESTS):
            found.add(f"kubectl delete {each['kind']}/{name}")
    return found


def remove(made: set[str]) -> None:
    """Run these commands; containers go first, since they hold networks and volumes."""
    for command in sorted(made, key=lambda each: (not each.startswith("docker rm"), each)):
        subprocess.run(
            f"{command} --ignore-not-found" if command.startswith("kubectl") else command,
            shell=True,
            capture_output=True,
            check=False,
        )


def _words(command: str) -> list[str]:
    return _run(command).split()


def _run(command: str) -> str:
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
