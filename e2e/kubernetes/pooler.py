"""PgBouncer in transaction mode, between the application and a PostgreSQL that is none of the chart's."""

from typing import Any

from e2e.kubernetes.cluster import RESTRICTED_CONTAINER, RESTRICTED_POD
from e2e.kubernetes.database import PASSWORD, QUOTED_PASSWORD, Database, certificates

IMAGE = "app:pgbouncer"  # `make image-pgbouncer` builds it
LABELS = {"app": "pooler"}
SERVER_CONNECTIONS = 4

CONFIGURATION = """\
[databases]
* = host={server} port=5432

[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 6432
unix_socket_dir = /tmp
pidfile = /tmp/pgbouncer.pid
auth_type = scram-sha-256
auth_file = /config/users.txt
pool_mode = transaction
default_pool_size = {connections}
server_login_retry = 1
client_tls_sslmode = require
client_tls_cert_file = /config/server.crt
client_tls_key_file = /config/server.key
server_tls_sslmode = verify-full
server_tls_ca_file = /config/database.crt
"""


class Pooler:
    """One pod of PgBouncer with TLS on both sides; its certificate is of an authority of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.namespace = database.namespace
        self.host = f"pooler.{self.namespace.name}.svc"
        self.authority, self.certificate, self.key = certificates(self.namespace, self.host)

    def url(self, database: str) -> str:
        return f"postgresql://postgres:{QUOTED_PASSWORD}@{self.host}:6432/{database}"

    def start(self) -> None:
        configuration = CONFIGURATION.format(
            server=self.database.host, connections=SERVER_CONNECTIONS
        )
        files = {
            "pgbouncer.ini": configuration,
            "users.txt": f'"postgres" "{PASSWORD}"\n',
            "server.crt": self.certificate,
            "server.key": self.key,
            "database.crt": self.database.authority(),
        }
        self.namespace.create_secret("pooler", files)
        service = {"selector": LABELS, "ports": [{"port": 6432}]}
        self.namespace.apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "pooler"},
                "spec": service,
            },
            deployment(),
        )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        self.namespace.kubectl("rollout", "status", "deployment/pooler", "--timeout=120s")

    def pod(self) -> str:
        """The name of the only pod."""
        (pod,) = self.namespace.get("pods", "--selector=app=pooler")
        return str(pod["metadata"]["name"])

    def delete(self) -> None:
        """Delete the pod, as a drain or an upgrade does."""
        self.namespace.kubectl("delete", "pod", self.pod())
        self.wait_until_ready()

    def kill(self) -> None:
        """Kill the process, which the kubelet starts again."""
        self.execute("bash", "-c", "kill -KILL $(cat /tmp/pgbouncer.pid)")
        self.wait_until_ready()

    def clients(self) -> int:
        """How many connections of the application there are."""
        return len(self.show("CLIENTS").splitlines()) - 1  # that of this question

    def show(self, what: str) -> str:
        """What PgBouncer's console says, as ``psql -At`` prints it."""
        console = ("--host=/tmp", "--port=6432", "--username=pgbouncer", "--dbname=pgbouncer")
        return self.execute("psql", "-At", *console, f"--command=SHOW {what}")

    def execute(self, *command: str) -> str:
        return self.namespace.kubectl("exec", "deployment/pooler", "--", *command)


def deployment() -> dict[str, Any]:
    container = {
        "name": "pgbouncer",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": RESTRICTED_CONTAINER | {"readOnlyRootFilesystem": True},
        "readinessProbe": {"tcpSocket": {"port": 6432}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "configuration", "mountPath": "/config"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    pod = {
        # Nobody can kill process 1 of a container from within it.
        "shareProcessNamespace": True,
        "securityContext": RESTRICTED_POD,
        "containers": [container],
        "volumes": [
            {"name": "configuration", "secret": {"secretName": "pooler", "defaultMode": 0o440}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "pooler"},
        "spec": {
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
        },
    }


def create_database_secret(pooler: Pooler, database: str) -> None:
    """The Secret that chart/examples/external-database.yaml names."""
    direct = pooler.database
    secret = {
        "uri": pooler.url(database),
        "direct-uri": direct.url(database),
        "ca.crt": pooler.authority + direct.authority(),
        "secret-key": "k" * 50,
    }
    pooler.namespace.create_secret("tasklists-database", secret)
