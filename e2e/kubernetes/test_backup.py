"""A backup, restored: in place, and into another release, as a move to another PostgreSQL goes."""

import subprocess
from collections.abc import Callable, Iterator
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
    client = release.client()
    client.add_task(client.add("backed up"), "backed up as well")
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
    client = new.client()
    eventually(lambda: client.names() == ["backed up"], "the backup is restored")
    (restored,) = client.every("/lists")
    assert client.titles(restored["id"]) == ["backed up as well"]

    another = client.add("after the move")
    client.add_task(another, "after the move as well")
    assert client.titles(another) == ["after the move as well"]


def test_a_restored_list_is_deleted_with_its_tasks(new: Release) -> None:
    """The restored constraint cascades the deletion."""
    client = new.client()
    list_id = client.every("/lists")[0]["id"]
    (task,) = client.every(f"/lists/{list_id}/tasks")
    assert client.request("DELETE", f"/lists/{list_id}").status_code == 204
    assert client.request("GET", f"/tasks/{task['id']}").status_code == 404


def test_a_database_with_lists_is_not_overwritten(new: Release, moved: Values) -> None:
    said = restore(new, merge(moved, {"restore": {"attempt": 2}}))
    filled = "tasklists_task tasklists_tasklist"
    assert f"The database is not empty (rows in: {filled}), so nothing was changed." in said
    assert "restore.overwrite=true" in said
    assert new.client().names() == ["after the move"]


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
    """The pods of the application migrate while the Job restores, if both are installed together."""
    values = merge(moved, {"restore": {"attempt": 4, "overwrite": True}})
    with locked(new, KEY):
        before = restores(new)
        new.upgrade(values, options=())
        eventually(lambda: waits(new, restores(new) - before), "the restore waits")
        assert new.client().names() == ["backed up", "one more"]
    finished_restore(new, restores(new) - before)
    assert new.client().names() == ["backed up"]
    new.client().add("one more")


def test_a_restore_is_tried_again_after_a_deadlock(new: Release, moved: Values) -> None:
    """Another session locks the last table first, and the others when the restore waits."""
    values = merge(moved, {"restore": {"attempt": 5, "overwrite": True}})
    before = restores(new)
    with transaction(new) as execute:
        execute("LOCK TABLE tasklists_tasklist IN ROW EXCLUSIVE MODE")
        new.upgrade(values, options=())
        execute(
            "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted "
            "AND relation = 'tasklists_tasklist'::regclass) LOOP PERFORM pg_sleep(0.01); "
            "END LOOP; LOCK TABLE tasklists_task IN ROW SHARE MODE; END $$"
        )
    said = finished_restore(new, restores(new) - before)
    assert "deadlock detected" in said
    assert "The database is restored from" in said
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


def test_a_backup_that_hangs_makes_room_for_the_next(old: Release) -> None:
    """Its claim is missing. Once the claim exists, the next scheduled backup succeeds."""
    backup = {
        "schedule": "* * * * *",
        "activeDeadlineSeconds": 20,
        "persistence": {"existingClaim": "missing"},
    }
    old.upgrade(OLD, {"backup": backup}, options=())
    eventually(lambda: conditions(old, "DeadlineExceeded"), "a backup has taken too long")
    old.namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "missing"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )
    eventually(lambda: conditions(old, "CompletionsReached"), "a backup is made", seconds=180)


def conditions(release: Release, reason: str) -> list[str]:
    """The names of the scheduled Jobs that have a condition with that reason."""
    return [
        job["metadata"]["name"]
        for job in release.namespace.get("jobs")
        if job["metadata"]["name"].startswith(f"{release.one('cronjob', 'backup')}-")
        for condition in job["status"].get("conditions", [])
        if condition.get("reason") == reason
    ]


def waits(release: Release, jobs: set[str]) -> bool:
    logs = ("logs", "--container=restore")
    return any("no migration" in release.namespace.kubectl(*logs, f"job/{job}") for job in jobs)


@contextmanager
def locked(release: Release, key: int) -> Iterator[None]:
    """Somebody else's transaction that holds an advisory lock."""
    with transaction(release) as execute:
        execute(f"SELECT pg_advisory_xact_lock({key})")
        yield


@contextmanager
def transaction(release: Release) -> Iterator[Callable[[str], None]]:
    """Somebody else's transaction; gives what executes a statement in it."""
    pod = release.one("pod", "postgres")
    exec_ = ("kubectl", "--namespace", release.namespace.name, "exec", "--stdin", pod, "--")
    psql = ("psql", "--username=postgres", "--dbname=tasklists", "--quiet", "--tuples-only")
    options = ("--no-align", "--set=ON_ERROR_STOP=1")
    with subprocess.Popen(
        (*exec_, *psql, *options), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:

        def execute(statement: str) -> None:
            assert session.stdin
            assert session.stdout
            session.stdin.write(f"{statement};\n\\echo done\n")
            session.stdin.flush()
            for line in session.stdout:
                if line == "done\n":
                    return
            raise AssertionError(f"it failed: {statement}")

        execute("BEGIN")
        yield execute
        execute("COMMIT")
