"""The rooms import one way: server → project → tasklists → rest → service."""

import ast
from pathlib import Path

import pytest

from tests.process import ROOT

pytestmark = pytest.mark.once(on="sqlite")

ROOMS = ["server", "project", "tasklists", "rest", "service"]
FILES = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]

# Rooms that another project can take as they are.
REUSABLE = ["server", "rest", "service"]


def imported(source: str) -> set[str]:
    """The top-level packages that a module imports, wherever in it the import is."""
    packages = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import"
            packages.add(str(node.module).partition(".")[0])
    return packages


def forbidden(room: str, source: str) -> set[str]:
    """The rooms that a module of this room imports though it may not."""
    allowed = ROOMS[ROOMS.index(room) :]
    return imported(source) & {*ROOMS, "tests", "bench", "e2e"} - set(allowed)


def relative(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_no_import_points_back(file: Path) -> None:
    assert forbidden(relative(file).partition("/")[0], file.read_text()) == set()


def test_the_configuration_of_gunicorn_is_looked_at() -> None:
    assert ROOT / "server" / "gunicorn.conf.py" in FILES


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("service", "import rest.models", {"rest"}),
        ("service", "def f():\n    from tasklists.models import Task", {"tasklists"}),
        ("rest", "from project import settings as s", {"project"}),
        ("project", "if True:\n    import os, server.worker", {"server"}),
        ("tasklists", "import tests.process", {"tests"}),
        ("server", "import project.settings, service.errors", set()),
        ("rest", "import restful, service.errors, django.db", set()),
    ],
)
def test_the_rule_finds_an_import_that_points_back(room: str, source: str, found: set[str]) -> None:
    assert forbidden(room, source) == found


@pytest.mark.parametrize(
    "file",
    [
        file
        for room in REUSABLE
        for file in sorted((ROOT / room).rglob("*"))
        if file.suffix in (".py", ".html")
    ],
    ids=relative,
)
def test_what_others_can_take_knows_nothing_about_task_lists(file: Path) -> None:
    assert "tasklist" not in file.read_text().lower()
