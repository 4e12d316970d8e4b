"""A PostgreSQL that is none of the chart's, as somebody else would run it."""

import re
import secrets
from typing import Any

from e2e.kubernetes.cluster import (
    RESTRICTED_CONTAINER,
    RESTRICTED_POD,
    Namespace,
)

PASSWORD = "s3cret/with:signs@"
QUOTED_PASSWORD = "s3cret%2Fwith%3Asigns%40"

# Makes a certificate authority in the folder $TLS, and a certificate of it for the name $HOST.
MAKE_CERTIFICATES = """\
set -eu
cd "$TLS"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt
openssl req -newkey rsa:2048 -nodes -subj "/CN=$HOST" -keyout server.key -out server.csr
printf 'subjectAltName=DNS:%s,DNS:%s' "$HOST" "${HOST%%.*}" >san
openssl x509 -req -days 2 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial \\
  -extfile san -out server.crt
chmod 0600 server.key
"""
PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n", re.DOTALL)


def certificates(namespace: Namespace, host: str) -> tuple[str, str, str]:
    """A new authority's certificate, and a certificate of it for ``host`` with its key, as PEM."""
    script = f"{MAKE_CERTIFICATES}\ncat ca.crt server.crt server.key"
    command = ("env", f"HOST={host}", "TLS=/tmp", "bash", "-c", script)
    # The pod's log also has what openssl says while it works.
    printed = namespace.run_pod("certificates", "postgres:17", *command)
    authority, certificate, key = (match[0] for match in PEM.finditer(printed))
    return authority, certificate, key


class Database:
    """One server with TLS; each of its databases is for one release."""

    def __init__(
        self, namespace: Namespace, name: str, labels: dict[str, str] | None = None
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.host = f"{name}.{namespace.name}.svc"
        labels = labels or {"server": name}
        tls = {"name": "tls", "mountPath": "/tls"}
        container = {
            "image": "postgres:17",
            "imagePullPolicy": "IfNotPresent",
            "securityContext": RESTRICTED_CONTAINER,
        }
        namespace.apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name},
                "spec": {"selector": labels, "ports": [{"port": 5432}]},
            },
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "labels": labels},
                "spec": {
                    "securityContext": RESTRICTED_POD,
                    "initContainers": [
                        container
                        | {
                            "name": "certificates",
                            "command": ["bash", "-c", MAKE_CERTIFICATES],
                            "env": [
                                {"name": "HOST", "value": self.host},
                                {"name": "TLS", "value": "/tls"},
                            ],
                            "volumeMounts": [tls],
                        }
                    ],
                    "containers": [
                        container
                        | {
                            "name": "postgres",
                            "args": [
                                "-cssl=on",
                                "-cssl_cert_file=/tls/server.crt",
                                "-cssl_key_file=/tls/server.key",
                                "-cfsync=off",
                            ],
                            "env": [{"name": "POSTGRES_PASSWORD", "value": PASSWORD}],
                            "readinessProbe": {
                                "exec": {"command": ["pg_isready", "--host=127.0.0.1"]},
                                "periodSeconds": 1,
                                "timeoutSeconds": 5,
                            },
                            "volumeMounts": [tls],
                        }
                    ],
                    "volumes": [{"name": "tls", "emptyDir": {}}],
                },
            },
        )
        namespace.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=120s")

    def create(self, database: str) -> None:
        self.execute("createdb", "--username=postgres", database)

    def url(self, database: str) -> str:
        return f"postgresql://postgres:{QUOTED_PASSWORD}@{self.host}:5432/{database}"

    def authority(self) -> str:
        """The certificate of the authority that signed this server's."""
        return self.execute("cat", "/tls/ca.crt")

    def sql(self, database: str, statement: str) -> str:
        """Execute a statement as the superuser; what ``psql -At`` prints."""
        psql = ("psql", "-At", "--username=postgres", f"--dbname={database}")
        return self.execute(*psql, f"--command={statement}").strip()

    def execute(self, *command: str) -> str:
        return self.namespace.kubectl("exec", self.name, "--container=postgres", "--", *command)


class OperatedDatabase(Database):
    """What the CloudNativePG operator makes of a Cluster: here one server, and the Secrets.

    The application reaches it by the names and labels that the operator would give. ``initdb`` is
    the Cluster's ``spec.bootstrap.initdb``.
    """

    def __init__(self, namespace: Namespace, cluster: str, initdb: dict[str, Any]) -> None:
        labels = {"cnpg.io/cluster": cluster, "cnpg.io/podRole": "instance"}
        super().__init__(namespace, f"{cluster}-rw", labels)
        password = secrets.token_urlsafe(32)
        owner, database = initdb["owner"], initdb["database"]
        self.sql("postgres", f"CREATE ROLE {owner} LOGIN PASSWORD '{password}'")
        self.sql("postgres", f"CREATE DATABASE {database} OWNER {owner}")
        for statement in initdb.get("postInitApplicationSQL", []):
            self.sql(database, statement)
        namespace.create_secret(f"{cluster}-app", {"username": owner, "password": password})
        namespace.create_secret(f"{cluster}-ca", {"ca.crt": self.authority()})
