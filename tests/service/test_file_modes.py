"""Only the service's user may read SQLite's file and dumps, which have hashes of passwords."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog
from django.db import connections

from service import sqlite_file
from tests.process import ROOT, WITHOUT_COVERAGE, Service, manage
from tests.wire import HANG

pytestmark = pytest.mark.once(on="sqlite")

COMMANDS = [
    ["migrate", "--verbosity=0"],
    ["ensure_admin"],
    ["showmigrations"],
    ["shell", "--command=from django.db import connection; connection.cursor()"],
]


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """As a shell has it, under which SQLite's file would be readable by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in folder.iterdir()}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_makes_a_private_file(tmp_path: Path, command: list[str]) -> None:
    manage(*command, DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3", ADMIN_PASSWORD="x" * 20)
    assert modes(tmp_path)["db.sqlite3"] == "0o600"
    assert set(modes(tmp_path).values()) == {"0o600"}


def test_the_running_service_has_private_files_alone(
    serve: Callable[..., Service], tmp_path: Path
) -> None:
    service = serve()
    # A thread that has answered keeps its connection, and so SQLite keeps its journal.
    assert requests.get(f"{service.url}/lists", timeout=HANG).status_code == 200
    found = modes(tmp_path)
    assert {"service.sqlite3", "service.sqlite3-wal", "service.sqlite3-shm"} <= found.keys()
    assert {found[name] for name in found if name.startswith("service.sqlite3")} == {"0o600"}


def test_a_dump_is_private(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/db.sqlite3"
    manage("migrate", "--verbosity=0", DATABASE_URL=url)
    result = manage("dumpdata", f"--output={tmp_path}/dump.json", DATABASE_URL=url)
    assert result.returncode == 0, result.stderr
    assert modes(tmp_path)["dump.json"] == "0o600"


@pytest.mark.parametrize(
    "command", [["collectstatic", "--no-input"], ["spectacular", "--file={folder}/openapi.yaml"]]
)
def test_what_others_serve_or_read_is_public(tmp_path: Path, command: list[str]) -> None:
    shutil.copytree(
        ROOT, tmp_path / "app", ignore=shutil.ignore_patterns(".*", "staticfiles", "*.sqlite3*")
    )
    folder = tmp_path / "app"
    arguments = [part.format(folder=folder) for part in command]
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "project.settings"} | WITHOUT_COVERAGE,
        check=True,
        capture_output=True,
    )
    made = [*folder.glob("staticfiles/*.json"), *folder.glob("openapi.yaml")]
    assert made
    assert {stat.S_IMODE(file.stat().st_mode) for file in made} == {0o644}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (0o644, 0o600),  # the usual umask
        (0o664, 0o660),  # the group may write: somebody arranged that
        (0o666, 0o660),
        (0o755, 0o700),
        (0o660, 0o660),
        (0o640, 0o640),
        (0o600, 0o600),
    ],
    ids=oct,
)
def test_an_upgrade_closes_a_file_that_others_may_read(
    tmp_path: Path, before: int, after: int
) -> None:
    file = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(file)
    connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE a (b)")
    files = [file, *(Path(f"{file}{suffix}") for suffix in ("-wal", "-shm"))]
    for each in files:
        each.chmod(before)
    manage("showmigrations", DATABASE_URL=f"sqlite:///{file}")
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {after}
    connection.close()


def test_a_file_of_another_user_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    # The suite may run as root, who may change every file.
    monkeypatch.setattr(Path, "chmod", refuse)
    file = tmp_path / "db.sqlite3"
    file.touch(0o644)
    connection = connections.create_connection("default")
    connection.settings_dict = {**connection.settings_dict, "NAME": str(file)}
    sqlite_file.warn.cache_clear()
    with structlog.testing.capture_logs() as records:
        for _ in range(2):
            sqlite_file.close_to_others(None, connection)
    assert [record["file"] for record in records] == [str(file)]
    assert records[0]["reason"] == "Operation not permitted"


@pytest.mark.parametrize("umask", ["022", "000"])
def test_the_chart_s_backups_are_private(tmp_path: Path, umask: str) -> None:
    """The script as it is, with stand-ins for PostgreSQL's programs."""
    backups, programs = tmp_path / "backups", tmp_path / "bin"
    backups.mkdir()
    programs.mkdir()
    old = backups / "tasklists-20250101T000000Z.dump"
    old.write_text("old")
    old.chmod(0o644)
    for name, does in {
        "pg_dump": 'for each; do case $each in --file=*) echo x > "${each#--file=}";; esac; done',
        "pg_isready": "true",
        "pg_restore": "true",
    }.items():
        program = programs / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    (tmp_path / "password").write_text("unused")
    files = ROOT / "chart" / "files"
    script = (files / "connect.sh").read_text() + (files / "backup.sh").read_text()
    script = script.replace("/run/secrets/postgres", str(tmp_path))
    script = script.replace("/backups", str(backups))
    variables = {"PGDATABASE": "tasklists", "HOSTNAME": "pod", "KEEP": "7"}
    path = f"{programs}:{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-c", f"umask {umask}\n{script}"], env={"PATH": path} | variables, check=True
    )
    assert len(modes(backups)) == 2
    assert set(modes(backups).values()) == {"0o600"}
