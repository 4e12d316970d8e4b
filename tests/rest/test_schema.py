"""The OpenAPI document: it is the code's own, and the service keeps to it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from rest_framework.exceptions import ValidationError

from rest.schema import text_pattern
from rest.serializers import StrictCharField
from tests.process import ROOT, WITHOUT_COVERAGE, Service, manage
from tests.wire import HANG

DOCUMENT = ROOT / "docs/openapi.yaml"
EXAMPLES = 100  # random ones of each operation; those at the boundaries are added

pytestmark = pytest.mark.once(on="sqlite")


def test_the_document_is_not_stale(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    result = manage("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
    assert result.returncode == 0, result.stderr
    assert made.read_text() == DOCUMENT.read_text(), "run `make schema`"


def test_the_chart_is_of_the_same_version() -> None:
    chart = (ROOT / "chart/Chart.yaml").read_text()
    assert f'appVersion: "{settings.VERSION}"' in chart.splitlines()


TEXTS = ["", "a", "ab", "abc", "abcd", " ", "\u3000", " a", "ab\n", "\x1ca b\x85", "a\0b", "é" * 3]


@pytest.mark.parametrize("minimum", [0, 1])
@pytest.mark.parametrize("maximum", [1, 2, 3])
def test_a_pattern_matches_what_is_accepted(minimum: int, maximum: int) -> None:
    field = StrictCharField(allow_blank=not minimum, max_length=maximum)

    def accepts(text: str) -> bool:
        try:
            field.run_validation(text)
        except ValidationError:
            return False
        return True

    pattern = re.compile(text_pattern(minimum, maximum))
    assert [text for text in TEXTS if pattern.search(text)] == list(filter(accepts, TEXTS))


def test_the_service_keeps_to_the_document(serve: Callable[..., Service], tmp_path: Path) -> None:
    """Thousands of valid and invalid requests, with every check: status, type, shape, ..."""
    service = serve(**WITHOUT_COVERAGE)
    result = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={ROOT / 'tests/rest/schemathesis.toml'}",
            "run",
            DOCUMENT,
            f"--url={service.url}",
            f"--request-timeout={HANG}",
            f"--max-examples={EXAMPLES}",
            "--generation-deterministic",
            "--continue-on-failure",
            "--suppress-health-check=all",
            "--no-color",
        ],
        cwd=tmp_path,  # where it keeps its own files
        env=os.environ | WITHOUT_COVERAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    selected = re.search(r"(\d+) selected / (\d+) total", result.stdout)
    counted = re.search(r"(\d+) generated, (\d+) passed", result.stdout)
    assert selected, result.stdout
    assert counted, result.stdout
    operations = int(selected[2])
    assert operations > 0
    assert int(selected[1]) == operations
    assert int(counted[1]) >= EXAMPLES * operations
    assert not [record for record in service.records() if "exception" in record]
