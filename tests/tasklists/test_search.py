"""``name__icontains`` finds the same on every database, and its cost does not grow."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rest.search import search_key
from tasklists.models import TaskList
from tests.postgresql import DebianPostgreSQL
from tests.process import ROOT, Service, manage
from tests.searches import NAMES, SEARCHES
from tests.wire import HANG

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")


def by_name(names: set[str]) -> set[str]:
    return {label for label, name in NAMES.items() if name in names}


@pytest.fixture
def names(db: None) -> None:
    TaskList.objects.bulk_create(TaskList(name=name) for name in NAMES.values())


@pytest.mark.parametrize("text", SEARCHES)
def test_a_search_finds_every_spelling(client: Client, names: None, text: str) -> None:
    found = client.get("/lists", {"name__icontains": text}).json()
    assert by_name({each["name"] for each in found}) == SEARCHES[text]


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("text", ["червоний", "STRASSE", "%"])
def test_the_admin_finds_the_same(admin: Client, text: str) -> None:
    page = admin.get("/admin/tasklists/tasklist/", {"q": text}).content.decode()
    shown = {label for label, name in NAMES.items() if f">{name}</a>" in page}
    assert shown == SEARCHES[text]


def test_the_name_itself_is_compared_byte_by_byte(client: Client, names: None) -> None:
    for name in NAMES.values():
        found = client.get("/lists", {"name": name}).json()
        assert [each["name"] for each in found] == [name]


def test_null_has_no_key() -> None:
    assert search_key(None) is None


@pytest.fixture(scope="module")
def debian() -> Iterator[DebianPostgreSQL]:
    with DebianPostgreSQL() as server:
        yield server


LOCALES = {
    "c": "LOCALE 'C'",
    "c_utf8": "LOCALE 'C.UTF-8'",
    "icu": "LOCALE_PROVIDER icu ICU_LOCALE 'tr' LOCALE 'C.UTF-8'",
    "without_icu": "LOCALE 'C'",
}


@pytest.mark.once(on="postgresql")
@pytest.mark.parametrize("locale", LOCALES)
def test_a_search_does_not_depend_on_the_locale(debian: DebianPostgreSQL, locale: str) -> None:
    url = debian.make(locale, LOCALES[locale])
    with closing(psycopg2.connect(url)) as server, server, server.cursor() as cursor:
        if locale == "without_icu":
            cursor.execute("DELETE FROM pg_collation WHERE collprovider = 'i'")
    with Service({"DATABASE_URL": url}) as service, requests.Session() as session:
        lists = f"{service.url}/lists"
        for name in NAMES.values():
            assert session.post(lists, json={"name": name}, timeout=HANG).status_code == 201
        for text, expected in SEARCHES.items():
            found = session.get(lists, params={"name__icontains": text}, timeout=HANG).json()
            assert by_name({each["name"] for each in found}) == expected, text


# The cost of each filter, in a table of a size at which PostgreSQL prefers an index.

ROWS = 20_000
NEAR, FAR = 500, 8000  # windows that fit this size


@pytest.fixture
def many(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in ten names has a frequent word, one in a hundred a rarer one, the last a rare one."""
    monkeypatch.setattr("rest.statements.WINDOWS", (NEAR, FAR))
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO tasklists_tasklist (name, created_at, updated_at, version)
            SELECT 'list ' || n || CASE WHEN n %% 10 = 0 THEN ' groceries' ELSE '' END
                || CASE WHEN n %% 50 = 0 THEN ' garden' ELSE '' END
                || CASE WHEN n < 500 AND n %% 50 = 1 THEN ' first' ELSE '' END
                || CASE WHEN n = %s THEN ' червоний 牛乳' ELSE '' END, now(), now(), 1
            FROM generate_series(1, %s) AS n""",
            [ROWS, ROWS],
        )
        cursor.execute("ANALYZE tasklists_tasklist")


def plan(client: Client, path: str, query: dict[str, str]) -> tuple[Any, list[dict[str, Any]]]:
    """The answer to a request, and the nodes of the plans of its statements."""
    with CaptureQueriesContext(connection) as captured:
        found = client.get(path, query).json()
    nodes = []
    with connection.cursor() as cursor:
        for statement in captured:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement["sql"])
            [[root]] = cursor.fetchone()
            nodes.append(root["Plan"])
    for node in nodes:
        nodes += node.get("Plans", [])
    return found, nodes


def indexes(nodes: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in nodes if "Index Name" in node and node["Actual Loops"]}


def examined(nodes: list[dict[str, Any]]) -> int:
    """How many rows were read that are not in the answer."""
    return sum(node.get("Rows Removed by Filter", 0) for node in nodes)


@on_postgresql
@pytest.mark.parametrize("name", ["list 7", "list 777", "none"])
def test_the_name_is_found_by_an_index(client: Client, many: None, name: str) -> None:
    found, nodes = plan(client, "/lists", {"name": name})
    assert [each["name"] for each in found] == [name] * (name != "none")
    assert indexes(nodes) == {"lists_by_name"}
    assert examined(nodes) == 0


@on_postgresql
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("червоний", 1),
        ("牛乳", 1),
        ("牛", 1),
        ("ий", 1),
        ("garden ЧЕР", 1),
        ("xyz", 0),
        ("🛒", 0),
    ],
)
@pytest.mark.parametrize("after", [0, 2 * NEAR])
def test_what_is_rare_is_found_by_an_index(
    client: Client, many: None, text: str, count: int, after: int
) -> None:
    first = TaskList.objects.earliest("id").pk
    query = {"name__icontains": text, "after": str(first + after)}
    found, nodes = plan(client, "/lists", query)
    assert len(found) == count
    assert "lists_by_part_of_name" in indexes(nodes)
    assert examined(nodes) <= NEAR
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}


@on_postgresql
@pytest.mark.parametrize(("text", "window"), [("LIST", NEAR), ("garden", NEAR + FAR)])
def test_what_is_frequent_is_found_nearby(
    client: Client, many: None, text: str, window: int
) -> None:
    found, nodes = plan(client, "/lists", {"name__icontains": text})
    assert len(found) == 100
    assert "lists_by_part_of_name" not in indexes(nodes)
    assert examined(nodes) < window


@on_postgresql
def test_what_is_frequent_only_nearby_is_found_by_the_index(client: Client, many: None) -> None:
    found, nodes = plan(client, "/lists", {"name__icontains": "first"})
    assert len(found) == 10
    assert "lists_by_part_of_name" in indexes(nodes)


@on_postgresql
@pytest.mark.parametrize("text", ["c", "ce", "%"])
def test_one_or_two_letters_are_searched_for_in_the_order_of_the_page(
    client: Client, many: None, text: str
) -> None:
    found, nodes = plan(client, "/lists", {"name__icontains": text})
    assert len(found) == (0 if text == "%" else 100)
    assert indexes(nodes) == {"tasklists_tasklist_pkey"}


@on_postgresql
@pytest.mark.parametrize("completed", ["true", "false"])
@pytest.mark.parametrize(("after", "count"), [(0, 6), (ROWS // 2, 3)])
def test_tasks_are_filtered_without_reading_the_others(
    client: Client, db: None, completed: str, after: int, count: int
) -> None:
    """The filter selects the first three tasks of a long list, and the last three."""
    task_list = TaskList.objects.create(name="long")
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO tasklists_task
                (list_id, title, completed_at, "order", created_at, updated_at, version)
            SELECT %s, 'task', CASE WHEN (n BETWEEN 4 AND %s) = %s THEN now() END, n, now(),
                now(), 1
            FROM generate_series(1, %s) AS n""",
            [task_list.pk, ROWS - 3, completed == "false", ROWS],
        )
        cursor.execute("ANALYZE tasklists_task")
    query = {"completed": completed, "after": f"{after},0"}
    found, nodes = plan(client, f"/lists/{task_list.pk}/tasks", query)
    assert len(found) == count
    assert indexes(nodes) >= {"tasks_by_completion"}
    assert examined(nodes) == 0


@on_postgresql
def test_pages_of_a_search_have_every_row_once(client: Client, many: None) -> None:
    """Those that are found nearby, and those that the index finds."""
    for text, count in (("garden", ROWS // 50), ("list 777", 11), ("список", 0)):
        path: str | None = f"/lists?name__icontains={text}&limit=100"
        found: list[int] = []
        while path:
            page = client.get(path)
            found += [each["id"] for each in page.json()]
            path = page.get("Link", "").partition(">")[0].removeprefix("<") or None
        assert len(found) == count
        assert found == sorted(set(found))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_sqlite_finds_the_name_by_an_index(client: Client, names: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        client.get("/lists", {"name": "Shopping"})
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + captured[0]["sql"])
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert "USING INDEX lists_by_name" in plan
    assert "TEMP B-TREE" not in plan


def test_the_migrations_can_be_undone_and_repeated(database_url: str) -> None:
    for target in ("0006", "0003", "0006"):
        done = manage("migrate", "tasklists", target, DATABASE_URL=database_url)
        assert done.returncode == 0, done.stderr


@pytest.mark.once(on="postgresql")
def test_a_backup_is_restored_with_its_indexes(debian: DebianPostgreSQL, tmp_path: Path) -> None:
    """By the chart's script, as a role that owns the database and is no superuser."""
    with closing(psycopg2.connect(debian.url)) as server, server, server.cursor() as cursor:
        cursor.execute("CREATE ROLE owner LOGIN")
    superuser = debian.make("backup", "OWNER owner LOCALE 'C'")
    url = superuser.replace("//postgres@", "//owner@")
    assert manage("migrate", DATABASE_URL=url).returncode == 0
    insert = "INSERT INTO tasklists_tasklist (name, created_at, updated_at, version) VALUES "

    def execute(statement: str) -> None:
        with closing(psycopg2.connect(url)) as database, database, database.cursor() as cursor:
            cursor.execute(statement)

    execute(insert + "('Червоний', now(), now(), 1)")
    files = ROOT / "chart" / "files"
    for name in ("backup.sh", "restore.sh"):
        text = (files / "connect.sh").read_text() + (files / name).read_text()
        text = text.replace("/run/secrets/postgres", str(tmp_path))
        (tmp_path / name).write_text(text.replace("/backups", str(tmp_path)))
    (tmp_path / "password").write_text("unused")
    variables = os.environ | {
        "PATH": f"{debian.programs}:{os.environ['PATH']}",
        "PGHOST": debian.folder,
        "PGUSER": "owner",
        "PGDATABASE": "backup",
        "HOSTNAME": "here",
        "KEEP": "1",
        "ATTEMPT": "1",
        "OVERWRITE": "true",
    }

    backup = ["bash", str(tmp_path / "backup.sh")]
    subprocess.run(backup, env=variables, check=True, timeout=HANG)
    [dump] = tmp_path.glob("*.dump")
    execute(insert + "('Later', now(), now(), 1)")
    # As a move to another database leaves it: the restore on the way back makes it writable again.
    execute("ALTER DATABASE backup SET default_transaction_read_only = on")
    with closing(psycopg2.connect(url)) as migration, migration.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(8386110886358119284)")
        restore = subprocess.Popen(
            ["bash", str(tmp_path / "restore.sh")],
            env=variables | {"BACKUP": dump.name},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert restore.stdout is not None
        assert restore.stdout.readline() == "waiting until no migration runs\n"
    output, _ = restore.communicate(timeout=HANG)
    assert restore.returncode == 0, output
    execute("UPDATE tasklists_tasklist SET version = 2")
    with closing(psycopg2.connect(url)) as database, database.cursor() as cursor:
        cursor.execute(
            "SELECT name, indisvalid FROM tasklists_tasklist, pg_index"
            " WHERE indexrelid = 'lists_by_part_of_name'::regclass"
            " AND search_key(name) = search_key('ЧЕРВОНИЙ')"
        )
        assert cursor.fetchall() == [("Червоний", True)]
    assert "No migrations to apply." in manage("migrate", DATABASE_URL=url).stdout
