"""`.ci/publish`, with programs that note how they are called: the real ones need a registry."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.process import ROOT

pytestmark = pytest.mark.once(on="sqlite")

IMAGE = "ghcr.io/owner/todo@sha256:" + "a" * 64
CHART = "ghcr.io/owner/todo/charts/tasklists@sha256:" + "b" * 64

# Each notes its arguments; docker and helm4 answer as the real ones do.
NOTES = f"""\
#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case "$(basename "$0") $1" in
  "docker buildx")
    for each; do case $each in --metadata-file=*) file=${{each#*=}} ;; esac; done
    echo '{{"containerimage.digest": "sha256:{"a" * 64}", "image.name": "x"}}' >"$file"
    ;;
  "helm4 push")
    echo "Pushed: ghcr.io/owner/todo/charts/tasklists:0.3.0" >&2
    [ -n "$NO_DIGEST" ] || echo "Digest: sha256:{"b" * 64}" >&2
    ;;
esac
"""


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        self.output = folder / "output"
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        (folder / "CHANGELOG.md").write_text("## [0.3.0]\n\n- A thing.\n\n## [0.3.0-rc.1]\n\n- x\n")
        programs = folder / "programs"
        programs.mkdir()
        for name in ("docker", "helm4", "cosign", "gh"):
            program = programs / name
            program.write_text(NOTES)
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "GITHUB_OUTPUT": str(self.output),
            "TAG": "v0.3.0",
            "REPOSITORY": "Owner/Todo",
            "NO_DIGEST": "",
        }
        commit = ["commit", "--quiet", "--allow-empty", "--message=x"]
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
        author = ["-c", "user.name=x", "-c", "user.email=x"]
        subprocess.run(["git", *author, *commit], cwd=folder, check=True)

    def publish(self, part: str, **environment: str) -> int:
        command = [str(self.folder / ".ci/publish"), part]
        return subprocess.run(
            command, env=self.environment | environment, capture_output=True, check=False
        ).returncode

    def called(self, program: str) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line for line in lines if line.startswith(f"{program} ")]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_what_was_pushed_is_signed_by_its_digest(checkout: Checkout) -> None:
    for part in ("image", "chart", "signatures"):
        assert checkout.publish(part) == 0
    assert checkout.called("cosign") == [f"cosign sign --yes {IMAGE} {CHART}"]


def test_later_jobs_get_the_digests(checkout: Checkout) -> None:
    checkout.publish("image")
    checkout.publish("chart")
    assert checkout.output.read_text() == f"image={IMAGE}\nchart={CHART}\n"


def test_the_image_is_for_both_machines_and_says_how_it_was_built(checkout: Checkout) -> None:
    checkout.publish("image")
    (call,) = checkout.called("docker")
    for option in (
        "--platform=linux/amd64,linux/arm64",
        "--sbom=true",
        "--provenance=mode=max",
        "--build-arg=VERSION=0.3.0",
        "--tag=ghcr.io/owner/todo:0.3.0",
        "--push",
    ):
        assert option in call.split()


def test_the_chart_goes_to_the_same_registry(checkout: Checkout) -> None:
    checkout.publish("chart")
    package, push = checkout.called("helm4")
    assert package == "helm4 package chart --destination=dist"
    assert push == "helm4 push dist/tasklists-0.3.0.tgz oci://ghcr.io/owner/todo/charts"


def test_nothing_is_signed_without_a_digest(checkout: Checkout) -> None:
    checkout.publish("image")
    assert checkout.publish("chart", NO_DIGEST="yes")
    assert checkout.publish("signatures")
    assert checkout.called("cosign") == []


@pytest.mark.parametrize(("tag", "is_candidate"), [("v0.3.0", False), ("v0.3.0-rc.1", True)])
def test_the_release_has_the_notes(checkout: Checkout, tag: str, is_candidate: bool) -> None:
    assert checkout.publish("notes", TAG=tag, IMAGE=IMAGE, CHART=CHART) == 0
    (call,) = checkout.called("gh")
    assert call.startswith(f"gh release create {tag} --verify-tag ")
    assert ("--prerelease" in call) is is_candidate
    notes = (checkout.folder / "dist/notes.md").read_text()
    assert notes.startswith("- x\n" if is_candidate else "- A thing.\n")
    assert IMAGE in notes
    assert CHART in notes
