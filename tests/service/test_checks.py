"""Misuse is found before the service starts: the numbered system checks."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import checks

from service.checks import SERVE
from tests.process import ROOT, manage

pytestmark = pytest.mark.once(on="sqlite")

SQLITE = "service.sqlite"
POSTGRESQL = "service.postgresql"


def found() -> dict[str, checks.CheckMessage]:
    """Our messages by number, of the checks under --deploy and those of ``serve`` as well."""
    messages = checks.run_checks(include_deployment_checks=True)
    return {m.id: m for m in messages if m.id and m.id.startswith("service.")}


Use = Callable[..., None]


@pytest.fixture
def use(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Describes a database in the settings, where it replaces the one of the tests."""

    def describe(alias: str = "default", **database: Any) -> None:
        monkeypatch.setitem(settings.DATABASES, alias, {"ENGINE": SQLITE} | database)

    return describe


@pytest.fixture(autouse=True)
def sound(settings: LazySettings, use: Use, tmp_path: Path) -> None:
    """Settings at which no check has anything to say."""
    settings.SECRET_KEY_IS_RANDOM = False
    settings.HTTPS_ONLY = settings.TRUST_PROXY_HEADERS = True
    settings.DEBUG = False
    use(NAME=str(tmp_path / "tasklists.sqlite3"))


def test_sound_settings_pass() -> None:
    assert found() == {}


def test_plain_http_is_mentioned(settings: LazySettings) -> None:
    settings.HTTPS_ONLY = False
    assert "HTTPS_ONLY" in str(found()["service.I001"].hint)


def test_an_ephemeral_key(settings: LazySettings) -> None:
    settings.SECRET_KEY_IS_RANDOM = True
    warning = found()["service.W002"]
    assert "a login is valid only here and ends when the process does" in warning.msg
    assert "If nobody logs in, do nothing." in str(warning.hint)
    assert "SECRET_KEY_FILE" in str(warning.hint)


def test_any_host(settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "*"]
    assert "ALLOWED_HOSTS" in found()["service.W003"].msg


def test_https_without_a_proxy_that_is_trusted(settings: LazySettings) -> None:
    settings.TRUST_PROXY_HEADERS = False
    assert "TRUST_PROXY_HEADERS" in found()["service.E004"].msg


@pytest.mark.parametrize("name", [":memory:", "file:memory?mode=memory:memory:"])
def test_sqlite_in_memory(use: Use, name: str) -> None:
    use(NAME=name)
    assert "memory" in found()["service.E005"].msg


@pytest.mark.parametrize(
    ("url", "start"), [("sqlite:///x", "DATABASE_URL names "), ("", "The database is ")]
)
def test_a_folder_that_is_missing(
    use: Use, settings: LazySettings, tmp_path: Path, url: str, start: str
) -> None:
    use(NAME=str(tmp_path / "none" / "db.sqlite3"))
    settings.DATABASE_URL = url
    message = found()["service.E006"].msg
    assert message.startswith(f"{start}{tmp_path / 'none' / 'db.sqlite3'}, but ")


def test_a_file_that_is_a_folder(use: Use, tmp_path: Path) -> None:
    use(NAME=str(tmp_path))
    assert found()["service.E007"].msg.endswith(f" {tmp_path}, but that is a folder.")


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_file_that_cannot_be_written_to(
    use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    file = tmp_path / "a.sqlite3"
    use(NAME=str(file))
    closed = tmp_path / f"a.sqlite3{suffix}"
    for path in (file, closed):
        path.touch()
    monkeypatch.setattr("os.access", lambda path, _: path != closed)
    assert found()["service.E007"].msg.endswith(f", but {closed} is not writable.")


def test_a_path_that_is_too_long_is_no_exception(use: Use, tmp_path: Path) -> None:
    use(NAME=str(tmp_path / ("x" * 300)))
    assert found() == {}


def test_a_folder_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write everywhere, so that permissions alone prove nothing where tests run as root.
    monkeypatch.setattr("os.access", lambda path, _: path != tmp_path)
    assert str(tmp_path) in found()["service.E007"].msg


def test_an_old_sqlite(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    assert "SQLite 3.35 or newer" in str(found()["service.E012"].hint)
    use(ENGINE=POSTGRESQL)
    assert found() == {}


def test_postgresql_needs_no_file(use: Use) -> None:
    use(ENGINE=POSTGRESQL, NAME="/nowhere/at/all")
    assert found() == {}


def test_a_migration_database_of_another_kind(use: Use) -> None:
    use("migration", ENGINE=POSTGRESQL)
    assert "MIGRATION_DATABASE_URL" in found()["service.E008"].msg


def test_a_migration_database_of_the_same_kind(use: Use) -> None:
    use("migration")
    assert found() == {}


def test_a_certificate_that_cannot_be_read(use: Use, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").touch()
    options = {"sslrootcert": str(tmp_path / "ca.crt"), "sslmode": "verify-full"}
    use(ENGINE=POSTGRESQL, OPTIONS=options)
    assert found() == {}
    use(ENGINE=POSTGRESQL, OPTIONS={"sslrootcert": "system"})
    assert found() == {}
    use("migration", ENGINE=POSTGRESQL, OPTIONS=options | {"sslkey": "/none.key"})
    assert "/none.key as sslkey" in found()["service.E011"].msg


def test_debug(settings: LazySettings) -> None:
    settings.DEBUG = True
    assert "DEBUG" in found()["service.E009"].msg


def test_static_files_that_are_not_collected(settings: LazySettings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    assert "collectstatic" in str(found()["service.E010"].hint)


def test_the_page_of_checks_has_each_once() -> None:
    source = (ROOT / "service/checks.py").read_text()
    numbers = re.findall(r'id="(service\.[EWI]\d{3})"', source)
    assert len({number[-3:] for number in numbers}) == len(numbers)
    page = (ROOT / "docs/checks.md").read_text()
    assert re.findall(r"(?m)^\| `(service\.\w+)` \|", page) == sorted(
        numbers, key=lambda number: number[-3:]
    )


def test_checks_of_serving_do_not_stand_in_the_way_of_other_commands() -> None:
    assert manage("check", DEBUG="true").returncode == 0
    assert checks.run_checks(tags=[SERVE]) == []


def test_check_deploy_passes_as_the_chart_configures_the_service(tmp_path: Path) -> None:
    secrets = {
        "SECRET_KEY": "k" * 25 + "0123456789abcdefghijklmnopqrstuv",
        "DATABASE_PASSWORD": "p",
    }
    variables = {"DATABASE_URL": "postgresql://tasklists@app-db-svc:5432/tasklists"}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value)
        variables[f"{name}_FILE"] = str(tmp_path / name)
    result = manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        MIGRATE="never",
        ALLOWED_HOSTS="localhost,tasklists.default.svc",
        **variables,
    )
    assert result.returncode == 0, result.stderr
