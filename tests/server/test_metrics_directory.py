"""The directory of the workers' metrics."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from server import metrics_directory


@pytest.mark.once(on="sqlite")
def test_other_workers_never_see_an_empty_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """prometheus_client fails to read one, and the scrape at that moment would get 500."""
    monkeypatch.setenv(metrics_directory.VARIABLE, str(tmp_path))
    monkeypatch.setattr(metrics_directory, "_process", "")
    reserve = os.posix_fallocate
    seen: list[int] = []

    def watched(descriptor: int, offset: int, size: int) -> None:
        seen.extend(file.stat().st_size for file in tmp_path.glob("*.db"))
        reserve(descriptor, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", watched)
    metrics_directory.enter_slot(None, SimpleNamespace(slot=0))
    assert seen
    assert 0 not in seen
    sizes = {file.name.partition("_-")[0]: file.stat().st_size for file in tmp_path.iterdir()}
    assert sizes == metrics_directory.FILE_SIZES
