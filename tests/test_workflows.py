"""The workflows of GitHub: what they may do, and that they do what a person can type."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.process import ROOT

pytestmark = pytest.mark.once(on="sqlite")

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"(?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)")

Job = dict[str, Any]


def jobs(workflow: Path) -> dict[str, Job]:
    found: dict[str, Job] = yaml.safe_load(workflow.read_text())["jobs"]
    return found


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(workflow).values() for step in job.get("steps", [])]


def targets(commands: str) -> set[str]:
    """What follows ``make`` in the lines of a script, less options and variables."""
    typed = re.findall(r"(?m)^\s*(?:if )?make ([^#;\n]*)", commands)
    words = {word for line in typed for word in line.split()}
    return {word for word in words if not word.startswith("-") and "=" not in word}


def typed_in(workflow: Path) -> set[str]:
    return set().union(*(targets(step["run"]) for step in steps(workflow) if "run" in step))


def name(workflow: Path) -> str:
    return workflow.name


each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=name)


@each_workflow
def test_every_step_is_a_target_of_the_makefile(workflow: Path) -> None:
    makefile = set(re.findall(r"(?m)^([a-z0-9.-]+):", (ROOT / "Makefile").read_text()))
    for step in steps(workflow):
        if "run" in step:
            assert re.fullmatch(r"make [a-z0-9. -]+", step["run"]), step
            assert targets(step["run"]) <= makefile, step


@each_workflow
def test_every_action_is_pinned_to_a_commit_whose_version_is_named(workflow: Path) -> None:
    used = re.findall(r"(?m)^\s*(?:- )?uses: (.+)$", workflow.read_text())
    assert used
    for each in used:
        assert each.startswith("./.github/workflows/") or PINNED.fullmatch(each), each


def test_an_action_has_the_same_commit_everywhere() -> None:
    """Paths of one repository, such as codeql-action/init and /analyze, count as one action."""
    commits: dict[str, set[str]] = {}
    for workflow in WORKFLOWS:
        for found in PINNED.finditer(workflow.read_text()):
            repository = "/".join(found["action"].split("/")[:2])
            commits.setdefault(repository, set()).add(f"{found['commit']} {found['version']}")
    assert {action for action, pins in commits.items() if len(pins) > 1} == set()


@each_workflow
def test_every_job_has_the_permissions_that_it_names_and_a_timeout(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text())["permissions"] == {}
    for job in jobs(workflow).values():
        assert isinstance(job["permissions"], dict)
        assert "uses" in job or job["timeout-minutes"] <= 90


def test_a_change_of_somebody_else_gets_no_right_to_write() -> None:
    """What runs for a pull request may read, and upload what it has found in the code."""
    for workflow in WORKFLOWS:
        text = workflow.read_text()
        assert "pull_request_target" not in text
        assert "secrets." not in text
        assert "secrets: inherit" not in text
        if re.search(r"(?m)^  pull_request:", text):
            for job in jobs(workflow).values():
                written = {right for right, way in job["permissions"].items() if way == "write"}
                assert written <= {"security-events"}


@each_workflow
def test_no_checkout_keeps_the_token(workflow: Path) -> None:
    checkouts = [each for each in steps(workflow) if "actions/checkout@" in each.get("uses", "")]
    assert checkouts
    for step in checkouts:
        assert step["with"]["persist-credentials"] is False


@each_workflow
def test_runs_for_the_same_change_replace_one_another_but_releases_do_not(workflow: Path) -> None:
    concurrency = yaml.safe_load(workflow.read_text())["concurrency"]
    assert "github.ref" in concurrency["group"]
    assert bool(concurrency["cancel-in-progress"]) is (workflow.name != "release.yml")


def test_ci_on_github_runs_what_ci_runs_elsewhere() -> None:
    elsewhere = targets((ROOT / ".ci/run").read_text())
    assert "lint" in elsewhere
    assert elsewhere <= typed_in(ROOT / ".github/workflows/ci.yml")


def test_ci_runs_on_every_version_of_kubernetes_that_kind_has_here() -> None:
    images = (ROOT / "e2e/kind/images.txt").read_text().splitlines()
    versions = [line.split()[0] for line in images]
    matrix = jobs(ROOT / ".github/workflows/ci.yml")["kubernetes"]["strategy"]["matrix"]
    assert matrix["kubernetes"] == versions
    for version, image in map(str.split, images):
        assert re.fullmatch(rf"kindest/node:v{version}\.\d+@sha256:[0-9a-f]{{64}}", image)


def test_nothing_is_published_before_all_tests_have_passed() -> None:
    release = jobs(ROOT / ".github/workflows/release.yml")
    assert release["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert release["ci"]["needs"] == "check"
    assert release["publish"]["needs"] == "ci"
    assert release["notes"]["needs"] == "publish"
