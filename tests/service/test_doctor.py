"""``manage.py doctor`` finds each cause, and nothing else that follows from it."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connection

from service.doctor.report import Finding, Status, as_text
from service.listening import refusal
from tests.load import eventually
from tests.pooler import PgBouncer
from tests.postgresql import DebianPostgreSQL, PostgreSQL, Standby
from tests.process import ROOT, Service, environment, free_port, manage, sqlite_url

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")
once = pytest.mark.once(on="sqlite")

KEY = "k" * 25 + "0123456789abcdefghijklmnopqrstuv"
PASSWORD = "hunter2"


class Report:
    """What ``manage.py doctor --json`` has found, by id."""

    def __init__(self, result: subprocess.CompletedProcess[str]) -> None:
        assert "Traceback" not in result.stderr, result.stderr
        assert PASSWORD not in result.stdout + result.stderr
        self.code = result.returncode
        document = json.loads(result.stdout)
        self.status = document["status"]
        self.checks = {each["id"]: each for each in document["checks"]}
        assert len(self.checks) == len(document["checks"])

    def ids(self, status: str) -> list[str]:
        return [name for name, each in self.checks.items() if each["status"] == status]

    def is_past(self, name: str) -> bool:
        """Whether that check is well; a role that a test has made may lack rights after it."""
        return bool(self.checks[name]["status"] == "ok")

    def only_error(self, name: str) -> dict[str, Any]:
        """The check that failed: one cause is one error."""
        assert self.ids("error") == [name], self.checks
        assert (self.status, self.code) == ("error", 2)
        found: dict[str, Any] = self.checks[name]
        return found


def doctor(*arguments: str, **variables: str) -> Report:
    return Report(manage("doctor", "--json", *arguments, **with_port(variables)))


def with_port(variables: dict[str, str]) -> dict[str, str]:
    return {"PORT": str(free_port()), "RUNS_IN": "checkout"} | variables


@pytest.fixture
def migrated_url(database_url: str) -> str:
    assert manage("migrate", DATABASE_URL=database_url).returncode == 0
    return database_url


def role_url(url: str, role: str) -> str:
    """The URL with another role, whose password is PASSWORD."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{PASSWORD}@{host}").geturl()


@contextmanager
def sql(url: str) -> Iterator[Callable[..., list[Any]]]:
    with closing(psycopg2.connect(url)) as server:
        server.autocommit = True

        def execute(statement: str) -> list[Any]:
            with server.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

        yield execute


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as postgresql:
        yield postgresql


# Nothing is wrong


def test_all_is_well(migrated_url: str) -> None:
    report = doctor(DATABASE_URL=migrated_url, SECRET_KEY=KEY)
    warnings = ["database.role"] if connection.vendor == "postgresql" else []
    assert report.ids("error") == []
    assert report.ids("warning") == warnings  # the role of the tests is a superuser
    assert report.ids("skipped") == []
    assert report.code == len(warnings)
    assert all(each["fix"] is None for each in report.checks.values())
    assert "is free" in report.checks["server.port"]["fact"]


def test_it_changes_nothing(database_url: str, migrated_url: str, tmp_path: Path) -> None:
    def state() -> Any:
        files = sorted((file.name, file.stat().st_mtime_ns) for file in tmp_path.iterdir())
        if connection.vendor == "sqlite":
            return files
        with sql(migrated_url) as execute:
            return execute(
                "SELECT relname, n_tup_ins, n_tup_upd FROM pg_stat_user_tables ORDER BY relname"
            )

    before = state()
    assert doctor(DATABASE_URL=migrated_url).ids("error") == []
    assert state() == before


@once
def test_a_missing_file_stays_missing(tmp_path: Path) -> None:
    report = doctor(DATABASE_URL=sqlite_url(tmp_path / "new.sqlite3"))
    assert report.ids("error") == []
    assert report.checks["database.file"]["status"] == "skipped"
    assert "database.file" in report.checks["migrations.applied"]["fact"]
    assert list(tmp_path.iterdir()) == []


@once
def test_the_text_is_one_line_for_each_check(tmp_path: Path) -> None:
    variables = with_port({"DATABASE_URL": sqlite_url(tmp_path / "new.sqlite3")})
    text = manage("doctor", **variables).stdout
    ids = list(doctor(**variables).checks)
    assert [line.split()[1] for line in text.splitlines()[: len(ids)]] == ids
    assert text.startswith("✓ configuration.variables")
    assert text.endswith("\nNothing is wrong.\n")


@once
def test_a_terminal_that_knows_ascii_alone(tmp_path: Path) -> None:
    variables = with_port({"PORT": "http", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    result = manage("doctor", **variables)
    assert result.stdout.startswith("x configuration.variables")
    assert result.returncode == 2


def test_the_summary_counts() -> None:
    findings = [
        Finding("a.b", "a", Status.ERROR, "bad: ü", "do it"),
        Finding("a.long", "a", Status.ERROR, "bad"),
        Finding("b", "b", Status.WARNING, "so so"),
    ]
    assert as_text(findings, "ascii").splitlines() == [
        "x a.b     bad: \\xfc",
        "          fix: do it",
        "x a.long  bad",
        "! b       so so",
        "",
        "2 errors, 1 warning. docs/doctor.md explains each check.",
    ]


# Configuration


@once
@pytest.mark.parametrize("arguments", [(), ("--wait", "60")])
def test_a_variable_that_stops_every_other_command(arguments: tuple[str, ...]) -> None:
    start = time.monotonic()
    report = doctor(*arguments, PORT="http")
    assert time.monotonic() - start < 30  # it does not wait: the variable stays as it is
    found = report.only_error("configuration.variables")
    assert found["fact"] == manage("check", PORT="http").stderr.strip()
    assert found["fix"] == "unset PORT"
    assert "configuration.variables" in report.checks["database.host"]["fact"]
    assert report.checks["storage.tmp"]["status"] == "ok"


@once
def test_a_secret_that_cannot_be_read_is_not_shown() -> None:
    report = doctor(DATABASE_URL=f"mysql://root:{PASSWORD}@db/tasklists")
    assert report.only_error("configuration.variables")["fix"] is None


@once
def test_the_place_itself_cannot_be_read() -> None:
    report = doctor(RUNS_IN="elsewhere")
    assert "RUNS_IN='elsewhere'" in report.only_error("configuration.variables")["fact"]


@once
def test_a_system_check_is_reported_under_its_own_id(tmp_path: Path) -> None:
    report = doctor(DATABASE_URL=sqlite_url(tmp_path / "none" / "db.sqlite3"))
    found = report.only_error("service.E006")
    assert found["group"] == "configuration"
    assert found["fix"] == f"mkdir -p {tmp_path / 'none'}"
    subprocess.run(["sh", "-c", found["fix"]], check=True)
    again = doctor(DATABASE_URL=sqlite_url(tmp_path / "none" / "db.sqlite3"))
    assert again.ids("error") == []


@once
def test_a_container_is_checked_as_for_production(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "new.sqlite3")
    variables = {"DATABASE_URL": url, "DEBUG": "true", "ALLOWED_HOSTS": "*"}
    assert doctor(**variables).ids("warning") == ["service.E009"]
    container = doctor(RUNS_IN="docker", **variables)
    assert container.only_error("service.E009")
    assert {"service.W002", "service.W003"} <= set(container.ids("warning"))


@once
@pytest.mark.parametrize(
    ("place", "fix"),
    [
        ("checkout", "export TRUST_PROXY_HEADERS=true"),
        ("docker", "docker run -e TRUST_PROXY_HEADERS=true"),
        ("compose/app", "docker compose up --detach app   # after TRUST_PROXY_HEADERS: true"),
        ("helm/lists", "helm upgrade lists chart"),
    ],
)
def test_a_fix_is_in_the_words_of_the_place(place: str, fix: str) -> None:
    report = doctor(RUNS_IN=place, HTTPS_ONLY="true", SECRET_KEY=KEY)
    assert report.checks["service.E004"]["fix"].startswith(fix)


# The port


@once
def test_the_port_belongs_to_another_program() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = doctor(PORT=str(port)).only_error("server.port")
    assert f"process {os.getpid()} (" in found["fact"]
    free = re.fullmatch(r"export PORT=(\d+)   # then start the service again", found["fix"])
    assert free is not None
    assert doctor(PORT=free[1]).ids("error") == []


@once
def test_the_port_belongs_to_a_program_that_speaks_http(tmp_path: Path) -> None:
    port = str(free_port())
    command = [sys.executable, "-m", "http.server", port]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as other:
        try:
            eventually(lambda: is_taken(int(port)), "the program to listen")
            fact = doctor(PORT=port).only_error("server.port")["fact"]
        finally:
            other.terminate()
    assert "http.server" in fact
    assert "answers 404" in fact


def is_taken(port: int) -> bool:
    return refusal("", port) is not None


@once
def test_an_address_of_another_machine() -> None:
    found = doctor(HOST="192.0.2.1").only_error("server.port")
    assert "192.0.2.1: Cannot assign" in found["fact"]
    assert found["fix"] == "unset HOST"


def test_the_service_itself_has_the_port(serve: Callable[..., Service], database_url: str) -> None:
    metrics = str(free_port())
    service = serve(METRICS_PORT=metrics)
    report = doctor(
        DATABASE_URL=database_url, PORT=str(service.port), METRICS_PORT=metrics, SECRET_KEY=KEY
    )
    assert report.ids("error") == []
    assert "the service answers" in report.checks["server.port"]["fact"]
    assert "the metrics are" in report.checks["server.metrics_port"]["fact"]


@once
def test_the_metrics_on_the_port_of_the_service() -> None:
    port = str(free_port())
    found = doctor(PORT=port, METRICS_PORT=port).only_error("service.E014")
    assert found["fix"] == "unset METRICS_PORT"


@once
def test_the_metrics_have_no_port(tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as other:
        port = str(other.getsockname()[1])
        found = doctor(METRICS_PORT=port).only_error("server.metrics_port")
    assert found["fix"].startswith("export METRICS_PORT=")


# PostgreSQL


@on_postgresql
def test_a_host_that_does_not_exist() -> None:
    url = f"postgresql://me:{PASSWORD}@nowhere.invalid/tasklists"
    found = doctor(DATABASE_URL=url).only_error("database.host")
    assert "nowhere.invalid" in found["fact"]


@on_postgresql
def test_a_server_that_is_stopped(server: PostgreSQL) -> None:
    server.stop()
    try:
        socket_fact = doctor(DATABASE_URL=server.url).only_error("database.port")["fact"]
        tcp = doctor(DATABASE_URL=f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/tasklists")
    finally:
        server.start()
    assert "nobody answers" in socket_fact
    assert "itself" not in socket_fact
    assert "Connection refused" in tcp.only_error("database.port")["fact"]


@on_postgresql
def test_a_server_that_shuts_down() -> None:
    with PostgreSQL() as ending:
        with closing(psycopg2.connect(ending.url)) as session:  # for which it waits
            os.kill(ending.server.get_pid(), signal.SIGTERM)
            eventually(lambda: refused(ending.url), "the server to refuse logins")
            found = doctor(DATABASE_URL=ending.url).only_error("database.port")
            assert not session.closed
        ending.stop()
    assert "shutting down" in found["fact"]
    assert found["fix"].endswith("manage.py doctor --wait 60")


def refused(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return True
    return False


@on_postgresql
def test_tls(tmp_path: Path) -> None:
    with DebianPostgreSQL() as encrypting:
        port = free_port()
        folder = Path(encrypting.folder) / "data"
        make_certificate(folder, encrypting.user)
        settings = {"ssl": "on", "listen_addresses": "'127.0.0.1'", "port": port}
        with sql(encrypting.url) as execute:
            for name, value in settings.items():
                execute(f"ALTER SYSTEM SET {name} = {value}")
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off"
        options += f" -c unix_socket_directories={encrypting.folder}"
        encrypting.run("pg_ctl", "--wait", f"--options={options}", "--log=/dev/null", "restart")
        tls = doctor(DATABASE_URL=f"{url}?sslmode=require").checks["database.tls"]
        assert tls["fact"].startswith("encrypted with TLSv1.")
        assert doctor(DATABASE_URL=f"{url}?sslmode=disable").checks["database.tls"]["fact"] == (
            "not encrypted, within a private network"
        )
        authority = tmp_path / "authority.crt"
        authority.write_bytes(Path(folder / "other.crt").read_bytes())
        wrong = doctor(DATABASE_URL=f"{url}?sslmode=verify-ca&sslrootcert={authority}")
    assert "certificate verify failed" in wrong.only_error("database.tls")["fact"]


def make_certificate(folder: Path, owner: str | None) -> None:
    """server.crt and server.key in the data directory, and another certificate, other.crt."""
    for name in ("other", "server"):
        subject = ["-subj", f"/CN={name}", "-days", "2", "-nodes", "-newkey", "rsa:2048"]
        files = ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt"]
        subprocess.run(
            ["openssl", "req", "-x509", *subject, *files], check=True, capture_output=True
        )
    if owner:
        shutil.chown(folder / "server.key", owner)
        shutil.chown(folder / "server.crt", owner)


@on_postgresql
def test_localhost_in_a_container() -> None:
    url = f"postgresql://me:{PASSWORD}@localhost:{free_port()}/tasklists"
    found = doctor(DATABASE_URL=url, RUNS_IN="docker").only_error("database.port")
    assert "localhost is the container itself" in found["fact"]
    assert "@db/tasklists" in found["fix"]


@on_postgresql
def test_a_server_that_hangs(server: PostgreSQL) -> None:
    server.freeze()
    start = time.monotonic()
    try:
        found = doctor(DATABASE_URL=server.url).only_error("database.port")
    finally:
        server.thaw()
    assert "did not answer the login within 5 s" in found["fact"]
    assert time.monotonic() - start < 20


@on_postgresql
def test_something_else_on_the_port() -> None:
    def refuse() -> None:
        while True:
            try:
                client, _ = other.accept()
            except OSError:
                return
            with client:
                if client.recv(100):
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        threading.Thread(target=refuse, daemon=True).start()
        report = doctor(DATABASE_URL=f"postgresql://me@127.0.0.1:{port}/tasklists")
        other.shutdown(socket.SHUT_RDWR)
    assert "other than PostgreSQL" in report.only_error("database.port")["fact"]


@pytest.fixture
def guarded() -> Iterator[PostgreSQL]:
    """A server that asks for passwords, over TCP too, and lets the role postgres in by socket."""
    with PostgreSQL() as postgresql:
        with sql(postgresql.url) as execute:
            execute("ALTER ROLE postgres PASSWORD 'right'")
        folder = Path(postgresql.folder) / "pg"
        rules = "local all postgres trust\nlocal all all scram-sha-256\n"
        (folder / "pg_hba.conf").write_text(rules)
        with sql(postgresql.url) as execute:
            execute("SELECT pg_reload_conf()")
        yield postgresql


@on_postgresql
def test_a_wrong_password(guarded: PostgreSQL) -> None:
    with sql(guarded.url) as execute:
        execute("CREATE ROLE me LOGIN PASSWORD 'other'")
        found = doctor(DATABASE_URL=role_url(guarded.url, "me")).only_error("database.password")
        assert "password authentication failed" in found["fact"]
        assert r"psql -U postgres -d postgres -c '\password me'" in found["fix"]
        execute(f"ALTER ROLE me PASSWORD '{PASSWORD}'")  # as \password does
        assert doctor(DATABASE_URL=role_url(guarded.url, "me")).is_past("database.password")


@on_postgresql
def test_no_password_at_all(guarded: PostgreSQL) -> None:
    with sql(guarded.url) as execute:
        execute(f"CREATE ROLE me LOGIN PASSWORD '{PASSWORD}'")
    url = role_url(guarded.url, "me").replace(f":{PASSWORD}@", "@")
    found = doctor(DATABASE_URL=url).only_error("database.password")
    assert found["fix"].startswith("export DATABASE_PASSWORD=")
    assert doctor(DATABASE_URL=url, DATABASE_PASSWORD=PASSWORD).is_past("database.password")


@on_postgresql
def test_a_role_that_does_not_exist_or_may_not_log_in(server: PostgreSQL) -> None:
    url = role_url(server.url, "nobody")
    found = doctor(DATABASE_URL=url).only_error("database.password")
    assert "createuser -U postgres --login --pwprompt nobody" in found["fix"]
    with sql(server.url) as execute:
        execute("CREATE ROLE nobody NOLOGIN")
        found = doctor(DATABASE_URL=url).only_error("database.password")
        execute(statement_of(found["fix"]))
        assert doctor(DATABASE_URL=url).is_past("database.password")
        execute("DROP ROLE nobody")


def statement_of(fix: str) -> str:
    """The SQL that a fix gives to psql."""
    words = shlex.split(fix)
    return words[words.index("-c") + 1]


@on_postgresql
def test_logins_that_the_server_does_not_allow() -> None:
    with PostgreSQL() as closed:
        closed.refuse_logins()
        found = doctor(DATABASE_URL=closed.url).only_error("database.password")
    assert "pg_hba.conf" in found["fact"]
    assert found["fix"] is None


@on_postgresql
def test_a_database_that_does_not_exist(server: PostgreSQL) -> None:
    url = server.url.replace("/postgres?", "/My-Lists?")
    report = doctor(DATABASE_URL=url)
    found = report.only_error("database.exists")
    assert "createdb -U postgres My-Lists" in found["fix"]
    assert report.checks["database.password"]["status"] == "ok"
    with sql(server.url) as execute:
        execute('CREATE DATABASE "My-Lists"')
        assert doctor(DATABASE_URL=url).ids("error") == []
        execute('DROP DATABASE "My-Lists"')


@on_postgresql
def test_a_database_that_the_role_may_not_connect_to(server: PostgreSQL) -> None:
    with sql(server.url) as execute:
        execute(f"CREATE ROLE me LOGIN PASSWORD '{PASSWORD}'")
        execute("CREATE DATABASE closed")
        execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        url = role_url(server.url.replace("/postgres?", "/closed?"), "me")
        execute(statement_of(doctor(DATABASE_URL=url).only_error("database.exists")["fix"]))
        assert doctor(DATABASE_URL=url).is_past("database.exists")
        execute("DROP DATABASE closed")
        execute("DROP ROLE me")


@on_postgresql
def test_another_encoding_than_utf8(server: PostgreSQL) -> None:
    with sql(server.url) as execute:
        execute("CREATE DATABASE odd ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        report = doctor(DATABASE_URL=server.url.replace("/postgres?", "/odd?"))
        found = report.only_error("service.E013")
        assert found["group"] == "database"
        assert "createdb -U postgres --encoding=UTF8 --template=template0 odd_utf8" in found["fix"]
        execute("DROP DATABASE odd")


@on_postgresql
@pytest.mark.parametrize(
    "where", ["SYSTEM", "DATABASE lists", "ROLE me", "ROLE me IN DATABASE lists"]
)
def test_a_database_that_is_read_only(server: PostgreSQL, where: str) -> None:
    with sql(server.url) as execute:
        execute(f"CREATE ROLE me LOGIN PASSWORD '{PASSWORD}'")
        execute("CREATE DATABASE lists OWNER me")
        execute(f"ALTER {where} SET default_transaction_read_only = on")
        execute("SELECT pg_reload_conf()")
        url = role_url(server.url.replace("/postgres?", "/lists?"), "me")
        try:
            found = doctor(DATABASE_URL=url).only_error("database.writable")
            with sql(server.url) as administrator:
                for word in shlex.split(found["fix"]):
                    if word.startswith(("SET", "ALTER", "SELECT")):
                        administrator(word)
            assert doctor(DATABASE_URL=url).ids("error") == []
        finally:
            execute("SET default_transaction_read_only = off")
            execute("ALTER SYSTEM RESET default_transaction_read_only")
            execute("SELECT pg_reload_conf()")
            execute("DROP DATABASE lists")
            execute("DROP ROLE me")


@on_postgresql
def test_an_url_that_asks_for_read_only_transactions(server: PostgreSQL) -> None:
    url = f"{server.url}&options=-c%20default_transaction_read_only%3Don"
    found = doctor(DATABASE_URL=url).only_error("database.writable")
    assert "client" in found["fact"]
    assert found["fix"] is None


@on_postgresql
def test_a_standby(server: PostgreSQL) -> None:
    with Standby(server) as standby:
        found = doctor(DATABASE_URL=standby.server.get_uri()).only_error("database.writable")
    assert "standby" in found["fact"]
    assert "target_session_attrs=read-write" in found["fix"]


@on_postgresql
def test_a_superuser_is_a_warning(server: PostgreSQL) -> None:
    with sql(server.url) as execute:
        execute(f"CREATE ROLE boss LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
        url = role_url(server.url, "boss")
        found = doctor(DATABASE_URL=url).checks["database.role"]
        assert found["status"] == "warning"
        execute(statement_of(found["fix"]))
        assert doctor(DATABASE_URL=url).checks["database.role"]["status"] == "ok"
        execute("DROP ROLE boss")


@on_postgresql
def test_no_connection_is_left() -> None:
    with PostgreSQL() as small:
        with sql(small.url) as execute:
            execute("ALTER SYSTEM SET max_connections = 6")
            execute("ALTER SYSTEM SET superuser_reserved_connections = 2")
            execute(f"CREATE ROLE me LOGIN PASSWORD '{PASSWORD}'")
        small.stop()
        small.start()
        url = role_url(small.url, "me")
        assert doctor(DATABASE_URL=url).is_past("database.connections")
        sessions = [psycopg2.connect(url) for _ in range(4)]
        try:
            report = doctor(DATABASE_URL=url)
        finally:
            for session in sessions:
                session.close()
    found = report.only_error("database.connections")
    assert "ALTER SYSTEM SET max_connections" in found["fix"]
    assert report.checks["database.password"]["status"] == "skipped"


@on_postgresql
@pytest.mark.parametrize("what", ["ROLE me", "DATABASE lists"])
def test_a_limit_of_the_role_or_the_database(server: PostgreSQL, what: str) -> None:
    with sql(server.url) as execute:
        execute(f"CREATE ROLE me LOGIN PASSWORD '{PASSWORD}'")
        execute("CREATE DATABASE lists OWNER me")
        execute(f"ALTER {what} CONNECTION LIMIT 0")
        url = role_url(server.url.replace("/postgres?", "/lists?"), "me")
        try:
            found = doctor(DATABASE_URL=url).only_error("database.connections")
            execute(statement_of(found["fix"]))
            assert doctor(DATABASE_URL=url).ids("error") == []
        finally:
            execute("DROP DATABASE lists")
            execute("DROP ROLE me")


@on_postgresql
def test_the_replicas_for_which_there_are_connections(server: PostgreSQL) -> None:
    with sql(server.url) as execute:
        # No more than a role's limit, of which the connections of others take nothing.
        execute(f"CREATE ROLE me LOGIN CONNECTION LIMIT 12 PASSWORD '{PASSWORD}'")
        url = role_url(server.url, "me")
        sessions = [psycopg2.connect(server.url) for _ in range(8)]

        def found(workers: int, threads: int = 4) -> dict[str, Any]:
            variables = {"WEB_CONCURRENCY": str(workers), "THREADS": str(threads)}
            each: dict[str, Any] = doctor(DATABASE_URL=url, **variables).checks["database.replicas"]
            return each

        try:
            assert found(1)["fact"] == (
                "0 of 12 connections of the role are used; "
                "one replica takes up to 5, so there is room for 2 more"
            )
            assert found(1)["status"] == found(2)["status"] == "ok"
            sessions += [psycopg2.connect(url) for _ in range(3)]
            few = found(2)
            assert few["status"] == "warning"
            assert "3 of 12 connections" in few["fact"]
            assert "so there is room for 0 more" in few["fact"]
            assert few["fix"].startswith("export THREADS=1 ")
            assert found(2, threads=1)["status"] == "ok"
            none = found(3)
            assert none["status"] == "error"
            assert none["fact"] == (
                "one replica takes up to 15 connections, but the role accepts 12"
            )
            execute(statement_of(found(7)["fix"]))  # too few for 7 workers with one thread each
            assert found(7)["status"] == "ok"
        finally:
            for session in sessions:
                session.close()
            execute("DROP ROLE me")


@on_postgresql
def test_too_few_connections_hide_no_other_error(server: PostgreSQL) -> None:
    report = doctor(DATABASE_URL=server.url, WEB_CONCURRENCY="30")
    found = report.only_error("database.replicas")
    assert found["fact"] == "one replica takes up to 150 connections, but the server accepts 97"
    assert report.is_past("database.writable")


@on_postgresql
def test_a_role_that_may_not_make_tables(server: PostgreSQL) -> None:
    """A database that somebody else owns, from PostgreSQL 15 on: `migrate` would fail."""
    with sql(server.url) as execute:
        execute(f"CREATE ROLE me LOGIN PASSWORD '{PASSWORD}'")
        execute("CREATE DATABASE lists")
        url = role_url(server.url.replace("/postgres?", "/lists?"), "me")
        try:
            found = doctor(DATABASE_URL=url).only_error("migrations.applied")
            assert "'me' may not make tables in the schema 'public'" in found["fact"]
            with sql(server.url.replace("/postgres?", "/lists?")) as execute_there:
                execute_there(statement_of(found["fix"]))
            assert manage("migrate", DATABASE_URL=url).returncode == 0
            assert doctor(DATABASE_URL=url).ids("error") == []
            execute("ALTER ROLE me SET search_path TO nowhere")
            found = doctor(DATABASE_URL=url).only_error("migrations.applied")
            assert "No schema of search_path" in found["fact"]
            report = doctor(DATABASE_URL=url, MIGRATION_DATABASE_URL=url)
            assert report.ids("error") == []  # another role may be allowed
        finally:
            execute("DROP DATABASE lists WITH (FORCE)")
            execute("DROP ROLE me")


@on_postgresql
def test_a_database_that_accepts_no_connections(server: PostgreSQL) -> None:
    with sql(server.url) as execute:
        execute('CREATE DATABASE "order" ALLOW_CONNECTIONS false')  # a word of SQL
        url = server.url.replace("/postgres?", "/order?")
        try:
            found = doctor(DATABASE_URL=url).only_error("database.exists")
            execute(statement_of(found["fix"]))
            assert doctor(DATABASE_URL=url).ids("error") == []
        finally:
            execute('DROP DATABASE "order"')


@on_postgresql
def test_a_role_that_may_not_write_to_a_table(migrated_url: str) -> None:
    with sql(migrated_url) as execute:
        execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
        execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reader")
        execute("REVOKE DELETE ON tasklists_tasklist FROM reader")
        try:
            url = role_url(migrated_url, "reader")
            found = doctor(DATABASE_URL=url).only_error("database.rights")
            assert "tasklists_tasklist" in found["fact"]
            execute(statement_of(found["fix"]))
            assert doctor(DATABASE_URL=url).ids("error") == []
        finally:
            execute("DROP OWNED BY reader")
            execute("DROP ROLE reader")


@on_postgresql
def test_of_several_hosts_one_does_not_answer(server: PostgreSQL) -> None:
    folder = server.url.partition("host=")[2]
    first = f"127.0.0.1:{free_port()}"
    url = f"postgresql://postgres@/postgres?host=127.0.0.1,{folder},none.invalid&port={first.rpartition(':')[2]},5432,5432"
    report = doctor(DATABASE_URL=url)
    assert report.ids("error") == []
    assert {"database.host", "database.port"} <= set(report.ids("warning"))


@on_postgresql
def test_the_way_past_a_pooler(server: PostgreSQL) -> None:
    report = doctor(DATABASE_URL=server.url, MIGRATION_DATABASE_URL=server.url)
    assert report.checks["database.migration"]["status"] == "ok"
    wrong = f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/tasklists"
    doctor(DATABASE_URL=server.url, MIGRATION_DATABASE_URL=wrong).only_error("database.migration")


@on_postgresql
def test_a_pooler_s_own_limits_decide_how_many_replicas_fit(server: PostgreSQL) -> None:
    many = {"WEB_CONCURRENCY": "50", "MIGRATION_DATABASE_URL": server.url}
    assert doctor(DATABASE_URL=server.url, **many).only_error("database.replicas")
    with PgBouncer(server) as pooler:
        report = doctor(DATABASE_URL=pooler.url, **many)
    assert report.ids("error") == []
    found = report.checks["database.replicas"]
    assert (found["status"], found["fix"]) == ("ok", None)
    assert "of 97 connections of the server are used. A pooler is in between" in found["fact"]


@on_postgresql
def test_a_pooler_that_accepts_no_more_clients(server: PostgreSQL) -> None:
    with PgBouncer(server, clients=1) as pooler, closing(psycopg2.connect(pooler.url)):
        report = doctor(DATABASE_URL=pooler.url, MIGRATION_DATABASE_URL=server.url)
    found = report.only_error("database.connections")
    assert "a pooler refuses the connection: no more connections allowed" in found["fact"]
    assert found["fix"] is None  # only the pooler's own configuration helps


@on_postgresql
def test_a_pooler_that_takes_no_options(server: PostgreSQL) -> None:
    with PgBouncer(server) as pooler:
        found = doctor(DATABASE_URL=pooler.url).only_error("database.port")
        own = f"{pooler.url}&options=-c%20lock_timeout%3D9s"
        again = doctor(DATABASE_URL=own, MIGRATION_DATABASE_URL=server.url)
    assert "MIGRATION_DATABASE_URL=postgresql://postgres:PASSWORD@SERVER/postgres" in found["fix"]
    assert again.only_error("database.port")["fix"] is None


@on_postgresql
def test_a_database_that_a_pooler_does_not_know(server: PostgreSQL) -> None:
    with PgBouncer(server) as pooler:
        url = pooler.url.replace("/postgres?", "/lists?")
        report = doctor(DATABASE_URL=url, MIGRATION_DATABASE_URL=server.url)
    assert "a pooler does not know" in report.only_error("database.exists")["fact"]


@on_postgresql
def test_a_server_that_libpq_chooses(server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", server.url.partition("host=")[2])
    report = doctor(DATABASE_URL="postgresql://postgres@/postgres")
    assert report.ids("error") == []
    monkeypatch.setenv("PGHOST", "/nowhere")
    found = doctor(DATABASE_URL="postgresql://postgres@/postgres").only_error("database.port")
    assert "answers" not in found["fact"]


@on_postgresql
def test_it_waits_until_the_server_is_there(server: PostgreSQL) -> None:
    server.stop()
    variables = with_port({"DATABASE_URL": server.url})
    with subprocess.Popen(
        [sys.executable, "manage.py", "doctor", "--json", "--wait", "120"],
        cwd=ROOT,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
        finally:
            server.start()
        output, _ = process.communicate(timeout=120)
    assert first.startswith("waiting for ")
    assert "database.port" in first
    assert json.loads(output)["status"] == "warning"


@once
def test_it_waits_no_longer_than_it_is_told(tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as other:
        port = str(other.getsockname()[1])
        doctor("--wait", "1", PORT=port).only_error("server.port")


# Migrations


def test_migrations_that_are_missing(database_url: str) -> None:
    assert manage("migrate", "tasklists", "0002", DATABASE_URL=database_url).returncode == 0
    report = doctor(DATABASE_URL=database_url)
    assert report.ids("error") == []
    assert "`serve` applies them" in report.checks["migrations.applied"]["fact"]
    found = doctor(DATABASE_URL=database_url, MIGRATE="never").only_error("migrations.applied")
    subprocess.run(
        ["sh", "-c", found["fix"]],
        cwd=ROOT,
        env=environment({"DATABASE_URL": database_url}),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert doctor(DATABASE_URL=database_url, MIGRATE="never").ids("error") == []


def test_migrations_of_a_newer_version(migrated_url: str, execute: Callable[[str], None]) -> None:
    execute(
        "INSERT INTO django_migrations (app, name, applied)"
        " VALUES ('tasklists', '9999_later', CURRENT_TIMESTAMP),"
        " ('gone', '0001', CURRENT_TIMESTAMP)"
    )
    found = doctor(DATABASE_URL=migrated_url).checks["migrations.unknown"]
    assert found["status"] == "warning"
    assert "tasklists.9999_later. " in found["fact"]


def test_tokens_of_an_earlier_version(migrated_url: str, execute: Callable[[str], None]) -> None:
    execute(
        "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email,"
        " is_staff, is_active, date_joined)"
        " VALUES (1, 'x', false, 'ada', '', '', '', false, true, CURRENT_TIMESTAMP)"
    )
    execute(
        "INSERT INTO authtoken_token (key, created, user_id)"
        f" VALUES ('{PASSWORD}', CURRENT_TIMESTAMP, 1)"
    )
    found = doctor(DATABASE_URL=migrated_url).checks["service.W015"]
    assert found["status"] == "warning"
    assert found["fix"].endswith("manage.py hash_tokens")
    assert manage("hash_tokens", DATABASE_URL=migrated_url).returncode == 0
    assert doctor(DATABASE_URL=migrated_url).checks["service.W015"]["status"] == "ok"


# SQLite


@once
def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("This is not a database.\n" * 100)
    found = doctor(DATABASE_URL=sqlite_url(file)).only_error("database.file")
    assert "not a database" in found["fact"]
    subprocess.run(["sh", "-c", found["fix"]], check=True)
    assert doctor(DATABASE_URL=sqlite_url(file)).ids("error") == []


@once
def test_a_file_that_has_to_be_there(tmp_path: Path) -> None:
    report = doctor(DATABASE_URL=sqlite_url(tmp_path / "new.sqlite3"), MIGRATE="never")
    assert report.only_error("database.file")["fix"].endswith("manage.py migrate")
