"""Are the folders that the service needs writable, and is there space left?"""

import os
from pathlib import Path

from service.doctor.examination import Examination, on_sqlite
from service.doctor.registry import Outcome, check, error, ok, warning

MEGABYTE = 1024 * 1024
# Fewer free bytes than the first number are a warning, fewer than the second an error.
DATABASE_SPACE = (100 * MEGABYTE, 10 * MEGABYTE)
TEMPORARY_SPACE = (8 * MEGABYTE, MEGABYTE)


@check(
    "storage.database",
    needs=[
        "configuration.variables",
        "service.E005",
        "service.E006",
        "service.E007",
    ],
    applies=on_sqlite,
)
def database_folder(examination: Examination) -> Outcome:
    return look_at(examination, Path(examination.database.name).parent, DATABASE_SPACE)


@check("storage.tmp")
def temporary_files(examination: Examination) -> Outcome:
    return look_at(examination, Path("/tmp"), TEMPORARY_SPACE)  # noqa: S108


@check("storage.shm", applies=lambda _: Path("/dev/shm").is_dir())  # noqa: S108
def shared_memory(examination: Examination) -> Outcome:
    """Gunicorn's workers prove to the master there that they are alive."""
    return look_at(examination, Path("/dev/shm"), TEMPORARY_SPACE)  # noqa: S108


def look_at(examination: Examination, folder: Path, limits: tuple[int, int]) -> Outcome:
    if not os.access(folder, os.W_OK | os.X_OK):
        fact = f"{folder} is not writable for user {os.getuid()}"
        return error(fact, examination.place.make_writable([folder], os.getuid()))
    state = os.statvfs(folder)
    files = state.f_favail if state.f_files else 1  # some file systems do not count files
    return judge(folder, state.f_bavail * state.f_frsize, files, limits)


def judge(folder: Path, free: int, files: int, limits: tuple[int, int]) -> Outcome:
    """``files`` is how many more files the file system can hold."""
    low, lowest = limits
    if not files:
        return error(f"{folder} takes no more files: it has no inode left")
    fact = f"{folder} is writable, {free // MEGABYTE:,} MiB are free"
    if free < lowest:
        return error(f"{fact}, which is too little")
    return warning(f"{fact}, which is little") if free < low else ok(fact)
