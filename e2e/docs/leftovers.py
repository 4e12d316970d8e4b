"""What a page has left behind in the Docker Engine and the cluster."""

import subprocess

NAMESPACED = (
    "all,persistentvolumeclaims,secrets,networkpolicies,poddisruptionbudgets,ingresses,"
    "horizontalpodautoscalers,cronjobs,jobs,resourcequotas"
)
OF_THE_CLUSTER = "namespaces,persistentvolumes"
IN_EVERY_CLUSTER = {"service/kubernetes"}


def everything() -> set[str]:
    """The names of all that a page could make, each with the words that remove it."""
    found = {f"docker rm -f -v {name}" for name in _lines("docker ps -aq --no-trunc")}
    found |= {f"docker volume rm {name}" for name in _lines("docker volume ls -q")}
    found |= {f"docker network rm {name}" for name in _lines("docker network ls -q --no-trunc")}
    names = set(_lines(f"kubectl get -n default {NAMESPACED} -o name")) - IN_EVERY_CLUSTER
    found |= {f"kubectl delete -n default {name}" for name in names}
    return found | {
        f"kubectl delete {name}" for name in _lines(f"kubectl get {OF_THE_CLUSTER} -o name")
    }


def remove(made: set[str]) -> None:
    """Run the words that remove; containers first, since they hold networks and volumes."""
    for command in sorted(made, key=lambda each: (not each.startswith("docker rm"), each)):
        subprocess.run(
            f"{command} --ignore-not-found" if command.startswith("kubectl") else command,
            shell=True,
            capture_output=True,
            check=False,
        )


def _lines(command: str) -> list[str]:
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    return done.stdout.split()
