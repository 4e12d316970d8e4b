"""A backup, restored: in place, and into another release, as a move to another PostgreSQL goes."""

import re

import pytest

from e2e.kubernetes.cluster import Namespace, eventually
from e2e.kubernetes.release import SMALL, Release, Values, merge

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
    ended(release, restores(release))
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
    said = old.namespace.kubectl("logs", "job/third")
    assert f"removed '{backup}'" in said
    assert said.count(".dump\n") == 3  # what was made, and the two that are listed


def back_up(release: Release, job: str) -> str:
    """Run the CronJob once; the name of the file it made."""
    cronjob = f"--from=cronjob/{release.one('cronjob', 'backup')}"
    release.namespace.kubectl("create", "job", cronjob, job)
    release.namespace.kubectl("wait", f"job/{job}", "--for=condition=Complete", "--timeout=120s")
    made = re.search(r"^made (\S+);", release.namespace.kubectl("logs", f"job/{job}"), re.MULTILINE)
    assert made
    return made[1]


def restores(release: Release) -> set[str]:
    return {job["metadata"]["name"] for job in release.get("job", "restore")}


def restore(release: Release, values: Values) -> str:
    """Upgrade to values that restore; what the Job had to say."""
    before = restores(release)
    release.upgrade(values, options=())
    return ended(release, restores(release) - before)


def ended(release: Release, jobs: set[str]) -> str:
    (job,) = jobs

    def done() -> bool:
        conditions = release.namespace.get("job", job)["status"].get("conditions", [])
        return any(condition["type"] in ("Complete", "Failed") for condition in conditions)

    eventually(done, f"job {job} ends")
    return release.namespace.kubectl("logs", f"job/{job}", "--container=restore")
