"""The directory of the workers' metrics."""

import fcntl
import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import values

from server import metrics_directory

pytestmark = pytest.mark.once(on="sqlite")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A metrics directory without files of this process."""
    monkeypatch.setenv(metrics_directory.VARIABLE, str(tmp_path))
    monkeypatch.setattr(metrics_directory, "_process", "a-0")
    return tmp_path


def test_other_workers_never_see_an_empty_file(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """prometheus_client fails on an empty file, so a scrape at that moment would get 500."""
    allocate = os.posix_fallocate
    seen: list[int] = []

    def watched(descriptor: int, offset: int, size: int) -> None:
        seen.extend(file.stat().st_size for file in folder.glob("*.db"))
        allocate(descriptor, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", watched)
    metrics_directory.reserve(metrics_directory.FILE_SIZES)
    assert seen
    assert 0 not in seen
    sizes = {file.name.removesuffix("_a-0.db"): file.stat().st_size for file in folder.iterdir()}
    assert sizes == metrics_directory.FILE_SIZES


def no_room(*_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_for_which_there_is_no_room_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(OSError, match="No space left on device"):
        metrics_directory.reserve(metrics_directory.FILE_SIZES)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(("age", "error"), [(2, OSError), (3, SystemExit)])
def test_only_the_first_workers_end_the_service_if_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch, folder: Path, age: int, error: type[BaseException]
) -> None:
    """The arbiter retries later workers, because those that they replace will free their slots."""
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    monkeypatch.setattr(metrics_directory, "RETRY_INTERVAL", 0)
    worker = SimpleNamespace(slot=1, age=age, log=logging.getLogger("gunicorn.error"))
    with pytest.raises(error):
        metrics_directory.enter_slot(SimpleNamespace(num_workers=2), worker)
    assert not list(folder.iterdir())


def test_a_directory_that_another_service_deletes_first_is_not_locked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each service deletes, when it starts, every directory that is not locked."""
    assert metrics_directory.lock(tmp_path / "deleted before") == -1
    folder = tmp_path / "deleted meanwhile"
    folder.mkdir()
    flock = fcntl.flock

    def deleted(descriptor: int, operation: int) -> None:
        folder.rmdir()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", deleted)
    assert metrics_directory.lock(folder) == -1


def test_the_gauges_of_an_arbiter_that_was_killed_are_deleted_at_the_second_sigusr2(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """The third arbiter has the same generation as the first, whose workers have ended."""
    monkeypatch.setenv(metrics_directory.GENERATION, "b")
    monkeypatch.setattr(metrics_directory, "_generation", "")
    monkeypatch.setattr(metrics_directory, "_lock", -1)
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)  # which prepare() replaces
    kept = {"counter_a-0.db", "counter_b-0.db", "gauge_livesum_b-0.db"}
    for name in {"gauge_livesum_a-0.db", *kept}:
        (folder / name).touch()
    metrics_directory.prepare("tasklists")
    os.close(metrics_directory._lock)
    made = {f"{kind}_a-arbiter.db" for kind in metrics_directory.ARBITER_FILE_SIZES}
    assert {file.name for file in folder.iterdir()} == kept | made
