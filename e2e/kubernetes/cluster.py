"""The cluster that KUBECONFIG names, through kubectl."""

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Value = TypeVar("Value")

# What Pod Security "restricted" asks of a pod that is none of the chart's.
RESTRICTED_POD = {
    "runAsNonRoot": True,
    "runAsUser": 999,
    "fsGroup": 999,
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESTRICTED_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


class CommandError(Exception):
    """What was typed, and all that came back."""


def run(*command: str, stdin: str = "", seconds: float = 300) -> str:
    """The standard output of a command; CommandError when it fails or takes longer."""
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise CommandError(f"$ {' '.join(command)}\nno end after {seconds} s") from expired
    if done.returncode:
        raise CommandError(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def eventually(look: Callable[[], Value], what: str, seconds: float = 120) -> Value:
    """The first true value that ``look`` returns, asked again for up to ``seconds``.

    ``what`` is what one waits for. A command that fails counts as false: an
    object may not be there yet. Between two looks are 0.2 to 2 seconds, more the
    longer it takes, because each kubectl needs a tenth of a second of the processor.
    """
    start = time.monotonic()
    while True:
        try:
            value, reason = look(), None
        except CommandError as error:
            value, reason = None, error
        if value:
            return value
        waited = time.monotonic() - start
        if waited > seconds:
            raise AssertionError(f"not within {seconds:g} s: {what}; last: {reason or value!r}")
        time.sleep(min(max(waited / 10, 0.2), 2))


class Namespace:
    """One namespace, and kubectl in it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def kubectl(self, *arguments: str, stdin: str = "", seconds: float = 300) -> str:
        return run("kubectl", "--namespace", self.name, *arguments, stdin=stdin, seconds=seconds)

    def get(self, *what: str) -> Any:
        """``kubectl get``, as what the JSON says: an object, or a list's items."""
        answer = json.loads(self.kubectl("get", *what, "--output=json"))
        return answer["items"] if answer["kind"] == "List" else answer

    def apply(self, *objects: dict[str, Any]) -> None:
        manifest = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--filename=-", stdin=json.dumps(manifest))

    def create_secret(self, name: str, data: dict[str, str]) -> None:
        literals = [f"--from-literal={key}={value}" for key, value in data.items()]
        self.kubectl("create", "secret", "generic", name, *literals)

    def run_pod(self, name: str, image: str, *command: str, **metadata: Any) -> str:
        """Run a command in a pod that ``restricted`` admits; how it ended, and what it printed."""
        self.start_pod(name, image, *command, **metadata)
        try:
            eventually(lambda: self.phase(name) in ("Succeeded", "Failed"), f"pod {name} ends")
            return f"{self.phase(name)}\n{self.kubectl('logs', name)}"
        finally:
            self.kubectl("delete", "pod", name, "--now")

    def start_pod(self, name: str, image: str, *command: str, **metadata: Any) -> None:
        container = {
            "name": "main",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": list(command),
            "securityContext": RESTRICTED_CONTAINER,
        }
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": RESTRICTED_POD,
            "containers": [container],
        }
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, **metadata},
                "spec": spec,
            }
        )

    def phase(self, pod: str) -> str:
        return str(self.get("pod", pod)["status"]["phase"])

    def state(self) -> str:
        """What somebody would look at first when something went wrong."""
        looks: list[tuple[str, ...]] = [
            ("get", "all,persistentvolumeclaims,jobs", "--output=wide"),
            ("get", "events", "--sort-by=.lastTimestamp"),
        ]
        looks += [
            ("logs", pod["metadata"]["name"], "--all-containers", "--prefix", "--tail=30")
            for pod in self.get("pods")
            if pod["status"]["phase"] not in ("Running", "Succeeded")
        ]
        return "\n".join(self.kubectl_or_why_not(*look) for look in looks)

    def kubectl_or_why_not(self, *arguments: str) -> str:
        try:
            return self.kubectl(*arguments)
        except CommandError as error:
            return str(error)


open_namespaces: list[Namespace] = []
deleted_namespaces: list[Namespace] = []


@contextmanager
def new_namespace(purpose: str, *, level: str = "restricted") -> Iterator[Namespace]:
    """A namespace that enforces that level of Pod Security, deleted at the end."""
    namespace = Namespace(f"tasklists-{purpose}-{secrets.token_hex(2)}")
    run("kubectl", "create", "namespace", namespace.name)
    open_namespaces.append(namespace)
    try:
        labels = [f"pod-security.kubernetes.io/{mode}={level}" for mode in ("enforce", "warn")]
        run("kubectl", "label", "namespace", namespace.name, *labels)
        yield namespace
    finally:
        open_namespaces.remove(namespace)
        deleted_namespaces.append(namespace)
        run("kubectl", "delete", "namespace", namespace.name, "--wait=false")


def nodes() -> list[str]:
    """The nodes that take new pods."""
    every = json.loads(run("kubectl", "get", "nodes", "--output=json"))["items"]
    return [
        node["metadata"]["name"] for node in every if not node["spec"].get("unschedulable", False)
    ]


@contextmanager
def folder(node: str) -> Iterator[str]:
    """The path of an empty folder of that node, removed at the end."""
    name = f"tasklists-{secrets.token_hex(4)}"
    with new_namespace("folder", level="privileged") as namespace:
        in_folder(namespace, node, f"/tmp/{name}", "true")
        try:
            yield f"/tmp/{name}"
        finally:
            in_folder(namespace, node, "/tmp", "rm", "-r", f"/folder/{name}")


def in_folder(namespace: Namespace, node: str, path: str, *command: str) -> None:
    """Run a command on a node whose folder ``path`` is ``/folder``, and is made if missing."""
    pod = f"folder-{secrets.token_hex(2)}"
    volume = {"name": "folder", "hostPath": {"path": path, "type": "DirectoryOrCreate"}}
    container = {
        "name": "main",
        "image": "postgres:17",
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "folder", "mountPath": "/folder"}],
    }
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": pod},
            "spec": {
                "nodeName": node,
                "restartPolicy": "Never",
                "containers": [container],
                "volumes": [volume],
            },
        }
    )
    eventually(lambda: namespace.phase(pod) == "Succeeded", f"{' '.join(command)} on node {node}")
