"""docs/configuration.md and the code agree on every variable."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from project.environment import declared
from tests.process import ROOT

pytestmark = pytest.mark.once(on="sqlite")

PAGE = (ROOT / "docs" / "configuration.md").read_text()
ROOMS = ["server", "project", "tasklists", "rest", "service"]
CODE = [ROOT / "manage.py", *(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))]


class Row(NamedTuple):
    name: str
    secret: bool
    effect: str
    accepted: str
    default: str


ROWS = [
    Row(name, bool(secret), *(cell.strip() for cell in cells.split("|")[:3]))
    for name, secret, cells in re.findall(
        r"^\| `([A-Z_]+)`( \*secret\*)? \|(.+)\|$", PAGE, flags=re.MULTILINE
    )
]


def words(default: object) -> str:
    """A default as the table writes it."""
    if default in ("", []):
        return "none"
    if isinstance(default, list):
        return f"`{','.join(default)}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_variable_has_one_row() -> None:
    assert sorted(row.name for row in ROWS) == sorted(declared)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_what_the_code_does(row: Row) -> None:
    variable = declared[row.name]
    assert row.effect
    assert row.secret == variable.secret
    if not variable.secret:
        assert row.accepted == variable.accepted
        # "; `true` under `runserver`" may follow.
        assert row.default.partition(";")[0] == words(variable.default)


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(ROOT)))
def test_only_one_module_reads_the_environment(file: Path) -> None:
    """Else a variable could be read that no table has."""
    # Doctor looks for what the kubelet sets in every container, which is no setting.
    text = file.read_text().replace('"KUBERNETES_SERVICE_HOST" in os.environ', "")
    reads = re.search(r"\bos\.environ\b|import environ\b|getenv", text)
    if file == ROOT / "server" / "metrics_directory.py":
        return  # prometheus_client, and the arbiter that SIGUSR2 starts, read what it sets
    assert bool(reads) == (file == ROOT / "project" / "environment.py")


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors
