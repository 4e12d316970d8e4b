"""What .github/workflows/release.yml checks before a release, and writes about it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import ROOT

pytestmark = pytest.mark.once(on="sqlite")

CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Something that is not released.

## [0.3.0] - 2026-12-01

### Added

- **A thing** ([docs/thing.md](docs/thing.md#use), [standard](https://example.com/x)).

### Fixed

- See [below](#security).

## [0.3.0-rc.1] - 2026-11-30

- The candidate.

## [0.2.0] - 2026-11-26

- The past.
"""
PAGE = "https://github.com/owner/todo"
IMAGE = "ghcr.io/owner/todo@sha256:" + "a" * 64
CHART = "ghcr.io/owner/todo/charts/tasklists@sha256:" + "b" * 64


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "project").mkdir()
    (tmp_path / "project/settings.py").write_text('VERSION = "0.3.0"  # as the chart has it\n')
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart/Chart.yaml").write_text('version: 0.3.0\nappVersion: "0.3.0"\n')
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci/notes.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def notes(folder: Path, tag: str) -> str:
    done = run(folder, tag, PAGE, IMAGE, CHART)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notes_begin_with_the_changelog_s_part_for_the_version(checkout: Path) -> None:
    changes = notes(checkout, "v0.3.0").partition("\n## ")[0]
    assert changes.startswith("### Added\n\n- **A thing**")
    assert "### Fixed" in changes
    for other in ("not released", "candidate", "past"):
        assert other not in changes


def test_a_candidate_has_its_own_part(checkout: Path) -> None:
    assert notes(checkout, "v0.3.0-rc.1").startswith("- The candidate.\n")


def test_links_to_files_lead_to_the_files_of_the_tag(checkout: Path) -> None:
    found = notes(checkout, "v0.3.0")
    assert f"[docs/thing.md]({PAGE}/blob/v0.3.0/docs/thing.md#use)" in found
    assert "[standard](https://example.com/x)" in found
    assert "[below](#security)" in found


def test_the_notes_say_how_to_install_by_digest(checkout: Path) -> None:
    found = notes(checkout, "v0.3.0")
    assert (
        "helm install tasklists oci://ghcr.io/owner/todo/charts/tasklists --version 0.3.0" in found
    )
    assert "--set image.registry=ghcr.io --set image.repository=owner/todo" in found
    assert f"--set image.digest=sha256:{'a' * 64}\n" in found


def test_the_notes_say_how_to_verify_both_signatures(checkout: Path) -> None:
    found = notes(checkout, "v0.3.0")
    signer = f"--certificate-identity={PAGE}/.github/workflows/release.yml@refs/tags/v0.3.0"
    assert f"cosign verify {IMAGE} {signer}" in found
    assert f"cosign verify {CHART} {signer}" in found


def test_a_release_whose_versions_agree_is_accepted(checkout: Path) -> None:
    assert run(checkout, "--check", "v0.3.0").returncode == 0


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("project/settings.py", "0.3.0", "0.2.0", "project/settings.py has version 0.2.0"),
        ("chart/Chart.yaml", "version: 0.3.0", "version: 0.2.0", "Chart.yaml has version 0.2.0"),
        ("chart/Chart.yaml", '"0.3.0"', '"0.2.0"', "appVersion has version 0.2.0"),
        ("CHANGELOG.md", "[0.3.0]", "[0.4.0]", "CHANGELOG.md says nothing about 0.3.0"),
    ],
)
def test_a_release_is_refused(
    checkout: Path, file: str, before: str, after: str, said: str
) -> None:
    text = (checkout / file).read_text()
    (checkout / file).write_text(text.replace(before, after, 1))
    done = run(checkout, "--check", "v0.3.0")
    assert done.returncode
    assert said in done.stderr


def test_the_versions_of_this_checkout_are_found_and_agree() -> None:
    done = run(ROOT, "--check", "v999.0.0")
    found = {line.split(" has version ")[1] for line in done.stderr.splitlines() if "has" in line}
    assert len(found) == 1, done.stderr
