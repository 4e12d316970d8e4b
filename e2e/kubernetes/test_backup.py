"""A backup, restored: in place, and into another release, as a move to another PostgreSQL goes."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.kubernetes.backup import back_up, finished_restore, restore, restores
from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.release import SMALL, Release, Values, merge

KEY = int.from_bytes(b"tasklist")  # MIGRATION_LOCK in project/settings.py
OLD: Values = merge(SMALL, {"backup": {"enabled": True, "keep": 2}})


@pytest.fixture(scope="module")
def old(namespace: Namespace) -> Release:
    release = Release(namespace, "old")
    release.install(OLD)
    release.client().add("backed up")
    return release


@pytest.fixture(scope="module")
def backup(old: Release) -> str:
    """The name of a backup, made as the notes of the release say."""
    return back_up(old, "now")


@pytest.fixture(scope="module")
def moved(old: Release, backup: str) -> Values:
    claim = {"existingClaim": old.one("persistentvolumeclaim", "backup")}
    return merge(SMALL, {"backup": {"persistence": claim}, "restore": {"backup": backup}})


@pytest.fixture(scope="module")
def new(old: Release, moved: Values) -> Release:
    release = Release(old.namespace, "new")
    release.install(moved)
    finished_restore(release, restores(release))
    return release


def test_another_release_starts_from_the_backup(new: Release) -> None:
    eventually(lambda: new.client().names() == ["backed up"], "the backup is restored")
    new.client().add("after the move")


def test_a_database_with_lists_is_not_overwritten(new: Release, moved: Values) -> None:
    said = restore(new, merge(moved, {"restore": {"attempt": 2}}))
    assert (
        "The database is not empty (rows in: tasklists_tasklist), so nothing was changed." in said
    )
    assert "restore.overwrite=true" in said
    assert new.client().names() == ["backed up", "after the move"]


def test_unless_told_to(new: Release, moved: Values) -> None:
    restore(new, merge(moved, {"restore": {"attempt": 3, "overwrite": True}}))
    assert new.client().names() == ["backed up"]
    new.client().add("one more")


def test_a_restored_backup_is_not_restored_again_by_an_upgrade(new: Release, moved: Values) -> None:
    same = {"restore": {"attempt": 3, "overwrite": True}}
    changed = {"backup": {"resources": {"limits": {"memory": "200Mi"}}}}
    said = restore(new, merge(moved, same, changed))
    assert "already: nothing to do" in said
    assert new.client().names() == ["backed up", "one more"]


def test_a_restore_waits_for_the_end_of_a_migration(new: Release, moved: Values) -> None:
    """Which is under way in the pods of the application when both are installed together."""
    values = merge(moved, {"restore": {"attempt": 4, "overwrite": True}})
    with locked(new, KEY):
        before = restores(new)
        new.upgrade(values, options=())
        waiting = "SELECT 'waits' FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        eventually(lambda: "waits" in query(new, waiting), "the restore waits")
        assert new.client().names() == ["backed up", "one more"]
    finished_restore(new, restores(new) - before)
    assert new.client().names() == ["backed up"]
    new.client().add("one more")


def test_a_backup_that_is_not_there_is_named_with_those_that_are(
    new: Release, moved: Values, backup: str
) -> None:
    said = restore(new, merge(moved, {"restore": {"backup": "nowhere.dump", "overwrite": True}}))
    assert "There is no backup nowhere.dump" in said
    assert backup in said
    assert new.client().names() == ["backed up", "one more"]


def test_the_newest_backups_stay(old: Release, backup: str) -> None:
    second = back_up(old, "second")
    third = back_up(old, "third")
    assert backup < second < third
    removed, _, listed = old.namespace.kubectl("logs", "job/third").partition("made ")
    assert removed == f"removed '{backup}'\n"
    assert second in listed
    assert third in listed


def query(release: Release, sql: str) -> str:
    pod = release.one("pod", "postgres")
    psql = ("psql", "--username=postgres", "--dbname=tasklists", f"--command={sql}")
    return release.namespace.kubectl("exec", pod, "--", *psql)


@contextmanager
def locked(release: Release, key: int) -> Iterator[None]:
    """Somebody else's session that holds an advisory lock."""
    pod = release.one("pod", "postgres")
    exec_ = ("kubectl", "--namespace", release.namespace.name, "exec", "--stdin", pod, "--")
    psql = ("psql", "--username=postgres", "--dbname=tasklists", "--quiet", "--tuples-only")
    with subprocess.Popen(
        (*exec_, *psql), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdin
        assert session.stdout
        session.stdin.write(f"SELECT pg_advisory_lock({key}) IS NOT NULL;\n")
        session.stdin.flush()
        assert session.stdout.readline().strip() == "t"
        yield
        session.stdin.close()
