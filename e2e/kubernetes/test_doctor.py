"""chart/doctor, and its commands: each question of docs/no-answer.md, answered wrong for real."""

import http.server
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from e2e.kubernetes.cluster import Namespace, eventually, folder, new_namespace, nodes, run
from e2e.kubernetes.release import CHART, SMALL, Release, Values, free_port, merge

RUN = ("run", "app-pod", "--image=app:latest", "--port=5000", "--image-pull-policy=Never")


class Report(NamedTuple):
    """What the doctor printed, and how it ended."""

    code: int
    text: str

    def fact(self, question: str) -> str:
        [line] = [each for each in self.text.splitlines() if each[2:].startswith(f"{question} ")]
        return line

    def commands(self) -> list[str]:
        lines = [line.strip() for line in self.text.splitlines()]
        return [line[6:] for line in lines if line.startswith(("type: ", "or:   "))]


def doctor(*arguments: str, **variables: str) -> Report:
    done = subprocess.run(
        ["chart/doctor", *arguments],
        cwd=CHART.parent,
        env=os.environ | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return Report(done.returncode, done.stdout)


def type_command(command: str) -> str:
    """Type one of the doctor's commands in the project's folder."""
    shell = ["bash", "-c", f"cd {CHART.parent} && {command}"]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


class Patient:
    """A namespace with the course's pod and Service, of which a test breaks something."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.port = free_port()

    def kubectl(self, *arguments: str) -> str:
        return self.namespace.kubectl(*arguments)

    def run(self, *options: str) -> None:
        self.kubectl(*RUN, *options)

    def serve(self, target: str = "5000", selector: str = "run=app-pod") -> None:
        self.kubectl("create", "service", "loadbalancer", "lb-svc", f"--tcp={self.port}:{target}")
        self.kubectl("set", "selector", "service", "lb-svc", selector)

    def ready(self) -> None:
        self.kubectl("wait", "--for=condition=Ready", "pod/app-pod", "--timeout=60s")
        # There is no readiness probe, as in the course: ask until it listens.
        path = f"/api/v1/namespaces/{self.namespace.name}/pods/app-pod:5000/proxy/health/live"
        eventually(lambda: run("kubectl", "get", f"--raw={path}"), "the pod answers")

    def doctor(self, *arguments: str, **variables: str) -> Report:
        return doctor("-n", self.namespace.name, *arguments, **variables)

    def sees(self, question: str, *words: str) -> Report:
        """The report, once it says the words about the question and that the way is broken there."""
        found: list[Report] = []

        def said() -> bool:
            found[:] = [self.doctor()]
            fact = found[0].fact(question)
            return fact.startswith("✗") and all(word in fact for word in words)

        try:
            eventually(said, f"{question}: {words}", seconds=90)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{found[0].text}") from error
        assert found[0].code == 2
        assert f"broken at: {question}." in found[0].text
        return found[0]

    def is_well(self) -> Report:
        eventually(lambda: self.doctor().code < 2, "the doctor finds nothing broken", seconds=90)
        return self.doctor()


@pytest.fixture
def patient() -> Iterator[Patient]:
    with new_namespace("doctor", level="baseline") as namespace:
        yield Patient(namespace)


def test_nothing_is_wrong(patient: Patient) -> None:
    patient.run()
    patient.serve()
    patient.ready()
    report = patient.is_well()
    assert report.code == 0, report.text
    assert "lb-svc in namespace" in report.fact("service")
    assert "(the only LoadBalancer)" in report.fact("service")
    assert "answered by app-pod" in report.fact("port")
    [command] = [line.split("more: ")[1] for line in report.text.splitlines() if "more: " in line]
    assert command.endswith("exec app-pod -- python manage.py doctor")


def test_no_kubectl(tmp_path: Path) -> None:
    for tool in ("bash", "env", "sed", "tr", "cut"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    report = doctor(PATH=str(tmp_path))
    assert (report.code, report.fact("cluster")[2:]) == (2, "cluster    kubectl is not installed")


def test_no_cluster(tmp_path: Path) -> None:
    report = doctor(KUBECONFIG=str(tmp_path / "none"))
    assert report.code == 2
    assert "no cluster answers: The connection to the server" in report.fact("cluster")
    assert "skipped: needs cluster" in report.fact("answer")


def test_make_runs_it(patient: Patient) -> None:
    command = ["make", "doctor", f"NAMESPACE={patient.namespace.name}", "SERVICE=none"]
    done = subprocess.run(
        command, cwd=CHART.parent, capture_output=True, text=True, timeout=60, check=False
    )
    assert "has no Service none" in done.stdout


def test_another_service_is_named(patient: Patient) -> None:
    patient.run()
    patient.serve()
    patient.ready()
    report = patient.doctor("lb-scv")
    assert report.fact("service").endswith("has no Service lb-scv; there are: lb-svc")
    assert "✓ labels" in type_command(report.commands()[0])


def test_the_primary_of_a_cluster(patient: Patient) -> None:
    """CloudNativePG labels its primary. A wrong selector is not what is the matter."""
    selector = "cnpg.io/cluster=lists-db,cnpg.io/instanceRole=primary"
    patient.kubectl("create", "service", "clusterip", "lists-db-rw", "--tcp=5432")
    patient.kubectl("set", "selector", "service", "lists-db-rw", selector)
    report = patient.doctor("lists-db-rw")
    assert f"{selector} of Service lists-db-rw matches no pod" in report.fact("labels")
    assert report.commands()[0].endswith(" describe clusters.postgresql.cnpg.io")

    patient.run(f"--labels={selector}")
    patient.kubectl("wait", "--for=condition=Ready", "pod/app-pod", "--timeout=60s")
    assert "manage.py doctor" not in patient.doctor("lists-db-rw").text


@pytest.mark.usefixtures("no_page")
def test_no_service(patient: Patient) -> None:
    patient.run()
    patient.ready()
    report = patient.sees("service", "has no Service")
    type_command(report.commands()[0])
    assert patient.is_well().code == 0


def test_a_selector_that_matches_nothing(patient: Patient) -> None:
    patient.run()
    patient.serve(selector="run=app")
    patient.ready()
    report = patient.sees("labels", "run=app of Service lb-svc matches no pod")
    assert "the pod app-pod has run=app-pod" in report.text
    type_command(report.commands()[0])
    assert patient.is_well().code == 0


def test_no_pod_at_all(patient: Patient) -> None:
    patient.serve()
    report = patient.sees("labels", "run=app-pod of Service lb-svc matches no pod")
    assert "has no pod that runs" in report.text


def test_the_pod_of_the_database_is_the_last_choice(patient: Patient) -> None:
    patient.kubectl("run", "app-db-st-0", "--image=postgres:17", "--image-pull-policy=Never")
    patient.run()
    patient.serve(selector="app=app")
    assert "the pod app-pod has" in patient.sees("labels", "app=app").text


def test_a_user_without_rights(patient: Patient, tmp_path: Path) -> None:
    """Nothing is found because nobody may look, which is no mistake."""
    patient.run()
    patient.serve()
    patient.ready()
    patient.kubectl("create", "serviceaccount", "weak")
    name = f"system:serviceaccount:{patient.namespace.name}:weak"
    variables = {"KUBECONFIG": str(user_with_token(patient, "weak", tmp_path))}
    report = patient.doctor(**variables)
    assert "✗" not in report.text
    assert "needs the right to list services" in report.fact("rights")
    [command] = report.commands()
    assert f"--user={name}" in command
    type_command(command)
    assert patient.doctor(**variables).code == 0


def user_with_token(patient: Patient, account: str, folder: Path) -> Path:
    """A configuration of kubectl in which a service account is the user."""
    token = patient.kubectl("create", "token", account)
    file = folder / "config"
    file.write_text(run("kubectl", "config", "view", "--raw", "--minify", "--flatten"))
    change = ("kubectl", "config", f"--kubeconfig={file}")
    run(*change, "set-credentials", account, f"--token={token.strip()}")
    run(*change, "set-context", "--current", f"--user={account}")
    return file


def test_arguments_are_those_of_kubectl() -> None:
    for arguments in (
        ("name", "-n", "tasklists-nowhere"),
        ("svc/name", "--namespace=tasklists-nowhere"),
        ("--namespace", "tasklists-nowhere", "service/name"),
    ):
        assert "no namespace tasklists-nowhere" in doctor(*arguments).fact("service")


@pytest.mark.parametrize("arguments", ["-x", "-n", "one two"])
def test_arguments_that_mean_nothing(arguments: str) -> None:
    done = subprocess.run(
        ["chart/doctor", *arguments.split()],
        cwd=CHART.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "chart/doctor [-n NAMESPACE] [SERVICE]" in done.stderr


def test_a_namespace_that_does_not_exist() -> None:
    report = doctor("-n", "tasklists-nowhere")
    assert "there is no namespace tasklists-nowhere" in report.fact("service")
    assert report.code == 2


def test_of_several_ports_the_one_for_http(patient: Patient) -> None:
    patient.run()
    ports = ["--tcp=9000:9000", f"--tcp={patient.port}:5000"]
    patient.kubectl("create", "service", "clusterip", "lb-svc", *ports)
    patient.kubectl("set", "selector", "service", "lb-svc", "run=app-pod")
    patient.ready()
    assert patient.is_well().code == 0
    report = patient.doctor("lb-svc")
    assert f"port {patient.port}" in report.fact("service")
    assert '{"status": "ok"}' in report.fact("answer")


def test_a_service_inside_the_cluster_whose_database_is_gone(patient: Patient) -> None:
    """Ready pods without a readiness probe, as the course has them, may answer 503."""
    patient.run("--env=DATABASE_URL=sqlite:////tmp/lists.sqlite3")
    patient.kubectl("create", "service", "clusterip", "lb-svc", f"--tcp={patient.port}:5000")
    patient.kubectl("set", "selector", "service", "lb-svc", "run=app-pod")
    patient.ready()
    removal = "rm /tmp/lists.sqlite3* && mkdir /tmp/lists.sqlite3"
    patient.kubectl("exec", "app-pod", "--", "sh", "-c", removal)
    report = patient.sees("answer", "/health/ready", "503")
    assert report.commands()[-1].endswith("exec app-pod -- python manage.py doctor")


def test_a_service_without_a_port(patient: Patient) -> None:
    patient.kubectl("create", "service", "clusterip", "names", "--clusterip=None")
    report = patient.doctor("names")
    assert "no port" in report.fact("service")
    assert "✗" not in report.text


def test_endpoints_that_somebody_has_set(patient: Patient) -> None:
    name = "elsewhere"
    patient.namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"ports": [{"port": 5432}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"port": 5432}],
            "endpoints": [{"addresses": ["10.1.2.3"], "conditions": {"ready": True}}],
        },
    )
    report = patient.doctor(name)
    assert "10.1.2.3, port 5432" in report.fact("endpoints")
    assert "✗" not in report.text


def test_a_pod_that_has_ended_beside_one_that_runs(patient: Patient) -> None:
    patient.run()
    ended = ("--labels=run=app-pod", "--restart=Never", "--command", "--", "false")
    patient.kubectl("run", "app-old", *RUN[2:], *ended)
    patient.serve()
    patient.ready()
    phase = "--for=jsonpath={.status.phase}=Failed"
    patient.kubectl("wait", phase, "pod/app-old", "--timeout=60s")
    report = patient.is_well()
    assert report.code == 0, report.text
    assert "matches 1 pod: app-pod" in report.fact("labels")


def test_an_image_that_the_node_lacks(patient: Patient) -> None:
    patient.run("--image=app:nowhere")
    patient.serve()
    report = patient.sees("pod", "ErrImageNeverPull", "app:nowhere")
    type_command(report.commands()[0])
    assert patient.is_well().code < 2


def test_an_image_that_a_registry_lacks(patient: Patient) -> None:
    patient.run("--image-pull-policy=Always")
    patient.serve()
    report = patient.sees("pod", "Pull", "the image app:latest is not on its node")
    type_command(report.commands()[0])
    assert patient.is_well().code == 0


def test_a_missing_secret(patient: Patient) -> None:
    patient.namespace.apply(
        pod({"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "x"}}}]})
    )
    patient.serve()
    report = patient.sees("pod", "CreateContainerConfigError", 'secret "mine" not found')
    assert "create secret generic mine --from-literal=x=VALUE" in report.commands()[0]
    type_command(report.commands()[0])
    assert patient.is_well().code == 0


def test_a_container_that_ends(patient: Patient) -> None:
    patient.run("--env=PORT=http")
    patient.serve()
    report = patient.sees("log", "exit code 1", "PORT='http' is not accepted")
    assert "PORT='http' is not accepted" in type_command(report.commands()[0])


def test_a_pod_that_is_not_ready(patient: Patient) -> None:
    probe = {"httpGet": {"path": "/health/ready", "port": 5000}, "periodSeconds": 1}
    url = {"name": "DATABASE_URL", "value": "postgresql://postgres@db/tasklists"}
    migrate = {"name": "MIGRATE", "value": "never"}
    patient.namespace.apply(pod({"readinessProbe": probe, "env": [url, migrate]}))
    patient.serve()
    report = patient.sees("log", "/health/ready says", "The database is unavailable")
    assert "has no Service" not in report.text
    assert f"no Service of namespace {patient.namespace.name} is called db" in report.text


@pytest.mark.parametrize("target", ["5001", "http"])
def test_a_target_port_on_which_nothing_listens(patient: Patient, target: str) -> None:
    patient.run()
    patient.serve(target)
    patient.ready()
    report = patient.sees("endpoints", f"targetPort {target}", "app-pod")
    type_command(report.commands()[0])
    assert patient.is_well().code == 0


def test_a_port_that_another_service_has(patient: Patient) -> None:
    patient.kubectl("create", "service", "loadbalancer", "other", f"--tcp={patient.port}:5000")
    eventually(lambda: "localhost" in patient.kubectl("get", "service", "other"), "it has the port")
    patient.run()
    patient.serve()
    patient.ready()
    words = f"Service other in namespace {patient.namespace.name} has port {patient.port}"
    report = patient.sees("port", "EXTERNAL-IP of lb-svc is pending", words)
    type_command(report.commands()[0])
    assert patient.is_well().code == 0


def test_a_port_that_another_program_has(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", patient.port)):
        patient.run()
        patient.serve()
        patient.ready()
        report = patient.sees("port", f"port {patient.port} is taken by python")
        type_command(report.commands()[0])
        assert patient.is_well().code == 0


def test_a_port_that_a_container_has(patient: Patient) -> None:
    name = patient.namespace.name
    publish = f"--publish=127.0.0.1:{patient.port}:5000"
    run("docker", "run", "--detach", "--rm", f"--name={name}", publish, "app:latest")
    try:
        patient.run()
        patient.serve()
        patient.ready()
        report = patient.sees("port", f"port {patient.port} is taken by the container {name}")
        assert report.commands()[0] == f"docker stop {name}"
        type_command(report.commands()[1])
        assert patient.is_well().code == 0
    finally:
        run("docker", "rm", "--force", "--volumes", name)


def test_another_program_that_answers(patient: Patient, tmp_path: Path) -> None:
    """As where a program has the port at another address of localhost, which curl asks first."""
    patient.run()
    patient.serve()
    patient.ready()
    assert patient.is_well().code == 0
    with other_program() as port:
        (tmp_path / ".curlrc").write_text(
            f"connect-to = localhost:{patient.port}:127.0.0.1:{port}\n"
        )
        report = patient.doctor(CURL_HOME=str(tmp_path))
        assert f"another program answers at localhost:{patient.port}" in report.fact("port")
        type_command(report.commands()[0])
        patient.is_well()
        assert patient.doctor(CURL_HOME=str(tmp_path)).code == 0


@contextmanager
def other_program() -> Iterator[int]:
    """A web server of somebody else's; its port."""
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_host_name_that_the_service_refuses(patient: Patient) -> None:
    patient.run("--env=ALLOWED_HOSTS=lists.example.com")
    patient.serve()
    patient.ready()
    report = patient.sees("answer", "400", "Invalid Host header")
    assert type_command(report.commands()[0]) == "[]"


def test_a_claim_without_a_volume(patient: Patient) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "nowhere",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    patient.namespace.apply(claim, pod({}, {"claimName": "data"}))
    patient.serve()
    report = patient.sees("pod", "the claim data is Pending", '"nowhere" not found')
    type_command(report.commands()[0])
    delete = report.commands()[1]
    patient.kubectl("delete", "pod", "app-pod", "--now")
    type_command(delete)
    patient.namespace.apply(pod({}, {"claimName": "data"}))
    patient.sees("pod", "the claim data does not exist")


def test_a_pod_that_fits_no_node(patient: Patient) -> None:
    patient.namespace.apply(pod({"resources": {"requests": {"cpu": "1000"}}}))
    patient.serve()
    patient.sees("pod", "Pending (Unschedulable)", "Insufficient cpu")


def pod(container: Values, claim: Values | None = None) -> Values:
    """The course's pod with a changed container, and a claim as a volume."""
    image = {"name": "app-pod", "image": "app:latest", "imagePullPolicy": "Never"}
    spec: Values = {"containers": [{**image, "ports": [{"containerPort": 5000}], **container}]}
    if claim:
        spec["volumes"] = [{"name": "claim", "persistentVolumeClaim": claim}]
    metadata = {"name": "app-pod", "labels": {"run": "app-pod"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


class TestTheChart:
    """The doctor knows the chart's objects."""

    @pytest.fixture
    def release(self, namespace: Namespace) -> Iterator[Release]:
        release = Release(namespace)
        try:
            yield release
        finally:
            release.helm("uninstall", release.name, "--ignore-not-found", "--wait")
            release.namespace.kubectl("delete", "secrets,persistentvolumeclaims", "--all")

    def test_from_the_application_to_its_database(self, release: Release) -> None:
        patient = Patient(release.namespace)
        release.install(SMALL)
        release.client()
        assert patient.is_well().code == 0

        namespace = release.namespace
        namespace.kubectl("scale", "statefulset", "--all", "--replicas=0")
        namespace.kubectl("delete", "pod", release.selector("app"), "--now")
        report = patient.sees("log", "init container migrate", "waiting for the database")
        second = subprocess.run(
            ["bash", "-c", report.commands()[0]],
            cwd=CHART.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "is scaled to 0" in second.stdout
        type_command(Report(second.returncode, second.stdout).commands()[0])
        assert patient.is_well().code < 2

    def test_a_pod_that_never_becomes_ready_beside_one_that_is(self, release: Release) -> None:
        patient = Patient(release.namespace)
        sqlite: Values = merge(SMALL, {"database": {"mode": "sqlite"}})
        release.install(sqlite)
        release.client()
        release.upgrade(sqlite, {"image": {"tag": "nowhere", "pullPolicy": "Never"}}, options=())
        eventually(lambda: len(release.pods()) == 2, "the new pod is there")
        eventually(lambda: "ErrImageNeverPull" in patient.doctor().text, "the doctor warns")
        report = patient.doctor()
        assert report.code == 1
        assert report.fact("pod").startswith("! ")
        assert report.fact("answer").endswith("GET /lists: 200")
        type_command(report.commands()[0])
        eventually(lambda: patient.doctor().code == 0, "nothing is wrong")

    def test_a_secret_that_is_mounted(self, release: Release) -> None:
        external = {"database": {"mode": "external"}, "external": {"existingSecret": "nowhere"}}
        release.install(SMALL, external, options=())
        report = Patient(release.namespace).sees("pod", 'secret "nowhere" not found')
        assert "create secret generic nowhere --from-literal=uri=VALUE" in report.commands()[0]
        type_command(report.commands()[0])
        Patient(release.namespace).sees("log")  # the VALUE is no URL

    def test_a_volume_of_another_node(self, release: Release) -> None:
        patient = Patient(release.namespace)
        node = nodes()[0]
        with folder(node) as path:
            static = {"type": "local", "path": path, "nodes": ["nowhere"]}
            values = {"postgres": {"persistence": {"staticVolume": static}}}
            release.install(SMALL, values, options=())
            database = release.one("service", "postgres")
            eventually(
                lambda: "is for the node nowhere" in patient.doctor(database).fact("pod"),
                "the doctor names the node",
            )
            type_command(patient.doctor(database).commands()[0])
            static["nodes"] = [node]
            release.upgrade(SMALL, values)
            assert patient.is_well().code < 2
            release.uninstall()
            volume = f"persistentvolume/{release.namespace.name}-tasklists-postgres"
            run("kubectl", "delete", volume, "--wait=false")
