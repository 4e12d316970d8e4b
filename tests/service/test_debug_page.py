"""The page that runserver shows after an error has no secret on it."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from project.environment import declared
from tests.conftest import BROWSER
from tests.process import Service

pytestmark = pytest.mark.once(on="sqlite")

SECRETS = {name for name, variable in declared.items() if variable.secret}
PASSWORD = "the-'Password\\\"-in/a?URL"  # each of these is written differently somewhere


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A value for each variable that is marked as secret."""
    values = {name: f"the-value-of-{name}-{'x' * 50}" for name in SECRETS}
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL"):
        values[name] = f"postgresql://ada:{quote(PASSWORD, safe='')}@127.0.0.1:1/{name.lower()}"
    return values


@pytest.fixture(scope="module", params=["variables", "files"])
def service(
    request: pytest.FixtureRequest, values: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    variables = {"DJANGO_SETTINGS_MODULE": "tests.service.defective.settings"}
    if request.param == "variables":
        variables |= values
    else:
        for name, value in values.items():
            file: Path = tmp_path_factory.mktemp("secrets") / name
            file.write_text(value)
            variables[f"{name}_FILE"] = str(file)
    command = ("runserver", "--noreload")
    with Service(variables, command, awaited="/health/live") as started:
        yield started


@pytest.mark.parametrize("accept", [BROWSER, "*/*"])
@pytest.mark.parametrize(
    "path",
    ["/defect/secrets", "/defect", *(f"/defect/objects?number={number}" for number in range(7))],
)
def test_it_has_no_secret(service: Service, values: dict[str, str], path: str, accept: str) -> None:
    page = requests.get(service.url + path, headers={"Accept": accept}, timeout=60)
    assert page.status_code == 500
    assert "RuntimeError" in page.text
    assert "API_ACCESS" in page.text  # the settings are shown
    shown = unescape(page.text)
    for text in (*values.values(), "the-'", "Password\\", "%22-in", '"-in'):
        assert text not in shown, text


def test_it_shows_what_is_no_secret(service: Service) -> None:
    page = requests.get(f"{service.url}/defect/secrets", headers={"Accept": BROWSER}, timeout=60)
    assert re.search(r"DATABASE_CONNECT_TIMEOUT</td>\s*<td class=\"code\"><pre>3<", page.text)
    assert "harmless" in page.text
    assert "Error in formatting: ValueError: no such text" in page.text
