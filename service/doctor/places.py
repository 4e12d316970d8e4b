"""Where the service runs, and commands in the words of that place."""

import os
import pwd
import re
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# Docker mounts a container's /etc/hostname from a folder named after its id, and so does Podman.
CONTAINER_ID = re.compile(r"containers/([0-9a-f]{12})[0-9a-f]{52}/")
# <name>-<hash of the template>-<five characters>, as a Deployment names its pods.
POD_OF_DEPLOYMENT = re.compile(r"(.+)-[a-z0-9]{6,10}-[a-z0-9]{5}")
# Not only digits, and without dots, as an IP address or a domain has them.
CONTAINER_NAME = re.compile("[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*")
OTHERS = "with the other options as before"
PASSED_ON = ("SECRET_KEY", "API_ACCESS", "LOG_FORMAT")  # by docker-compose.yml, from .env
ROOT = Path(__file__).resolve().parents[2]
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class Server(NamedTuple):
    """A PostgreSQL server as the URL names it. ``canonical`` is the host's name in DNS, if known.

    ``host`` is empty, or begins with a slash, for a socket.
    """

    host: str
    port: str
    role: str
    database: str
    canonical: str = ""

    @property
    def is_local(self) -> bool:
        return self.host in ("", *LOCAL_HOSTS) or self.host.startswith(("/", "@"))

    @property
    def is_neighbour(self) -> bool:
        """Whether the host can be the name of a container on the same network."""
        return not self.is_local and bool(CONTAINER_NAME.fullmatch(self.host))


def is_packaged_here() -> bool:
    """Whether packages of Linux have installed PostgreSQL. They make a user for it.

    Otherwise localhost may be a container's published port, or Homebrew's server on macOS.
    """
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return False
    return True


class Place:
    """A checkout. The other places are subclasses, which override what differs."""

    description = "a checkout"
    is_container = False

    def manage(self, arguments: str) -> str:
        """The command that runs ``manage.py`` here."""
        python = Path(sys.executable)
        if python.is_relative_to(Path.cwd()):
            python = python.relative_to(Path.cwd())
        return f"{shlex.quote(str(python))} manage.py {arguments}"

    def set(self, name: str, value: str) -> str:
        """The command that gives a variable of the service another value."""
        return f"export {name}={value}   # then start the service again"

    def unset(self, name: str) -> str:
        """The command that removes a variable of the service."""
        return f"unset {name}"

    def make_writable(self, paths: Sequence[Path], user: int) -> str | None:
        """The command that gives paths to the user. In a checkout None for paths outside of it."""
        if all(path.resolve().is_relative_to(Path.cwd()) for path in paths):
            return f"sudo chown {user} {joined(paths)}"
        return None

    def start_database(self, server: Server) -> str | None:
        """The command that starts a server that does not answer, or shows whether it runs."""
        if server.is_local and self.is_container:
            return None
        if server.is_local and is_packaged_here():
            return "sudo systemctl start postgresql"
        return f"pg_isready -h {shlex.quote(server.host)} -p {server.port}"

    def name_database(self, server: Server) -> str | None:
        """The command that replaces localhost, which in a container is the container itself."""
        if server.host not in LOCAL_HOSTS:
            return None
        return self.set("DATABASE_URL", f"postgresql://{server.role}:PASSWORD@db/{server.database}")

    def restart_database(self, server: Server) -> str | None:
        packaged = server.is_local and is_packaged_here()
        return "sudo systemctl restart postgresql" if packaged else None

    def set_parameter(self, server: Server, name: str, value: int) -> str | None:
        """The command that sets a parameter with which the server is started, if it has any."""
        return None

    def client(self, server: Server, command: str, *, interactive: bool = False) -> str:
        """The command that runs a client program of PostgreSQL as an administrator of the server.

        ``interactive`` is for a program that asks for a password and so needs a terminal.
        """
        if server.is_local and not self.is_container and is_packaged_here():
            return f"sudo -u postgres {command} -p {server.port}"
        return f"{command} -h {shlex.quote(server.host)} -p {server.port}"


class Docker(Place):
    description = "a container"
    is_container = True

    def __init__(self) -> None:
        self.container = container_id(Path("/proc/self/mountinfo")) or socket.gethostname()
        self.is_one_off = is_of_doctor(Path("/proc/1/cmdline"))

    def manage(self, arguments: str) -> str:
        if self.is_one_off:
            return f"docker run --rm ... python manage.py {arguments}   # {OTHERS}"
        return f"docker exec {self.container} python manage.py {arguments}"

    def set(self, name: str, value: str) -> str:
        return f"docker run -e {name}={value} ...   # {OTHERS}"

    def unset(self, name: str) -> str:
        return f"docker run ...   # {OTHERS}, without -e {name}"

    def make_writable(self, paths: Sequence[Path], user: int) -> str | None:
        if paths == [Path("/tmp")]:  # noqa: S108 - the image's own file system is read-only
            return f"docker run --tmpfs /tmp ...   # {OTHERS}"
        if self.is_one_off:
            return f"docker run --rm --user 0 ... chown {user} {joined(paths)}   # {OTHERS}"
        return f"docker exec --user 0 {self.container} chown {user} {joined(paths)}"

    def start_database(self, server: Server) -> str | None:
        if not server.is_neighbour:
            return self.name_database(server) or super().start_database(server)
        if not has_docker_dns(Path("/etc/resolv.conf")):
            # A new network: the database may be on several, or on the default one as well.
            name = f"{server.host}-network"
            shared = f"docker network create {name} && docker network connect {name} {server.host}"
            if self.is_one_off:
                return f"{shared} && docker run --network {name} ...   # {OTHERS}"
            return f"{shared} && docker network connect {name} {self.container}"
        return f"docker start {server.host}"

    def restart_database(self, server: Server) -> str | None:
        return f"docker restart {server.host}" if server.is_neighbour else None

    def client(self, server: Server, command: str, *, interactive: bool = False) -> str:
        if not server.is_neighbour:
            return super().client(server, command, interactive=interactive)
        return f"docker exec {'-it ' * interactive}{server.host} {command}"


class Compose(Docker):
    """``service`` is the name in the Compose file."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.description = "a container of Docker Compose"
        self.service = service
        self.execute = "docker compose run --rm" if self.is_one_off else "docker compose exec"

    def manage(self, arguments: str) -> str:
        return f"{self.execute} {self.service} python manage.py {arguments}"

    def set(self, name: str, value: str) -> str:
        up = f"docker compose up --detach {self.service}"
        if name in PASSED_ON:
            return f"echo {name}={value} >> .env && {up}"
        return f"{up}   # after {name}: {value} under environment in docker-compose.yml"

    def unset(self, name: str) -> str:
        return f"unset {name}; docker compose up --detach {self.service}   # and not in .env"

    def make_writable(self, paths: Sequence[Path], user: int) -> str | None:
        return f"{self.execute} --user 0 {self.service} chown {user} {joined(paths)}"

    def start_database(self, server: Server) -> str | None:
        if not server.is_neighbour:
            return self.name_database(server) or super().start_database(server)
        return f"docker compose up --detach {server.host}"

    def restart_database(self, server: Server) -> str | None:
        return f"docker compose restart {server.host}" if server.is_neighbour else None

    def client(self, server: Server, command: str, *, interactive: bool = False) -> str:
        if not server.is_neighbour:
            return super().client(server, command, interactive=interactive)
        # Unlike docker exec, this has a terminal by default.
        return f"docker compose exec {server.host} {command}"


class Kubernetes(Place):
    """A pod; ``release`` is the name of Helm's release if the chart started it."""

    is_container = True

    def __init__(self, release: str = "", values: dict[str, str] | None = None) -> None:
        self.namespace = namespace(Path("/etc/resolv.conf"))
        self.pod = socket.gethostname()
        self.release = release
        self.values = values or {}
        self.kubectl = f"kubectl -n {self.namespace}" if self.namespace else "kubectl"
        deployment = POD_OF_DEPLOYMENT.fullmatch(self.pod)
        self.workload = f"deployment/{deployment[1]}" if deployment else f"pod/{self.pod}"
        self.description = f"a pod{f' of the release {release}' if release else ''}"

    def manage(self, arguments: str) -> str:
        return f"{self.kubectl} exec {self.workload} -- python manage.py {arguments}"

    def set(self, name: str, value: str) -> str:
        if self.release and name in self.values:
            # Helm would end the value at a comma.
            key = self.values[name]
            new = f"'{key}={{{value}}}'" if "," in value else f"{key}={value}"
            return self._upgrade(f"--set {new}")
        if self.workload.startswith("pod/"):
            return f"kubectl run {self.pod} --env={name}={value} ...   # {OTHERS}"
        return f"{self.kubectl} set env {self.workload} {name}={value}"

    def unset(self, name: str) -> str:
        if self.release and name in self.values:
            return self._upgrade(f"--set {self.values[name]}=null")
        if self.workload.startswith("pod/"):
            return f"kubectl run {self.pod} ...   # {OTHERS}, without --env={name}"
        return f"{self.kubectl} set env {self.workload} {name}-"

    def _upgrade(self, values: str) -> str:
        where = f" -n {self.namespace}" if self.namespace else ""
        return f"helm upgrade {self.release} chart{where} --reset-then-reuse-values {values}"

    def make_writable(self, paths: Sequence[Path], user: int) -> str | None:
        return None  # the volume's owner is decided by fsGroup of the pod

    def start_database(self, server: Server) -> str | None:
        if cluster := self._cluster(server):
            return f"{self.kubectl} describe {cluster}"  # CloudNativePG starts its servers
        pod = self._pod(server)
        if not pod and not server.is_neighbour:
            return self.name_database(server)
        if pod or self.release:
            return f"{self.kubectl} scale {self._stateful_set(server)} --replicas=1"
        return f"{self.kubectl} get services,endpointslices,pods"

    def restart_database(self, server: Server) -> str | None:
        if cluster := self._cluster(server):
            now = 'kubectl.kubernetes.io/restartedAt="$(date -Is)"'
            return f"{self.kubectl} annotate --overwrite {cluster} {now}"
        if not self._pod(server) and not server.is_neighbour:
            return None
        return f"{self.kubectl} rollout restart {self._stateful_set(server)}"

    def set_parameter(self, server: Server, name: str, value: int) -> str | None:
        if not self.release or not (self._pod(server) or server.is_neighbour):
            return None
        section = "cloudnativePg" if self._cluster(server) else "postgres"
        return self._upgrade(f"--set {section}.parameters.{name}={value}")

    def client(self, server: Server, command: str, *, interactive: bool = False) -> str:
        pod = self._pod(server)
        if not pod and not server.is_neighbour:
            return super().client(server, command, interactive=interactive)
        host = re.sub("-pooler$", "-rw", server.host)  # the pods of a pooler have no client
        target = pod or f"service/{host}"
        return f"{self.kubectl} exec {'-it ' * interactive}{target} -- {command}"

    def _pod(self, server: Server) -> str:
        """The database's pod, if the host's name in DNS is that of a pod of a StatefulSet."""
        name = re.match(r"([a-z0-9-]+-[0-9]+)\.[a-z0-9-]+\.[a-z0-9-]+\.svc\.", server.canonical)
        return name[1] if name else ""

    def _cluster(self, server: Server) -> str:
        """CloudNativePG's Cluster, if the host is the Service of its primary or its pooler."""
        name = re.fullmatch("([a-z0-9-]+)-(rw|pooler)", server.host)
        return f"clusters.postgresql.cnpg.io/{name[1]}" if name else ""

    def _stateful_set(self, server: Server) -> str:
        """The database's StatefulSet: that of its pod, or the one named as its Service."""
        return f"statefulset/{self._pod(server).rpartition('-')[0] or server.host}"


def joined(paths: Sequence[Path]) -> str:
    return " ".join(shlex.quote(str(path)) for path in paths)


def place_named(name: str, values: dict[str, str] | None = None) -> Place:
    """The place that settings.RUNS_IN names; for an empty name, the one that is recognised.

    ``values`` are the names of the chart's values by variable.
    """
    kind, _, argument = name.partition("/")
    match kind or recognised():
        case "docker":
            return Docker()
        case "compose":
            return Compose(argument)
        case "kubernetes":
            return Kubernetes()
        case "helm":
            return Kubernetes(argument, values)
    return Place()


def recognised() -> str:
    """The kind of this place, by what the kubelet, Docker and Podman leave in their containers."""
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "kubernetes"
    in_container = any(Path(file).exists() for file in ("/.dockerenv", "/run/.containerenv"))
    # Containers for development have a checkout in them.
    return "docker" if in_container and not (ROOT / ".git").exists() else "checkout"


def container_id(mounts: Path) -> str:
    """The first twelve digits of this container's id, or nothing."""
    try:
        found = CONTAINER_ID.search(mounts.read_text())
    except OSError:
        return ""
    return found[1] if found else ""


def is_of_doctor(first_process: Path) -> bool:
    """Whether this container was started for doctor alone, and ends with it."""
    try:
        return b"doctor" in first_process.read_bytes().split(b"\0")
    except OSError:
        return False


def has_docker_dns(resolver: Path) -> bool:
    """Whether names of containers can be resolved here, as on every network but the default."""
    try:
        return "127.0.0.11" in resolver.read_text()
    except OSError:
        return True


def namespace(resolver: Path) -> str:
    """The namespace of this pod, which the kubelet makes the first domain to search, or nothing."""
    try:
        found = re.search(r"(?m)^search (?:\S+ )*?([a-z0-9-]+)\.svc\.", resolver.read_text())
    except OSError:
        return ""
    return found[1] if found else ""
