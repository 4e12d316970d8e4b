"""The script with which the chart creates the application's role does not reveal the password."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest

from tests.postgresql import DebianPostgreSQL
from tests.process import ROOT, manage

pytestmark = pytest.mark.once(on="sqlite")

# All that puts statements into the log, and what makes a statement fail.
EXTENSIONS = ["pg_stat_statements", "auto_explain", "passwordcheck"]
LOGGING = {
    "shared_preload_libraries": ", ".join(EXTENSIONS),
    "log_statement": "all",
    "log_min_messages": "debug5",
    "log_min_error_statement": "debug5",
    "log_min_duration_statement": "0",
    "log_min_duration_sample": "0",
    "log_transaction_sample_rate": "1",
    "log_duration": "on",
    "log_parser_stats": "on",
    "debug_print_parse": "on",
    "debug_print_rewritten": "on",
    "debug_print_plan": "on",
    "client_min_messages": "debug5",
    "auto_explain.log_min_duration": "0",
    "pg_stat_statements.track": "all",
    "pg_stat_statements.track_utility": "on",
}
# Each holds this part, which is therefore looked for; a log may quote the others.
SECRET = "Zebra42x"
PASSWORDS = {
    "plain": SECRET,
    "quotes": f"'{SECRET}''\"\\'; \\! echo \\\\ \\n $HOME $(id) `id` :username :'database' %s",
    "spaces": f"  {SECRET} with spaces ",
    "umlauts": f"Übermäßig{SECRET}€",
    "lines": f"two\nlines{SECRET}",
    "dash": f"-{SECRET}",
}


@pytest.fixture(scope="module")
def server() -> Iterator[DebianPostgreSQL]:
    """A server that logs as much as possible, and requires a password of all roles but postgres."""
    with DebianPostgreSQL() as started:
        parameters = Path(started.folder, "data", "postgresql.auto.conf")
        parameters.write_text("".join(f"{name} = '{value}'\n" for name, value in LOGGING.items()))
        access = Path(started.folder, "data", "pg_hba.conf")
        access.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        started.run("pg_ctl", "--wait", f"--log={started.folder}/log", "restart")
        with closing(psycopg2.connect(started.url)) as superuser:
            superuser.autocommit = True
            superuser.cursor().execute("CREATE EXTENSION pg_stat_statements")
        yield started


def run(
    server: DebianPostgreSQL,
    folder: Path,
    password: str,
    username: str = "tasks",
    variables: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Source the script as the image does; ``folder``/arguments gets the arguments of psql."""
    (folder / "password").write_bytes(password.encode())
    recorder = folder / "psql"
    real = shutil.which("psql", path=server.programs)
    recorder.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{folder}/arguments\nexec {real} "$@"\n')
    recorder.chmod(0o755)
    return subprocess.run(
        ["bash", "-Eeo", "pipefail", "-c", f". {ROOT}/chart/files/database.sh"],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PGHOST": server.folder,
            "POSTGRES_PASSWORD_FILE": str(folder / "password"),
            "TASKLISTS_USERNAME": username,
            "TASKLISTS_DATABASE": "tasks",
            **(variables or {}),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(autouse=True)
def emptied(server: DebianPostgreSQL) -> Iterator[None]:
    yield
    with closing(psycopg2.connect(server.url)) as superuser:
        superuser.autocommit = True
        superuser.cursor().execute("DROP DATABASE IF EXISTS tasks")
        superuser.cursor().execute("DROP ROLE IF EXISTS tasks")


def shown(
    server: DebianPostgreSQL, folder: Path, result: subprocess.CompletedProcess[str]
) -> dict[str, str]:
    """Return, by name, every text that other users than the server's superuser can read."""
    with closing(psycopg2.connect(server.url)) as superuser, superuser.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(query, E'\\n'), '') FROM pg_stat_statements")
        [[statements]] = cursor.fetchall()
    return {
        "the log": Path(server.folder, "log").read_text(errors="replace"),
        "the arguments": (folder / "arguments").read_text(),
        "the output": result.stdout + result.stderr,
        "pg_stat_statements": statements,
    }


@pytest.mark.parametrize("ending", ["", "\r\n"], ids=["bare", "ended"])
@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
def test_the_role_logs_in_with_a_password_that_is_nowhere(
    server: DebianPostgreSQL, tmp_path: Path, password: str, ending: str
) -> None:
    result = run(server, tmp_path, password + ending)
    assert result.returncode == 0, result.stderr
    found = shown(server, tmp_path, result)
    assert "CREATE ROLE" in found["the log"]
    assert [name for name, text in found.items() if SECRET in text] == []
    with closing(
        psycopg2.connect(host=server.folder, user="tasks", password=password, dbname="tasks")
    ) as role:
        role.cursor().execute("CREATE TABLE public.mine (a int)")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host=server.folder, user="tasks", password=password + "x", dbname="tasks")


@pytest.mark.parametrize(
    ("username", "password", "expected"),
    [
        ("pg_app", SECRET, 'role name "pg_app" is reserved'),
        ("tasks", f"tasks{SECRET}", "password must not contain user name"),
    ],
    ids=["the role", "its password"],
)
def test_a_failure_shows_no_password(
    server: DebianPostgreSQL, tmp_path: Path, username: str, password: str, expected: str
) -> None:
    result = run(server, tmp_path, password, username)
    assert result.returncode != 0
    assert expected in result.stderr
    found = shown(server, tmp_path, result)
    assert [name for name, text in found.items() if SECRET in text] == []


def test_the_role_and_nobody_else_may_connect(server: DebianPostgreSQL, tmp_path: Path) -> None:
    assert run(server, tmp_path, SECRET).returncode == 0
    rights = """SELECT datname FROM pg_database WHERE has_database_privilege(%s, oid, 'CONNECT')
        OR has_database_privilege(%s, oid, 'TEMPORARY') ORDER BY datname"""
    with closing(psycopg2.connect(server.url)) as superuser, superuser.cursor() as cursor:
        cursor.execute("CREATE ROLE other LOGIN")  # rolled back
        for role, databases in (("tasks", ["tasks"]), ("other", [])):
            cursor.execute(rights, [role, role])
            assert [name for (name,) in cursor if name != "template0"] == databases
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(host=server.folder, user="tasks", password=SECRET, dbname="postgres")


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
def test_the_password_may_also_be_in_the_environment(
    server: DebianPostgreSQL, tmp_path: Path, password: str
) -> None:
    """As docker-compose.yml has it."""
    variables = {"POSTGRES_PASSWORD_FILE": "", "POSTGRES_PASSWORD": password}
    assert run(server, tmp_path, "", variables=variables).returncode == 0
    psycopg2.connect(host=server.folder, user="tasks", password=password, dbname="tasks").close()


def test_the_superuser_has_no_password_unless_it_is_the_role(
    server: DebianPostgreSQL, tmp_path: Path
) -> None:
    def stored() -> str | None:
        with closing(psycopg2.connect(server.url)) as superuser, superuser.cursor() as cursor:
            cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
            [[password]] = cursor.fetchall()
            return None if password is None else str(password)

    assert run(server, tmp_path, f"{SECRET}\r\n", "postgres").returncode == 0
    assert str(stored()).startswith("SCRAM-SHA-256$")
    with closing(psycopg2.connect(server.url)) as superuser:
        superuser.autocommit = True
        superuser.cursor().execute("DROP DATABASE tasks")
    assert run(server, tmp_path, SECRET).returncode == 0
    assert stored() is None


def test_the_documented_statements_turn_a_superuser_s_database_into_that_of_the_role(
    server: DebianPostgreSQL,
) -> None:
    """A volume of Compose has such a database if version 0.2.0 or older made it."""
    url = server.make("tasklists")
    assert manage("migrate", DATABASE_URL=url).returncode == 0
    page = (ROOT / "docs/docker.md").read_text()
    found = re.search(r"psql -U postgres (-v .*?) tasklists <<'SQL'\n(.*?)\nSQL\n", page, re.DOTALL)
    assert found
    password = PASSWORDS["quotes"]
    dsn = f"postgresql://tasklists:{quote(password, safe='')}@/tasklists?host={server.folder}"
    symptom = 'password authentication failed for user "tasklists"'
    assert symptom in page
    try:
        with pytest.raises(psycopg2.OperationalError, match=symptom):
            psycopg2.connect(dsn)
        subprocess.run(
            ["psql", *found[1].split(), url],
            input=found[2],
            env=os.environ | {"POSTGRES_PASSWORD": password},
            text=True,
            timeout=60,
            check=True,
        )
        psycopg2.connect(dsn).close()
        # The role may go back and forth through all migrations, which needs its ownership.
        for arguments in (["tasklists", "zero"], []):
            result = manage("migrate", *arguments, DATABASE_URL=dsn)
            assert result.returncode == 0, result.stderr
    finally:
        with closing(psycopg2.connect(server.url)) as superuser:
            superuser.autocommit = True
            superuser.cursor().execute("DROP DATABASE tasklists")
            superuser.cursor().execute("DROP ROLE IF EXISTS tasklists")
            superuser.cursor().execute("GRANT CONNECT, TEMPORARY ON DATABASE postgres TO PUBLIC")
