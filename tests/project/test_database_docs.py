"""What docs/configuration.md says about PostgreSQL's role and about moving to PostgreSQL."""

import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from tests.postgresql import DebianPostgreSQL
from tests.process import ROOT, Service, environment, manage, sqlite_url
from tests.wire import HANG

pytestmark = pytest.mark.once(on="sqlite")

PAGE = (ROOT / "docs" / "configuration.md").read_text()
NAMES = ["shopping", "yes", "2026-01-01", "a\r\nb", "\x1b[0m", "\U0001f600", "\x7f"]
ADMIN = {"ADMIN_USERNAME": "ada", "ADMIN_PASSWORD": "correct horse"}


def blocks(heading: str, language: str) -> list[str]:
    """The section's code blocks in that language."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", section)


@pytest.fixture(scope="module")
def server() -> Iterator[DebianPostgreSQL]:
    with DebianPostgreSQL() as started:
        yield started


@pytest.fixture
def postgresql(server: DebianPostgreSQL) -> str:
    """The URL of the documented role's database, which is empty."""
    name = f"tasklists_{uuid.uuid4().hex[:8]}"
    [block] = blocks("PostgreSQL's role", "sql")
    with closing(psycopg2.connect(server.url)) as superuser:
        superuser.autocommit = True
        with superuser.cursor() as cursor:
            for statement in re.sub(r"\btasklists\b", name, block).split(";\n")[:-1]:
                cursor.execute(statement)
    return server.url.replace("postgres@/postgres", f"{name}@/{name}")


def test_the_owner_of_the_database_may_migrate(postgresql: str) -> None:
    result = manage("migrate", DATABASE_URL=postgresql)
    assert result.returncode == 0, result.stderr


def test_another_role_is_told_what_it_may_not(server: DebianPostgreSQL, postgresql: str) -> None:
    with closing(psycopg2.connect(server.url)) as superuser, superuser.cursor() as cursor:
        cursor.execute("CREATE ROLE stranger LOGIN")
        superuser.commit()
    [expected] = blocks("PostgreSQL's role", "text")
    stranger = re.sub(r"tasklists_\w+@", "stranger@", postgresql)
    result = manage("migrate", DATABASE_URL=stranger)
    assert result.returncode == 1
    assert expected.removesuffix(" ...\n") in result.stderr
    assert len(result.stderr.splitlines()) == 1
    manage("migrate", DATABASE_URL=postgresql)
    result = manage("migrate", DATABASE_URL=stranger)
    assert "permission denied for table" in result.stderr


class Client(requests.Session):
    """With the same Host on every port, since addresses in answers contain it."""

    def __init__(self, **headers: str) -> None:
        super().__init__()
        self.headers.update({"Host": "localhost", **headers})

    def ask(self, service: Service, method: str, path: str, **more: Any) -> requests.Response:
        return self.request(method, f"{service.url}{path}", timeout=HANG, **more)

    def make_list(self, service: Service, name: str, key: str) -> requests.Response:
        headers = {"Idempotency-Key": key}
        return self.ask(service, "POST", "/lists", json={"name": name}, headers=headers)

    def log_in(self, service: Service, password: str) -> int:
        """The status of the response; 302 is a success."""
        page = self.ask(service, "GET", "/auth/login/", headers={"Accept": "text/html"})
        [token] = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page.text)
        form = {"csrfmiddlewaretoken": token, "username": "ada", "password": password}
        answer = self.ask(service, "POST", "/auth/login/", data=form, allow_redirects=False)
        return answer.status_code

    def sees(self, service: Service) -> list[tuple[str, str | None]]:
        """The body and ETag of every list and task."""
        lists = self.ask(service, "GET", "/lists")
        answers = [lists]
        for each in lists.json():
            tasks = self.ask(service, "GET", f"/lists/{each['id']}/tasks")
            answers += [self.ask(service, "GET", f"/lists/{each['id']}"), tasks]
            for task in tasks.json():
                answers.append(self.ask(service, "GET", f"/tasks/{task['id']}"))
        return [(each.text, each.headers.get("ETag")) for each in answers]


def move(old: str, new: str, folder: Path) -> None:
    """Run the documented commands."""
    [block] = blocks("Moving from SQLite to PostgreSQL", "sh")
    commands, count = re.subn(
        r"(?m)^export DATABASE_URL=.*$", f"export DATABASE_URL='{new}'", block
    )
    assert count == 1
    dump = folder / "tasklists.yaml"
    commands = re.sub(r"\btasklists\.yaml\b", str(dump), commands)
    commands = commands.replace("rm ", "stat -c %a ")
    result = subprocess.run(
        ["sh", "-ec", commands],
        cwd=ROOT,
        env=environment({"DATABASE_URL": old}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("\n600\n")
    dump.unlink()


def test_a_move_to_postgresql_and_back_changes_no_answer(postgresql: str, tmp_path: Path) -> None:
    first, last = (sqlite_url(tmp_path / name) for name in ("first.sqlite3", "last.sqlite3"))
    variables = {"SECRET_KEY": "x" * 50, "API_ACCESS": "authenticated", **ADMIN}
    on_first = variables | {"DATABASE_URL": first}
    browser, stranger = Client(), Client()

    manage("migrate", **on_first)
    manage("ensure_admin", **on_first)
    made = manage("drf_create_token", "ada", **on_first).stdout
    program = Client(Authorization=f"Token {made.split()[2]}")
    with Service(on_first) as service:
        for name in NAMES:
            place = program.make_list(service, name, name.encode().hex()).headers["Location"]
            body = {"title": name, "due": "2027-02-28"}
            task = program.ask(service, "POST", f"{place}/tasks", json=body)
            program.ask(service, "PATCH", task.headers["Location"], json={"completed": True})
            program.ask(service, "POST", f"{place}/tasks", json={"title": name})
        assert browser.log_in(service, ADMIN["ADMIN_PASSWORD"]) == 302
        assert {stranger.log_in(service, "wrong") for _ in range(3)} == {200}
        before = program.sees(service)
        assert len(before) == 1 + 4 * len(NAMES)

    move(first, postgresql, tmp_path)
    with Service(variables | {"DATABASE_URL": postgresql}) as service:
        assert program.sees(service) == before
        assert browser.sees(service) == before
        # The failed logins from before count, and the fifth is the last one.
        answers = [stranger.log_in(service, "wrong") for _ in range(3)]
        assert answers == [200, 200, 429]
        new = program.make_list(service, "new", "new")
        assert new.json()["id"] == len(NAMES) + 1
        repeated = program.make_list(service, NAMES[0], NAMES[0].encode().hex())
        assert (repeated.status_code, repeated.json()["id"]) == (201, 1)
        before = program.sees(service)

    move(postgresql, last, tmp_path)
    with Service(variables | {"DATABASE_URL": last}) as service:
        assert program.sees(service) == before
        assert program.make_list(service, "newer", "newer").json()["id"] == len(NAMES) + 2
        assert program.make_list(service, "new", "new").json() == new.json()
