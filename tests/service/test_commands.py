"""The commands of ``manage.py`` that people type, in processes of their own."""

import errno
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests
from django.core.servers.basehttp import WSGIRequestHandler

from project.environment import EPHEMERAL_PREFIX
from service.management.commands.runserver import Server as DevelopmentServer
from tests.process import ROOT, Service, environment, free_port, manage
from tests.wire import HANG

Serve = Callable[..., Service]


class TestServe:
    def refused(self, **variables: str) -> str:
        """What it says when it ends instead of serving: one line of the log."""
        result = manage("serve", PORT=str(free_port()), LOG_FORMAT="console", **variables)
        assert result.returncode == 1
        assert "Traceback" not in result.stdout + result.stderr
        lines = [line for line in result.stdout.splitlines() if "W002" not in line]
        assert len(lines) == 1, result.stdout
        return lines[0]

    def test_debug(self, database_url: str) -> None:
        assert "service.E009" in self.refused(DATABASE_URL=database_url, DEBUG="true")

    @pytest.mark.once(on="sqlite")
    def test_a_folder_that_is_missing(self) -> None:
        assert "/nowhere" in self.refused(DATABASE_URL="sqlite:////nowhere/tasklists.sqlite3")

    @pytest.mark.once(on="sqlite")
    def test_a_database_that_never_comes(self) -> None:
        url = f"postgresql://user:secret@127.0.0.1:{free_port()}/tasklists"
        line = self.refused(DATABASE_URL=url, DATABASE_WAIT="0")
        assert "the database is unavailable" in line
        assert "secret" not in line

    @pytest.mark.once(on="sqlite")
    def test_a_port_in_use(self, database_url: str) -> None:
        with socket.create_server(("", 0)) as other:
            port = other.getsockname()[1]
            result = manage("serve", PORT=str(port), DATABASE_URL=database_url)
        assert result.returncode == 1
        assert f"cannot listen on PORT {port}" in result.stdout.splitlines()[-1]

    @pytest.mark.once(on="sqlite")
    def test_an_address_that_this_machine_does_not_have(self, database_url: str) -> None:
        line = self.refused(DATABASE_URL=database_url, HOST="192.0.2.1")
        assert re.search(r"cannot listen on HOST 192\.0\.2\.1, PORT \d+: Cannot assign", line)

    @pytest.mark.once(on="sqlite")
    def test_it_listens_on_one_address_only(self, serve: Serve) -> None:
        service = serve(HOST="localhost")
        assert requests.get(f"{service.url}/health/live", timeout=HANG).ok
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", service.port), HANG)

    @pytest.mark.once(on="sqlite")
    def test_it_listens_on_an_ipv6_address_only(self, database_url: str) -> None:
        service = Service({"DATABASE_URL": database_url, "HOST": "[::1]"})
        service.url = f"http://[::1]:{service.port}"
        with service, pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", service.port), HANG)

    def test_it_becomes_gunicorn_under_its_own_process_id(self, serve: Serve) -> None:
        service = serve(WEB_CONCURRENCY="3")
        process = psutil.Process(service.process.pid)
        assert "gunicorn" in " ".join(process.cmdline())
        assert len(service.workers()) == 3

    def test_never_migrate_and_a_key_that_is_weak(self, database_url: str) -> None:
        variables = {"DATABASE_URL": database_url, "MIGRATE": "never", "SECRET_KEY": "hunter2"}
        with Service(variables, awaited="/health/live") as service:
            assert_unmigrated(service)
            [warning] = [record for record in service.records() if "check" in record]
            assert warning["check"] == "security.W009"
            assert "hunter2" not in service.text()

    @pytest.mark.once(on="sqlite")
    def test_without_a_key_all_workers_share_a_random_one(
        self, serve: Serve, database_url: str
    ) -> None:
        service = serve(WEB_CONCURRENCY="3", THREADS="1")
        [warning] = [r for r in service.records() if r.get("check") == "service.W002"]
        assert EPHEMERAL_PREFIX not in str(warning)
        variables = {"DATABASE_URL": database_url, "ADMIN_PASSWORD": "the first one"}
        assert manage("ensure_admin", **variables).returncode == 0
        # New connections, so that every worker has its turn to read what another signed.
        session = log_in(service, "admin", "one")
        for _ in range(12):
            session.close()
            page = session.get(f"{service.url}/admin/", timeout=HANG)
            assert page.url.endswith("/admin/"), "a worker did not accept the session"


def assert_unmigrated(service: Service) -> None:
    ready = requests.get(f"{service.url}/health/ready", timeout=HANG)
    assert ready.status_code == 503
    assert "manage.py migrate" in ready.json()["detail"]
    assert requests.get(f"{service.url}/lists", timeout=HANG).status_code == 503


def runserver(database_url: str) -> Service:
    command = ("runserver", "--noreload")
    return Service({"DATABASE_URL": database_url}, command, awaited="/health/live")


class TestRunserver:
    @pytest.fixture
    def service(self, database_url: str) -> Iterator[Service]:
        assert manage("migrate", DATABASE_URL=database_url).returncode == 0
        with runserver(database_url) as service:
            yield service

    def test_it_answers_problem_details_though_it_debugs(self, service: Service) -> None:
        for path, headers, status in [
            ("/nothing", {}, 404),
            ("/lists/none", {}, 404),
            ("/static/none.css", {}, 404),
            ("/lists", {"Host": "evil.example"}, 400),
            ("/lists?limit=0", {}, 400),
        ]:
            answer = requests.get(service.url + path, headers=headers, timeout=HANG)
            assert answer.status_code == status
            assert answer.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.once(on="sqlite")
    def test_the_browser_gets_its_assets_uncollected(self, service: Service) -> None:
        page = requests.get(f"{service.url}/lists", headers={"Accept": "text/html"}, timeout=HANG)
        for asset in re.findall(r'href="(/static/[^"]+\.css)"', page.text):
            assert requests.get(service.url + asset, timeout=HANG).ok

    @pytest.mark.parametrize(
        "rubbish",
        [
            b"rubbish\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        ],
    )
    @pytest.mark.once(on="sqlite")
    def test_http_that_cannot_be_read_gets_no_page(self, service: Service, rubbish: bytes) -> None:
        with socket.create_connection(("127.0.0.1", service.port), timeout=HANG) as client:
            client.sendall(rubbish)
            answer = client.recv(65536)
        assert b"<html" not in answer.lower()
        assert b"500" not in answer.splitlines()[0]

    def test_it_names_the_command_for_unapplied_migrations(self, database_url: str) -> None:
        with runserver(database_url) as service:
            assert_unmigrated(service)
            assert "unapplied migration" in service.text()
            assert "Run 'python manage.py migrate' to apply them." in service.text()

    @pytest.mark.once(on="sqlite")
    def test_a_database_that_is_away_does_not_end_it(self) -> None:
        with runserver(f"postgresql://127.0.0.1:{free_port()}/none") as service:
            assert requests.get(f"{service.url}/lists", timeout=HANG).status_code == 503
            assert "The database is unavailable" in service.text()

    @pytest.mark.once(on="sqlite")
    @pytest.mark.parametrize("options", [(), ("--noreload",)])
    def test_a_taken_port_is_named_with_a_way_out(self, options: tuple[str, ...]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            run = manage("runserver", *options, PORT=str(port), DATABASE_URL="sqlite:////tmp/none")
        assert run.returncode == 1
        assert run.stderr == (
            f"Error: cannot listen on port {port}: Address already in use. End the program that "
            f"listens there, or choose another port: set PORT={port + 1}\n"
        )

    @pytest.mark.once(on="sqlite")
    def test_another_failure_to_listen_keeps_its_reason(self) -> None:
        run = manage("runserver", "--noreload", "192.0.2.1:5000")
        assert run.returncode == 1
        assert run.stderr == "Error: That IP address can't be assigned to.\n"

    @pytest.mark.once(on="sqlite")
    def test_its_server_changes_only_the_error_of_a_taken_port(self) -> None:
        """The processes above end by ``os._exit``, which writes no coverage."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = other.getsockname()
            with pytest.raises(OSError, match=f"cannot listen on port {address[1]}: "):
                DevelopmentServer(address, WSGIRequestHandler)
        with pytest.raises(OSError) as failure:  # noqa: PT011  the number decides
            DevelopmentServer(("192.0.2.1", address[1]), WSGIRequestHandler)
        assert failure.value.errno == errno.EADDRNOTAVAIL

    @pytest.mark.once(on="sqlite")
    def test_its_port_is_5000(self) -> None:
        assert "port 5000" in manage("runserver", "--help").stdout


class TestEnsureAdmin:
    def test_it_makes_the_administrator_once(self, serve: Serve, database_url: str) -> None:
        service = serve()
        variables = {
            "DATABASE_URL": database_url,
            "ADMIN_USERNAME": "ada",
            "ADMIN_PASSWORD": "the first one",
        }
        assert manage("ensure_admin", **variables).stdout == "ada: created\n"
        again = manage("ensure_admin", **variables | {"ADMIN_PASSWORD": "the second one"})
        assert (again.returncode, again.stdout) == (0, "ada: already exists, left unchanged\n")
        assert "sessionid" in log_in(service, "ada", "the first one").cookies
        assert "sessionid" not in log_in(service, "ada", "the second one").cookies

    @pytest.mark.parametrize(
        ("password", "reasons"),
        [
            ("4711", "too short. It must contain at least 8 characters. This password is entirely"),
            ("password1", "too common."),
            ("ada.lovelace", "too similar to the username."),
        ],
    )
    def test_a_weak_password_is_refused(
        self, database_url: str, password: str, reasons: str
    ) -> None:
        assert manage("migrate", DATABASE_URL=database_url).returncode == 0
        variables = {"DATABASE_URL": database_url, "ADMIN_USERNAME": "ada.lovelace"}
        weak = manage("ensure_admin", **variables, ADMIN_PASSWORD=password)
        assert (weak.returncode, weak.stdout) == (1, "")
        [line] = weak.stderr.splitlines()
        assert line.startswith("CommandError: ADMIN_PASSWORD=(a secret, not shown) is too weak. ")
        assert reasons in line
        assert password not in line
        created = manage("ensure_admin", **variables, ADMIN_PASSWORD="correct horse battery")
        assert created.stdout == "ada.lovelace: created\n"
        again = manage("ensure_admin", **variables, ADMIN_PASSWORD=password)
        assert (again.returncode, again.stderr) == (0, "")  # the password may be another by now

    def test_a_strong_password_is_accepted(self, database_url: str) -> None:
        assert manage("migrate", DATABASE_URL=database_url).returncode == 0
        result = manage(
            "ensure_admin", DATABASE_URL=database_url, ADMIN_PASSWORD="correct horse battery"
        )
        assert (result.stdout, result.stderr) == ("admin: created\n", "")

    def test_two_at_once_make_one(self, database_url: str) -> None:
        assert manage("migrate", DATABASE_URL=database_url).returncode == 0
        variables = {"DATABASE_URL": database_url, "ADMIN_PASSWORD": "the first one"}
        with ThreadPoolExecutor() as executor:
            results = list(executor.map(lambda _: manage("ensure_admin", **variables), range(2)))
        assert [result.returncode for result in results] == [0, 0]
        assert sorted(result.stdout for result in results) == [
            "admin: already exists, left unchanged\n",
            "admin: created\n",
        ]

    def test_without_tables(self, database_url: str) -> None:
        result = manage("ensure_admin", DATABASE_URL=database_url, ADMIN_PASSWORD="hunter2")
        assert result.returncode == 1
        [line] = result.stderr.splitlines()
        assert line.startswith("CommandError: the database is unavailable or not migrated: ")
        assert "auth_user" in line
        assert "hunter2" not in line

    @pytest.mark.parametrize(
        "command",
        [
            ("drf_create_token", "admin"),
            ("createsuperuser", "--noinput", "--username=ada", "--email=a@example.com"),
            ("changepassword", "admin"),
            ("dumpdata", "tasklists"),
        ],
        ids=lambda command: command[0],
    )
    def test_djangos_own_say_it_in_one_line_too(
        self, database_url: str, command: tuple[str, ...]
    ) -> None:
        variables = {"DATABASE_URL": database_url, "DJANGO_SUPERUSER_PASSWORD": "hunter2"}
        result = manage(*command, **variables)
        assert result.returncode == 1
        [line] = result.stderr.splitlines()
        assert line.startswith("CommandError: ")
        traceback = manage(*command, "--traceback", **variables).stderr
        assert "Traceback" in traceback

    @pytest.mark.once(on="sqlite")
    def test_without_a_password(self) -> None:
        result = manage("ensure_admin")
        assert result.returncode == 1
        [line] = result.stderr.splitlines()
        assert "ADMIN_PASSWORD" in line


class TestForgottenPassword:
    """As docs/configuration.md describes it."""

    def test_changepassword_asks_twice_and_ends_sessions(
        self, serve: Serve, database_url: str
    ) -> None:
        service = serve(API_ACCESS="authenticated")
        variables = {"DATABASE_URL": database_url, "ADMIN_PASSWORD": "correct horse"}
        manage("ensure_admin", **variables)
        token = manage("drf_create_token", "admin", **variables).stdout.split()[2]
        session = log_in(service, "admin", "correct horse")
        assert session.get(f"{service.url}/lists", timeout=HANG).status_code == 200
        result = subprocess.run(
            [sys.executable, "manage.py", "changepassword", "admin"],
            input="battery staple\n" * 2,
            cwd=ROOT,
            env=environment(variables),
            capture_output=True,
            text=True,
            start_new_session=True,  # without a terminal, it reads standard input
            check=False,
        )
        assert result.returncode == 0, result.stderr
        assert session.get(f"{service.url}/lists", timeout=HANG).status_code == 401
        program = {"Authorization": f"Token {token}"}
        assert requests.get(f"{service.url}/lists", headers=program, timeout=HANG).ok
        assert "sessionid" not in log_in(service, "admin", "correct horse").cookies
        assert "sessionid" in log_in(service, "admin", "battery staple").cookies


def log_in(service: Service, name: str, password: str) -> requests.Session:
    session = requests.Session()
    login = f"{service.url}/admin/login/"
    session.get(login, timeout=HANG)
    token = session.cookies["csrftoken"]
    session.post(
        login,
        {"username": name, "password": password, "csrfmiddlewaretoken": token},
        params={"next": "/lists"},
        timeout=HANG,
    )
    return session
