"""docs/add-a-resource.md, followed literally in a copy of the project."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process import ROOT, environment

pytestmark = pytest.mark.once(on="postgresql")

IGNORED = shutil.ignore_patterns(".*", "chart", "e2e", "bench", "__pycache__", "*.sqlite3*")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT, tmp_path / "project", ignore=IGNORED))


def test_a_resource_is_added_by_the_document_alone(project: Path) -> None:
    document = (project / "docs/add-a-resource.md").read_text()
    model, serializer, paths, setting, admin, sample = re.findall(
        r"```python\n(.*?)```", document, re.DOTALL
    )[:6]

    def edit(file: str, change: Callable[[str], str]) -> None:
        text = (project / file).read_text()
        changed = change(text)
        assert changed != text, file
        (project / file).write_text(changed)

    def imports_note(text: str) -> str:
        return text.replace("import Task, TaskList", "import Note, Task, TaskList")

    # On SQLite, and without the coverage of the copy.
    variables = {
        name: value
        for name, value in environment({}).items()
        if name != "DJANGO_SETTINGS_MODULE" and not name.startswith("COV")
    }

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=project,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]

    edit("tasklists/models.py", lambda text: f"{text}\n\n{model}")
    edit("tasklists/api.py", lambda text: f"{imports_note(text)}\n\n{serializer}")
    [path] = [line for line in paths.splitlines() if "NoteViewSet" in line]
    edit("tasklists/urls.py", lambda text: text.replace("\n]", f"\n{path}\n]"))
    edit(
        "tasklists/urls.py", lambda text: text.replace("import TaskL", "import NoteViewSet, TaskL")
    )
    edit("project/settings.py", lambda text: re.sub(r"API_PATHS = .*\n", lambda _: setting, text))
    edit("tasklists/admin.py", lambda text: f"{imports_note(text)}\n\n{admin}")
    edit("tests/rest/conftest.py", imports_note)
    edit(
        "tests/rest/conftest.py",
        lambda text: text.replace("SAMPLES: ", f"{sample}\n\nSAMPLES: ").replace(
            '    "lists": lists,\n', '    "lists": lists,\n    "notes": notes,\n'
        ),
    )

    run("manage.py", "makemigrations", "tasklists", "--name", "note")
    run("manage.py", "check")
    run("manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", "docs/openapi.yaml")
    run("-m", "pytest", "-q", "tests/rest", "-k", "notes")
