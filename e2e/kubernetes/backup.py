"""Backups and restores of a release, as docs/kubernetes.md has them."""

import re

from e2e.kubernetes.cluster import eventually
from e2e.kubernetes.release import Release, Values


def back_up(release: Release, job: str) -> str:
    """Run the CronJob once; the name of the file it made."""
    cronjob = f"--from=cronjob/{release.one('cronjob', 'backup')}"
    release.namespace.kubectl("create", "job", cronjob, job)
    release.namespace.kubectl("wait", f"job/{job}", "--for=condition=Complete", "--timeout=120s")
    made = re.search(r"^made (\S+);", release.namespace.kubectl("logs", f"job/{job}"), re.MULTILINE)
    assert made
    return made[1]


def restores(release: Release) -> set[str]:
    """The names of the Jobs that restore."""
    return {job["metadata"]["name"] for job in release.get("job", "restore")}


def restore(release: Release, values: Values) -> str:
    """Upgrade to values that restore; what the Job had to say."""
    before = restores(release)
    release.upgrade(values, options=())
    return finished_restore(release, restores(release) - before)


def finished_restore(release: Release, jobs: set[str]) -> str:
    """Wait for the only one of the Jobs; what it had to say."""
    (job,) = jobs

    def done() -> bool:
        conditions = release.namespace.get("job", job)["status"].get("conditions", [])
        return any(condition["type"] in ("Complete", "Failed") for condition in conditions)

    eventually(done, f"job {job} ends")
    return release.namespace.kubectl("logs", f"job/{job}", "--container=restore")
