"""What docker-compose.yml promises beyond the course."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from e2e.docker.terminal import ROOT, Terminal, eventually


class Project:
    """A Compose project with a name of its own, on a free port of this machine."""

    def __init__(self, terminal: Terminal, options: str = "") -> None:
        self.terminal = terminal
        self.options = options

    def __call__(self, command: str) -> str:
        return self.terminal(f"docker compose {self.options} {command}")

    def up(self) -> "Project":
        self("up -d")
        self.url = f"http://{self('port app 5000')}/lists"
        eventually(lambda: requests.get(self.url, timeout=10).ok)
        return self

    def inspect(self, service: str) -> dict[str, Any]:
        return self.terminal.inspect(self(f"ps -aq {service}"))

    def sql(self, statement: str) -> str:
        return self(f'run --rm -T psql -At -c "{statement}"')


@pytest.fixture
def project(own_name: str) -> Iterator[Callable[..., Project]]:
    terminal = Terminal(COMPOSE_PROJECT_NAME=own_name, TASKLISTS_PORT="0")
    yield lambda options="": Project(terminal, options).up()
    terminal.run("docker compose --profile admin down -v")


def test_a_psql_shell(project: Callable[..., Project]) -> None:
    here = project()
    assert requests.post(here.url, json={"name": "test"}, timeout=10).status_code == 201
    volumes = here.terminal("docker volume ls -q")
    shown = here.terminal.type(
        "docker compose run --rm psql", "select name from tasklists_tasklist;\n\\q\n"
    )
    assert "(1 row)" in shown
    assert "psql" not in here("--profile admin ps -a --services")
    assert here.terminal("docker volume ls -q") == volumes


def test_the_service_connects_as_a_role_that_is_no_superuser(
    project: Callable[..., Project],
) -> None:
    here = project()
    assert here.sql("select current_user, rolsuper from pg_roles where rolname = current_user") == (
        "tasklists|f"
    )
    assert here.sql(
        "select distinct usename from pg_stat_activity where client_addr is not null"
    ) == ("tasklists")
    roles = "select rolname from pg_authid where rolpassword is not null"
    assert here(f'exec -T db psql -U postgres -At -c "{roles}"') == "tasklists"


def test_the_service_waits_until_the_database_is_healthy(project: Callable[..., Project]) -> None:
    assert "waiting for the database" not in project()("logs app")


def test_it_is_reached_from_this_machine_alone(project: Callable[..., Project]) -> None:
    here = project()
    assert here("port app 5000").startswith("127.0.0.1:")
    assert here.inspect("db")["HostConfig"]["PortBindings"] == {}


def test_little_is_allowed(project: Callable[..., Project]) -> None:
    here = project()
    for service, user in (("app", "10001:0"), ("db", "999:999")):
        described = here.inspect(service)
        allowed = described["HostConfig"]
        assert described["Config"]["User"] == user
        assert allowed["ReadonlyRootfs"]
        assert allowed["CapDrop"] == ["ALL"]
        assert allowed["SecurityOpt"] == ["no-new-privileges:true"]
        assert not allowed["Privileged"]
        capabilities = here(f"exec -T {service} grep CapEff /proc/1/status")
        assert re.fullmatch(r"CapEff:\s+0+", capabilities)


def test_the_service_restarts_unless_stopped(project: Callable[..., Project]) -> None:
    here = project()
    here('exec -T app python -c "import os; os.kill(1, 15)"')
    eventually(lambda: here.inspect("app")["RestartCount"] == 1)
    eventually(lambda: requests.get(f"http://{here('port app 5000')}/lists", timeout=10).ok)
    here("stop app")
    assert here.inspect("app")["State"]["ExitCode"] == 0
    assert here("ps -q app") == ""


def test_an_acknowledged_write_survives_a_kill_of_the_database(
    project: Callable[..., Project],
) -> None:
    here = project()
    assert requests.post(here.url, json={"name": "kept"}, timeout=10).status_code == 201
    here("kill db")
    away = requests.get(here.url, timeout=10)
    assert away.status_code == 503
    assert away.headers["Content-Type"] == "application/problem+json"
    here.up()
    assert [item["name"] for item in requests.get(here.url, timeout=10).json()] == ["kept"]


def test_the_password_comes_from_an_env_file(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("POSTGRES_PASSWORD='p@ss/w:rd%?'\nAPI_ACCESS=read_only\n")
    here = project(f"--env-file {file}")
    assert requests.get(here.url, timeout=10).json() == []
    assert requests.post(here.url, json={"name": "test"}, timeout=10).status_code == 401
    assert here.sql("select count(*) from tasklists_tasklist") == "0"


def test_the_example_names_all_that_can_be_set() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    settings = r"\$\{(\w+)|^ +([A-Z_]+):$"
    read = {first or second for first, second in re.findall(settings, compose, re.MULTILINE)}
    example = (ROOT / ".env.example").read_text()
    assert read == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
