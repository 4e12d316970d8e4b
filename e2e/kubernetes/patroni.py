"""A PostgreSQL that fails over: three members that Patroni runs, one of which is the primary."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from e2e.kubernetes.cluster import (
    RESTRICTED_CONTAINER,
    RESTRICTED_POD,
    CommandError,
    Namespace,
    eventually,
)
from e2e.kubernetes.database import certificates
from e2e.kubernetes.release import Release, Values

IMAGE = "app:patroni"  # `make image-patroni` builds it
NAME = "patroni"
LABELS = {"application": NAME, "cluster-name": NAME}
SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())
PASSWORD = "p" * 24

# How many standbys stream from a server, and for how many of them a commit waits.
STANDBYS = """\
SELECT count(*) FILTER (WHERE state = 'streaming'), count(*) FILTER (WHERE sync_state = 'sync')
FROM pg_stat_replication
"""


def configuration(namespace: Namespace) -> dict[str, Any]:
    """Patroni's file, the same for every member. The pod's environment has what differs."""
    authentication = {
        "superuser": {"username": "postgres", "password": PASSWORD},
        "replication": {"username": "replicator", "password": PASSWORD},
    }
    return {
        "scope": NAME,
        # The cluster's API stores who the leader is, in annotations of ConfigMaps.
        "kubernetes": {
            "namespace": namespace.name,
            "use_endpoints": False,
            "labels": {"application": NAME},
        },
        "restapi": {"listen": "0.0.0.0:8008"},
        "bootstrap": {
            "dcs": {
                # Another member takes the leader's place when ttl seconds have passed without news
                # of it. 20 is the least that Patroni accepts, and loop_wait + 2 * retry_timeout
                # must not exceed it.
                "ttl": 20,
                "loop_wait": 2,
                "retry_timeout": 9,
                # A commit waits for one standby; while there is none, it waits until there is one.
                "synchronous_mode": True,
                "synchronous_mode_strict": True,
                "postgresql": {
                    "use_pg_rewind": True,
                    "parameters": {"wal_retrieve_retry_interval": "1s"},
                },
            },
            "initdb": [{"encoding": "UTF8"}, "data-checksums"],
        },
        "postgresql": {
            "listen": "0.0.0.0:5432",
            "data_dir": "/var/lib/postgresql/data/pgdata",
            "pgpass": "/tmp/pgpass",
            "authentication": authentication,
            # Patroni's own connections need neither TLS nor a password.
            "use_unix_socket": True,
            "use_unix_socket_repl": True,
            "parameters": {
                "unix_socket_directories": "/var/run/postgresql",
                "ssl": "on",
                "ssl_cert_file": "/config/server.crt",
                "ssl_key_file": "/config/server.key",
            },
            "pg_hba": [
                "local all postgres trust",
                "local replication replicator trust",
                "hostssl all all all scram-sha-256",
                "hostssl replication replicator all scram-sha-256",
            ],
        },
    }


class PatroniCluster:
    """The members, pods of a StatefulSet, and a Service that leads to the primary among them."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.host = f"{NAME}.{namespace.name}.svc"
        self.url = f"postgresql://tasklists:{PASSWORD}@{self.host}:5432/tasklists"
        authority, certificate, key = certificates(namespace, self.host)
        namespace.create_secret("database", {"uri": self.url, "ca.crt": authority})
        files = {
            "patroni.json": json.dumps(configuration(namespace)),
            "server.crt": certificate,
            "server.key": key,
        }
        namespace.create_secret(NAME, files)
        namespace.apply(*rights(), *services(), disruption_budget(), members())
        self.wait_until_whole()
        self.sql(f"CREATE ROLE tasklists LOGIN PASSWORD '{PASSWORD}'")
        self.sql("CREATE DATABASE tasklists OWNER tasklists")

    def values(self) -> Values:
        """The values of a release that has its lists here."""
        external = {"existingSecret": "database", "caSecret": "database", "sslMode": "verify-full"}
        return {"database": {"mode": "external"}, "external": external}

    def leader(self) -> str:
        """The member that holds the leader's lock, if any. A frozen one holds it until ``ttl`` is over."""
        return self.annotations(f"{NAME}-leader").get("leader", "")

    def annotations(self, name: str) -> dict[str, str]:
        metadata = self.namespace.get("configmap", name)["metadata"]
        found: dict[str, str] = metadata.get("annotations", {})
        return found

    def wait_until_whole(self) -> None:
        eventually(self.is_whole, "one primary and two standbys, one of them synchronous")

    def is_whole(self) -> bool:
        """Whether every member is ready, and one of two standbys may take the primary's place."""
        roles = {}
        for pod in self.namespace.get("pods", f"--selector={SELECTOR}"):
            if "deletionTimestamp" in pod["metadata"] or not is_ready(pod):
                return False
            roles[pod["metadata"]["name"]] = pod["metadata"]["labels"].get("role", "")
        leader, sync = self.leader(), self.annotations(f"{NAME}-sync")
        return (
            sorted(roles.values()) == ["primary", "replica", "replica"]
            and roles.get(leader) == "primary"
            and leader == sync.get("leader")
            and roles.get(sync.get("sync_standby", "")) == "replica"
            and self.sql(STANDBYS) == "2|1"
        )

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Execute a statement on the leader as the superuser; what ``psql -At`` prints."""
        psql = ("psql", "-qAt", f"--dbname={database}", f"--command={statement}")
        return self.execute(self.leader(), *psql).strip()

    def execute(self, member: str, *command: str) -> str:
        return self.namespace.kubectl("exec", member, "--", *command)

    def signal(self, member: str, name: str) -> None:
        """Send a signal to all processes of the member; this includes Patroni and PostgreSQL."""
        # bash has ``kill`` built in, and Linux leaves out the process that sends, and process 1,
        # which does nothing but wait for Patroni.
        self.execute(member, "bash", "-c", f"kill -{name} -1")

    @contextmanager
    def killed(self, member: str) -> Iterator[None]:
        """Kill Patroni and PostgreSQL. The kubelet starts the container again, with its data."""
        self.signal(member, "KILL")
        yield

    @contextmanager
    def deleted(self, member: str) -> Iterator[None]:
        """Delete the pod. Patroni hands over first, and the new pod starts without data."""
        self.namespace.kubectl("delete", "pod", member)
        yield

    @contextmanager
    def frozen(self, member: str) -> Iterator[None]:
        """Stop Patroni and PostgreSQL, and let them go on at the end of the block."""
        self.signal(member, "STOP")
        try:
            yield
        finally:
            self.signal(member, "CONT")

    def without_application(self, release: Release) -> AbstractContextManager[None]:
        """Keep the release's pods from the leader, for the duration of the block."""
        (pod, *_) = release.pod_names()
        return self.cut_off(pod, "In", "pg_stat_activity WHERE usename = 'tasklists'")

    def without_members(self) -> AbstractContextManager[None]:
        """Keep the other members from the leader, for the duration of the block."""
        standby = self.annotations(f"{NAME}-sync")["sync_standby"]
        return self.cut_off(standby, "NotIn", "pg_stat_replication")

    @contextmanager
    def cut_off(self, pod: str, operator: str, connections: str) -> Iterator[None]:
        """Keep ``pod`` and others like it from the leader by a NetworkPolicy.

        The policy admits the members (``operator`` In), or everybody but the members (NotIn).
        ``connections`` selects the sessions that are open already.
        """
        leader = self.leader()
        address = self.namespace.get("pod", leader)["status"]["podIP"]
        members = {"key": "application", "operator": operator, "values": [NAME]}
        admitted = {"podSelector": {"matchExpressions": [members]}}
        policy = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "partition"},
            "spec": {
                "podSelector": {"matchLabels": {"statefulset.kubernetes.io/pod-name": leader}},
                "ingress": [{"from": [admitted]}],
            },
        }
        self.namespace.apply(policy)
        try:
            eventually(lambda: not self.connects(pod, address), f"{pod} is cut off")
            # Network plugins may let open connections continue.
            self.sql(f"SELECT pg_terminate_backend(pid) FROM {connections}")
            yield
        finally:
            self.namespace.kubectl("delete", "networkpolicy", "partition")

    def connects(self, pod: str, address: str) -> bool:
        """Whether the pod reaches PostgreSQL at that address."""
        connect = ("timeout", "2", "bash", "-c", f"</dev/tcp/{address}/5432")
        try:
            self.namespace.kubectl("exec", pod, "--", *connect)
        except CommandError:
            return False
        return True


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def rights() -> list[dict[str, Any]]:
    """What Patroni needs of the API: ConfigMaps for its state, and labels of pods for the roles."""
    version = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": NAME}}
    read = ["get", "list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": [*read, "create", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": [*read, "patch"]},
    ]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}},
        {**version, "kind": "Role", "rules": rules},
        {
            **version,
            "kind": "RoleBinding",
            "roleRef": reference,
            "subjects": [{"kind": "ServiceAccount", "name": NAME}],
        },
    ]


def services() -> list[dict[str, Any]]:
    """The primary's Service, and the StatefulSet's own."""
    primary = {"selector": LABELS | {"role": "primary"}, "ports": [{"port": 5432}]}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": primary},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"{NAME}-members"},
            "spec": {"clusterIP": "None", "selector": LABELS},
        },
    ]


def disruption_budget() -> dict[str, Any]:
    """Keep a drain from evicting the primary together with its synchronous standby."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": NAME},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
    }


def members() -> dict[str, Any]:
    """The StatefulSet. Data end with their pod, so each new pod copies them from the leader."""
    container = {
        "name": "patroni",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": RESTRICTED_CONTAINER,
        "env": [
            field("PATRONI_NAME", "metadata.name"),
            field("ADDRESS", "status.podIP"),
            {"name": "PATRONI_POSTGRESQL_CONNECT_ADDRESS", "value": "$(ADDRESS):5432"},
            {"name": "PATRONI_RESTAPI_CONNECT_ADDRESS", "value": "$(ADDRESS):8008"},
        ],
        # A frozen primary keeps its label, because members label themselves. The probe takes it
        # out of the Service.
        "readinessProbe": {
            "httpGet": {"path": "/readiness", "port": 8008},
            "periodSeconds": 1,
            "timeoutSeconds": 2,
        },
        "volumeMounts": [
            {"name": "configuration", "mountPath": "/config"},
            {"name": "data", "mountPath": "/var/lib/postgresql/data"},
        ],
    }
    apart = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": LABELS}}
    preferred = [{"weight": 1, "podAffinityTerm": apart}]
    spread = {"preferredDuringSchedulingIgnoredDuringExecution": preferred}
    spec = {
        "serviceAccountName": NAME,
        "securityContext": RESTRICTED_POD,
        "affinity": {"podAntiAffinity": spread},
        "containers": [container],
        "volumes": [
            # PostgreSQL refuses a key that everybody may read.
            {"name": "configuration", "secret": {"secretName": NAME, "defaultMode": 0o440}},
            {"name": "data", "emptyDir": {}},
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": NAME, "labels": LABELS},
        "spec": {
            "serviceName": f"{NAME}-members",
            "replicas": 3,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": spec},
        },
    }


def field(name: str, path: str) -> dict[str, Any]:
    """A variable with a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
