"""What doctor makes of measurements, and the words in which it names commands."""

import os
import re
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django import db
from django.conf import LazySettings
from django.core import checks

from service.database import READ_ONLY
from service.doctor import (
    clock,
    configuration,
    connection,
    database_state,
    examine,
    registry,
    secret_key,
    server,
    static_files,
    storage,
)
from service.doctor import database as database_checks
from service.doctor.administration import identifier
from service.doctor.connection import HANGS, Address, Failure, explain
from service.doctor.examination import Examination, InvalidVariable
from service.doctor.places import (
    PASSED_ON,
    Place,
    Server,
    container_id,
    has_docker_dns,
    is_of_doctor,
    namespace,
    place_named,
)
from service.doctor.registry import Outcome, Result, error, ok
from service.doctor.report import Status
from service.listening import refusal
from tests.process import ROOT, free_port

pytestmark = pytest.mark.once(on="sqlite")

OK, WARNING, ERROR, SKIPPED = Status.OK, Status.WARNING, Status.ERROR, Status.SKIPPED
LOCAL = Server("localhost", "5432", "lists", "tasklists")
SOCKET = Server("/run/postgresql", "5432", "lists", "tasklists")
NEIGHBOUR = Server("db", "5432", "lists", "tasklists")
REMOTE = Server("db.example.com", "6432", "lists", "tasklists")
ALIAS = Server("db", "5432", "lists", "tasklists", "app-db-st-0.app-db-svc.tasks.svc.cluster.local")
SERVERS = [LOCAL, SOCKET, NEIGHBOUR, REMOTE, ALIAS]


# Documentation


def test_the_page_of_doctor_has_each_check_once_and_in_order() -> None:
    page = (ROOT / "docs/doctor.md").read_text()
    rows = re.findall(r"(?m)^\| `([a-z_]+\.\w+)` \|", page)
    assert rows == [each.id for each in examine.checks()]


def test_ids_of_system_checks_are_those_of_their_page() -> None:
    page = (ROOT / "docs/checks.md").read_text()
    named = set()
    for file in (ROOT / "service/doctor").glob("*.py"):
        named |= set(re.findall(r"service\.[EWI]\d{3}", file.read_text()))
    assert named
    assert all(f"| `{name}` |" in page for name in named)


# Thresholds


@pytest.mark.parametrize(
    ("ahead", "uncertainty", "status"),
    [(0.5, 0, OK), (-1.9, 0, OK), (-3, 0, WARNING), (3, 2, OK), (61, 0, ERROR), (-3600, 1, ERROR)],
)
def test_a_clock(ahead: float, uncertainty: float, status: Status) -> None:
    outcome = clock.judge(ahead, uncertainty)
    assert outcome.status == status
    assert ("ahead of" in outcome.fact) == (ahead > 2 and status != OK)
    assert (outcome.fix is None) == (status == OK)


@pytest.mark.parametrize(
    ("free", "files", "status"),
    [(101, 1, OK), (99, 1, WARNING), (9, 1, ERROR), (1000, 0, ERROR)],
)
def test_the_space_of_a_database(free: int, files: int, status: Status) -> None:
    found = storage.judge(Path("/data"), free * storage.MEGABYTE, files, storage.DATABASE_SPACE)
    assert found.status == status


def test_a_folder_that_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root
    examination = Examination(place_named("docker"))
    data = storage.look_at(examination, Path("/data"), storage.DATABASE_SPACE)
    assert data.fact == f"/data is not writable for user {os.getuid()}"
    assert str(data.fix).endswith(f" chown {os.getuid()} /data")
    temporary = storage.look_at(examination, Path("/tmp"), storage.TEMPORARY_SPACE)
    assert str(temporary.fix).startswith("docker run --tmpfs /tmp ...")


def test_a_file_system_that_does_not_count_files() -> None:
    assert storage.look_at(Examination(Place()), Path("/proc"), (0, 0)).status == OK


@pytest.mark.parametrize(("seconds", "status"), [(0.001, OK), (0.2, WARNING)])
def test_latency(seconds: float, status: Status) -> None:
    assert database_state.judge_latency(seconds).status == status


def test_a_fingerprint_tells_keys_apart_and_nothing_else() -> None:
    one, other = secret_key.fingerprint_of("one"), secret_key.fingerprint_of("other")
    assert one == secret_key.fingerprint_of("one") != other
    assert re.fullmatch("[0-9a-f]{8}", one)


def test_a_file_of_sqlite_that_belongs_to_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    file = tmp_path / "a.sqlite3"
    for name in ("a.sqlite3", "a.sqlite3-wal", "other"):
        (tmp_path / name).touch()
    monkeypatch.setitem(settings.DATABASES, "default", {"NAME": str(file)})
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) == tmp_path)
    message = checks.Error("not writable", id="service.E007")
    assert configuration.fix_of(Place(), message) is None  # it may be a folder of the system
    monkeypatch.chdir(tmp_path)
    fix = configuration.fix_of(Place(), message)
    assert fix == f"sudo chown {os.getuid()} {file} {file}-wal"
    file.unlink()
    file.mkdir()
    assert configuration.fix_of(Place(), message) is None


def test_a_folder_that_the_user_may_not_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Python 3.14, is_dir() raises the error."""

    def is_dir(path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(Path, "is_dir", is_dir)
    assert not configuration.is_folder(Path("/data/lists.sqlite3"))


def test_a_database_of_sqlite_that_refuses_writes(db: None, tmp_path: Path) -> None:
    examination = Examination(Place())
    database = examination.database
    sqlite3.connect(tmp_path / "a.sqlite3").execute("CREATE TABLE a (b)")
    database.wrapper.settings_dict = database.wrapper.settings_dict | {
        "NAME": str(tmp_path / "a.sqlite3")
    }
    database.one("PRAGMA query_only = ON")  # as on a file system that is read-only
    assert database_state.writable(examination) == error(READ_ONLY)
    examination.close()


def test_static_files_that_are_not_collected(settings: LazySettings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    checkout = static_files.collected(Examination(Place()))
    assert checkout.status == WARNING  # runserver does not need them
    assert str(checkout.fix).endswith("manage.py collectstatic --no-input")
    assert static_files.collected(Examination(place_named("docker"))).status == ERROR


# Logins


@pytest.mark.parametrize(
    ("message", "check"),
    [
        ("db, port 5432: Connection refused", "database.port"),
        ("FATAL:  the database system is starting up", "database.port"),
        ("received invalid response to SSL negotiation: H", "database.port"),
        ("FATAL:  sorry, too many clients already", "database.connections"),
        ('FATAL:  password authentication failed for user "x"', "database.password"),
        ('FATAL:  database "x" does not exist', "database.exists"),
        ("server does not support SSL, but SSL was required", "database.tls"),
        ('FATAL:  database "x" is not currently accepting connections', "database.exists"),
        ("FATAL:  no such database: x", "database.exists"),
        ("Ein Fehler, den hier niemand kennt", "database.port"),
    ],
)
def test_a_failed_login_belongs_to_one_check(message: str, check: str) -> None:
    assert explain(db.OperationalError(message)).check == check


def test_a_server_that_is_too_old() -> None:
    failure = explain(db.NotSupportedError("PostgreSQL 14 or later is required (found 12.1)."))
    examination = Examination(Place())
    examination.database.failure = failure
    assert database_state.version(examination) == error(failure.message)
    assert database_state.connections(examination) == ok("the server accepts connections")


def test_tls_that_fails() -> None:
    examination = Examination(Place())
    examination.database.failure = Failure("database.tls", "certificate has expired")
    assert database_checks.tls(examination) == error("TLS fails: certificate has expired")
    assert database_checks.password(examination) == registry.skipped("skipped: needs database.tls")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (None, False),
        (Address("/run", socket.AF_UNIX, "/run/.s.PGSQL.5432"), False),
        (Address("db", socket.AF_INET, ("172.25.0.3", 5432)), False),
        (Address("db", socket.AF_INET6, ("fe80::1%eth0", 5432, 0, 2)), False),
        (Address("db", socket.AF_INET, ("8.8.8.8", 5432)), True),
    ],
)
def test_a_public_address(address: Address | None, public: bool) -> None:
    assert connection.is_public(address) == public


def test_a_way_that_is_not_encrypted() -> None:
    public = Address("db", socket.AF_INET, ("8.8.8.8", 5432))
    outcome = database_checks.unencrypted(Place(), public)
    assert outcome.status == WARNING
    assert "sslmode=require" in str(outcome.fix)
    private = Address("db", socket.AF_INET, ("172.25.0.3", 5432))
    assert database_checks.unencrypted(Place(), private).status == OK


def test_a_server_that_cannot_be_restarted_from_here() -> None:
    examination = Examination(place_named("docker"))
    examination.database.failure = Failure("database.connections", "sorry, too many clients")
    assert database_state.more_connections(examination, "sorry, too many clients already") is None


def test_a_role_with_fewer_connections_than_workers(settings: LazySettings) -> None:
    settings.WEB_CONCURRENCY, settings.THREADS = 2, 4
    examination = Examination(place_named("docker"))
    examination.database.failure = Failure("database.connections", "too many connections")
    fewer = database_state.connections_fix(examination, "role", 4, 0)
    assert "THREADS=1" in str(fewer)
    assert "CONNECTION LIMIT -1" in str(database_state.connections_fix(examination, "role", 3, 0))
    settings.THREADS = 1
    limit = database_state.connections_fix(examination, "database", 9, 0)
    assert "CONNECTION LIMIT -1" in str(limit)


@pytest.mark.parametrize(
    ("place", "host", "fix"),
    [
        ("docker", "db", "-c 'ALTER SYSTEM SET max_connections = 330' && docker restart db"),
        ("helm/lists", "lists-tasklists-postgres", "--set postgres.parameters.max_connections=330"),
        ("helm/lists", "lists-db-rw", "--set cloudnativePg.parameters.max_connections=330"),
        ("helm/lists", "db.example.com", "None"),  # somebody else's
        ("kubernetes", "db", "= 330' && kubectl rollout restart statefulset/db"),
    ],
)
def test_a_server_with_room_for_one_more_replica(
    settings: LazySettings, place: str, host: str, fix: str
) -> None:
    settings.WEB_CONCURRENCY, settings.THREADS = 3, 4
    examination = Examination(place_named(place))
    examination.database.failure = Failure("database.connections", "too many clients")
    wrapper = examination.database.wrapper
    wrapper.settings_dict = wrapper.settings_dict | {"HOST": host, "PORT": ""}
    found = database_state.connections_fix(examination, "server", 1, 300)
    assert str(found).endswith(fix)


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        (HANGS, "docker restart db"),
        ("the database system is starting up", "doctor --wait 60"),
        ("server closed the connection unexpectedly", "doctor --wait 60"),
        ("unsupported startup parameter: options", "-e MIGRATION_DATABASE_URL="),
        ("Ein Fehler, den hier niemand kennt", "None"),
    ],
)
def test_a_database_is_only_restarted_where_it_hangs(message: str, fix: str) -> None:
    examination = Examination(place_named("docker"))
    wrapper = examination.database.wrapper
    wrapper.settings_dict = wrapper.settings_dict | {"HOST": "db", "PORT": ""}
    assert fix in str(database_checks.port_fix(examination, message))


def test_the_usual_port_is_named_as_it_is_typed() -> None:
    there = Server("::1", "5433", "my role", "lists")
    fix = database_checks.name_usual_port(place_named("docker"), there)
    assert "postgresql://my%20role:PASSWORD@[::1]:5432/lists" in fix


def test_a_server_that_answers_at_the_usual_port_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    examination = Examination(place_named("docker"))
    wrapper = examination.database.wrapper
    closed = str(free_port())
    settings = wrapper.settings_dict | {"HOST": "127.0.0.1", "PORT": closed, "USER": "me"}
    wrapper.settings_dict = settings
    with socket.create_server(("127.0.0.1", 0)) as usual:
        number = str(usual.getsockname()[1])
        monkeypatch.setattr(database_checks, "USUAL_PORT", number)
        assert database_checks.host(examination).status == OK
        found = database_checks.port(examination)
    assert found.status == ERROR
    assert f"127.0.0.1:{closed}: Connection refused. But 127.0.0.1:{number} answers" in found.fact
    assert f"@127.0.0.1:{number}/" in str(found.fix)
    wrapper.settings_dict = settings | {"PORT": number}
    assert database_checks.answers_at_the_usual_port(examination.database) is None


def test_an_address_is_shown_as_it_is_typed() -> None:
    assert Address("db", socket.AF_INET6, ("::1", 5432, 0, 0)).shown == "[::1]:5432"


def test_nobody_answers_in_time() -> None:
    """A listener whose queue is full does not accept, as a host behind a firewall does not."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        address = Address("db", socket.AF_INET, listener.getsockname())
        found, refusals = connection.first_answering([address], 0.2)
        for client in waiting:
            client.close()
    assert found is None
    assert refusals == [f"{address.shown}: no answer"]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("lists", "lists"),
        ("My-Lists", '"My-Lists"'),
        ('a"b', '"a""b"'),
        ("café", '"café"'),
        ("user", '"user"'),
    ],
)
def test_a_name_in_sql(name: str, written: str) -> None:
    assert identifier(name) == written


# Running the checks


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers checks in place of doctor's own."""
    monkeypatch.setattr(registry, "registered", [])

    def register(id: str, function: Callable[[], Result], *needs: str, timeout: float = 5) -> None:  # noqa: A002
        registry.check(id, needs=needs, timeout=timeout)(lambda _: function())

    return register


def run() -> dict[str, Outcome]:
    findings = registry.run(registry.registered, Examination(Place()))
    return {each.id: Outcome(each.status, each.fact, each.fix) for each in findings}


def test_the_first_cause_is_named(add: Callable[..., None]) -> None:
    add("a.first", lambda: error("bad", "fix it"))
    add("a.second", lambda: ok("never seen"), "a.first")
    add("b.third", lambda: ok("never seen"), "a.second")
    add("b.fourth", lambda: registry.warning("so so"))
    add("b.fifth", lambda: ok("a warning is no hindrance"), "b.fourth")
    found = run()
    assert found["b.third"] == registry.skipped("skipped: needs a.first")
    assert found["b.fifth"].status == OK


def test_a_check_that_fails_itself(add: Callable[..., None]) -> None:
    def defect() -> Result:
        raise IndexError("list index out of range")

    add("a.defect", defect)
    assert run()["a.defect"] == error(
        "this check failed itself: IndexError: list index out of range"
    )


def test_a_check_that_the_database_ends(add: Callable[..., None]) -> None:
    def lose() -> Result:
        raise db.OperationalError("server closed\nthe connection")

    add("a.lost", lose)
    assert run()["a.lost"] == error("the database ends this check: server closed the connection")


@pytest.fixture
def forever() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_check_that_hangs_ends_in_time(
    add: Callable[..., None], forever: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang() -> Result:
        forever.wait()
        return ok("too late")

    monkeypatch.setattr(registry, "TOTAL_TIMEOUT", 0.3)
    add("a.hangs", hang, timeout=0.1)
    add("a.hangs_too", hang)
    add("a.last", lambda: ok("never seen"))
    found = run()
    assert found["a.hangs"] == error("no answer within 0.1 s")
    assert found["a.hangs_too"].status == ERROR
    assert found["a.last"].status == SKIPPED


def test_without_settings_the_user_is_known() -> None:
    invalid = InvalidVariable("PORT='http' is not accepted", "PORT", secret=False)
    found = {each.id: each for each in examine.run_once(Place(), invalid)}
    assert found["configuration.variables"].fix == "unset PORT"
    assert found["identity.user"].status == OK
    assert found["database.port"].fact == "skipped: needs configuration.variables"


# The port


def test_a_port_of_which_nobody_knows_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(server, "PROC", Path("/nowhere"))
        assert "cannot be seen from here" in server.owner(port)


def test_a_port_that_only_root_may_use(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    denied = PermissionError(13, "Permission denied")
    monkeypatch.setattr(server, "refusal", lambda _, port: denied if port < 1024 else None)
    settings.HOST = ""
    outcome = server.judge(Examination(Place()), "PORT", 80, None)
    assert outcome.fact == "cannot listen on port 80: Permission denied"
    assert outcome.fix == "export PORT=5000   # then start the service again"


def test_an_address_of_ipv6() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        assert refusal("::1", port) is not None
    assert refusal("::1", port) is None


# Places


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def become(hostname: str) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: hostname)
        monkeypatch.setattr("service.doctor.places.namespace", lambda _: "tasks")
        monkeypatch.setattr("service.doctor.places.container_id", lambda _: "")

    return become


# What each place says about the servers of these hosts: how to start them, and how to restart them.
DATABASES: dict[str, list[tuple[str | None, str | None]]] = {
    "checkout": [
        ("sudo systemctl start postgresql", "sudo systemctl restart postgresql"),
        ("sudo systemctl start postgresql", "sudo systemctl restart postgresql"),
        ("pg_isready -h db -p 5432", None),
        ("pg_isready -h db.example.com -p 6432", None),
        ("pg_isready -h db -p 5432", None),
    ],
    "docker": [
        (
            "docker run -e DATABASE_URL=postgresql://lists:PASSWORD@db/tasklists ..."
            "   # with the other options as before",
            None,
        ),
        (None, None),
        ("docker start db", "docker restart db"),
        ("pg_isready -h db.example.com -p 6432", None),
        ("docker start db", "docker restart db"),
    ],
    "compose/app": [
        (
            "docker compose up --detach app   # after DATABASE_URL:"
            " postgresql://lists:PASSWORD@db/tasklists under environment in docker-compose.yml",
            None,
        ),
        (None, None),
        ("docker compose up --detach db", "docker compose restart db"),
        ("pg_isready -h db.example.com -p 6432", None),
        ("docker compose up --detach db", "docker compose restart db"),
    ],
    "kubernetes": [
        (
            "kubectl -n tasks set env deployment/lists-tasklists"
            " DATABASE_URL=postgresql://lists:PASSWORD@db/tasklists",
            None,
        ),
        (None, None),
        (
            "kubectl -n tasks get services,endpointslices,pods",
            "kubectl -n tasks rollout restart statefulset/db",
        ),
        (None, None),
        (
            "kubectl -n tasks scale statefulset/app-db-st --replicas=1",
            "kubectl -n tasks rollout restart statefulset/app-db-st",
        ),
    ],
    "helm/lists": [
        (
            "kubectl -n tasks set env deployment/lists-tasklists"
            " DATABASE_URL=postgresql://lists:PASSWORD@db/tasklists",
            None,
        ),
        (None, None),
        (
            "kubectl -n tasks scale statefulset/db --replicas=1",
            "kubectl -n tasks rollout restart statefulset/db",
        ),
        (None, None),
        (
            "kubectl -n tasks scale statefulset/app-db-st --replicas=1",
            "kubectl -n tasks rollout restart statefulset/app-db-st",
        ),
    ],
}


def test_a_laptop_without_packages_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is then a container's published port, or Homebrew's: reached as any other is."""

    def no_user(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr("pwd.getpwnam", no_user)
    place, server = Place(), SERVERS[0]
    assert place.start_database(server) == "pg_isready -h localhost -p 5432"
    assert place.restart_database(server) is None
    assert place.client(server, "psql") == "psql -h localhost -p 5432"


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.doctor.places.is_packaged_here", lambda: True)


@pytest.mark.parametrize("host", ["lists-db-rw", "lists-db-pooler"])
def test_a_cluster_of_cloudnative_pg_is_not_a_stateful_set(
    host: str, inside: Callable[[str], None]
) -> None:
    """Its operator starts and restarts the servers, and only these have a client."""
    inside("lists-tasklists-6f4c566469-dtz99")
    place, server = place_named("helm/lists", {}), Server(host, "5432", "lists", "tasklists")
    cluster = "clusters.postgresql.cnpg.io/lists-db"
    assert place.start_database(server) == f"kubectl -n tasks describe {cluster}"
    assert place.restart_database(server) == (
        f"kubectl -n tasks annotate --overwrite {cluster}"
        ' kubectl.kubernetes.io/restartedAt="$(date -Is)"'
    )
    assert (
        place.client(server, "psql -U postgres")
        == "kubectl -n tasks exec service/lists-db-rw -- psql -U postgres"
    )


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize("name", DATABASES)
def test_a_server_is_started_in_the_words_of_the_place(
    name: str, inside: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.doctor.places.has_docker_dns", lambda _: True)
    inside("lists-tasklists-6f4c566469-dtz99")
    place = place_named(name, {})
    assert [
        (place.start_database(each), place.restart_database(each)) for each in SERVERS
    ] == DATABASES[name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "checkout",
            [
                "sudo -u postgres psql -p 5432",
                "sudo -u postgres psql -p 5432",
                "psql -h db -p 5432",
                "psql -h db.example.com -p 6432",
                "psql -h db -p 5432",
            ],
        ),
        (
            "docker",
            [
                "psql -h localhost -p 5432",
                "psql -h /run/postgresql -p 5432",
                "docker exec -it db psql",
                "psql -h db.example.com -p 6432",
                "docker exec -it db psql",
            ],
        ),
        (
            "compose/app",
            [
                "psql -h localhost -p 5432",
                "psql -h /run/postgresql -p 5432",
                "docker compose exec db psql",
                "psql -h db.example.com -p 6432",
                "docker compose exec db psql",
            ],
        ),
        (
            "helm/lists",
            [
                "psql -h localhost -p 5432",
                "psql -h /run/postgresql -p 5432",
                "kubectl -n tasks exec -it service/db -- psql",
                "psql -h db.example.com -p 6432",
                "kubectl -n tasks exec -it app-db-st-0 -- psql",
            ],
        ),
    ],
)
@pytest.mark.usefixtures("packaged")
def test_a_client_program_runs_beside_the_server(
    name: str, expected: list[str], inside: Callable[[str], None]
) -> None:
    inside("lists-tasklists-6f4c566469-dtz99")
    place = place_named(name, {})
    assert [place.client(each, "psql", interactive=True) for each in SERVERS] == expected


VALUES = {"THREADS": "config.threads"}


@pytest.mark.parametrize(
    ("name", "host", "expected"),
    [
        (
            "docker",
            "569677cdba30",
            [
                "docker exec 569677cdba30 python manage.py migrate",
                "docker run -e THREADS=1 ...   # with the other options as before",
                "docker run ...   # with the other options as before, without -e THREADS",
                "docker exec --user 0 569677cdba30 chown 10001 /data",
            ],
        ),
        (
            "compose/app",
            "569677cdba30",
            [
                "docker compose exec app python manage.py migrate",
                "docker compose up --detach app"
                "   # after THREADS: 1 under environment in docker-compose.yml",
                "unset THREADS; docker compose up --detach app   # and not in .env",
                "docker compose exec --user 0 app chown 10001 /data",
            ],
        ),
        (
            "kubernetes",
            "app-pod",
            [
                "kubectl -n tasks exec pod/app-pod -- python manage.py migrate",
                "kubectl run app-pod --env=THREADS=1 ...   # with the other options as before",
                "kubectl run app-pod ...   # with the other options as before,"
                " without --env=THREADS",
                None,
            ],
        ),
        (
            "kubernetes",
            "lists-6f4c566469-dtz99",
            [
                "kubectl -n tasks exec deployment/lists -- python manage.py migrate",
                "kubectl -n tasks set env deployment/lists THREADS=1",
                "kubectl -n tasks set env deployment/lists THREADS-",
                None,
            ],
        ),
        (
            "helm/one",
            "one-tasklists-6f4c566469-dtz99",
            [
                "kubectl -n tasks exec deployment/one-tasklists -- python manage.py migrate",
                "helm upgrade one chart -n tasks --reset-then-reuse-values --set config.threads=1",
                "helm upgrade one chart -n tasks --reset-then-reuse-values"
                " --set config.threads=null",
                None,
            ],
        ),
    ],
)
def test_the_service_is_changed_in_the_words_of_the_place(
    name: str, host: str, expected: list[str | None], inside: Callable[[str], None]
) -> None:
    inside(host)
    place = place_named(name, VALUES)
    found = [place.manage("migrate"), place.set("THREADS", "1"), place.unset("THREADS")]
    assert [*found, place.make_writable([Path("/data")], 10001)] == expected


def test_a_container_on_the_default_network_is_connected_to_that_of_the_database(
    monkeypatch: pytest.MonkeyPatch, inside: Callable[[str], None]
) -> None:
    monkeypatch.setattr("service.doctor.places.has_docker_dns", lambda _: False)
    inside("569677cdba30")
    fix = str(place_named("docker").start_database(NEIGHBOUR))
    shared = "docker network create db-network && docker network connect db-network db"
    assert fix == f"{shared} && docker network connect db-network 569677cdba30"


def test_a_container_of_doctor_has_ended_when_its_commands_are_typed(
    monkeypatch: pytest.MonkeyPatch, inside: Callable[[str], None]
) -> None:
    monkeypatch.setattr("service.doctor.places.is_of_doctor", lambda _: True)
    monkeypatch.setattr("service.doctor.places.has_docker_dns", lambda _: False)
    inside("569677cdba30")
    others = "   # with the other options as before"
    docker, compose = place_named("docker"), place_named("compose/app")
    assert [each.manage("migrate") for each in (docker, compose)] == [
        f"docker run --rm ... python manage.py migrate{others}",
        "docker compose run --rm app python manage.py migrate",
    ]
    assert [each.make_writable([Path("/data")], 10001) for each in (docker, compose)] == [
        f"docker run --rm --user 0 ... chown 10001 /data{others}",
        "docker compose run --rm --user 0 app chown 10001 /data",
    ]
    start = str(docker.start_database(NEIGHBOUR))
    assert start.endswith(f" && docker run --network db-network ...{others}")


def test_compose_passes_some_variables_on() -> None:
    place = place_named("compose/app")
    compose = (ROOT / "docker-compose.yml").read_text()
    passed_on = re.findall(r"(?m)^      ([A-Z_]+):$", compose)
    assert tuple(passed_on) == PASSED_ON
    for name in PASSED_ON:
        assert place.set(name, "x") == f"echo {name}=x >> .env && docker compose up --detach app"


def test_helm_takes_several_values_in_braces() -> None:
    place = place_named("helm/one", {"ALLOWED_HOSTS": "config.allowedHosts"})
    fix = place.set("ALLOWED_HOSTS", "localhost,example.com")
    assert fix.endswith(" --set 'config.allowedHosts={localhost,example.com}'")


@pytest.mark.parametrize(
    ("files", "repository", "description"),
    [
        ({"/.dockerenv"}, False, "a container"),
        ({"/run/.containerenv"}, False, "a container"),
        ({"/.dockerenv"}, True, "a checkout"),  # in a container for development
        (set(), False, "a checkout"),
    ],
)
def test_a_place_is_recognised(
    files: set[str],
    repository: bool,
    description: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("service.doctor.places.ROOT", tmp_path)
    if repository:
        (tmp_path / ".git").mkdir()
    exists = Path.exists
    markers = {"/.dockerenv", "/run/.containerenv"}
    monkeypatch.setattr(
        Path, "exists", lambda path: str(path) in files if str(path) in markers else exists(path)
    )
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert place_named("").description == description


def test_a_pod_is_recognised(
    monkeypatch: pytest.MonkeyPatch, inside: Callable[[str], None]
) -> None:
    inside("app-pod")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    assert place_named("").description == "a pod"
    assert place_named("checkout").description == "a checkout"


def test_a_pod_names_its_release_and_may_have_no_namespace(
    monkeypatch: pytest.MonkeyPatch, inside: Callable[[str], None]
) -> None:
    inside("one-tasklists-6f4c566469-dtz99")
    assert place_named("helm/one").description == "a pod of the release one"
    assert place_named("kubernetes").description == "a pod"
    monkeypatch.setattr("service.doctor.places.namespace", lambda _: "")
    place = place_named("helm/one", VALUES)
    assert place.manage("migrate").startswith("kubectl exec deployment/one-tasklists ")
    assert place.set("THREADS", "1").startswith("helm upgrade one chart --reset")


def test_what_is_read_about_a_container(tmp_path: Path) -> None:
    file, none = tmp_path / "file", tmp_path / "none"
    file.write_text(
        "612 / /var/lib/docker/containers/" + "569677cdba30" + "a" * 52 + "/hostname /etc/hostname"
    )
    assert container_id(file) == "569677cdba30"
    file.write_text("search tasks.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\n")
    assert namespace(file) == "tasks"
    assert not has_docker_dns(file)
    file.write_text("nameserver 127.0.0.11\n")
    assert namespace(file) == container_id(file) == ""
    assert has_docker_dns(file)
    assert (container_id(none), namespace(none), has_docker_dns(none)) == ("", "", True)
    file.write_text("python\0manage.py\0doctor\0--json\0")
    assert is_of_doctor(file)
    file.write_text("python\0manage.py\0serve\0")
    assert not is_of_doctor(file)
    assert not is_of_doctor(none)


def test_python_outside_of_the_folder_is_named_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Place().manage("migrate") == f"{sys.executable} manage.py migrate"
