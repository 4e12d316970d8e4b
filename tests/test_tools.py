"""`make tools`: programs by checksum."""

import hashlib
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.process import ROOT

pytestmark = pytest.mark.once(on="sqlite")

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
WRONG = "0" * 64


def tools(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci/tools.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Site:
    """A folder from which one program is downloaded, and the list that names it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.list = folder / "tools.txt"
        self.installed = folder / "installed"

    def publish(self, says: str) -> None:
        """Put the program into an archive for each machine, and make a new one of it."""
        for arch in ("amd64", "arm64"):
            program = self.folder / "program"
            program.write_text(f"#!/bin/sh\necho {says} for {arch}\n")
            with tarfile.open(self.folder / f"hello-1.0-{arch}.tar.gz", "w:gz") as archive:
                archive.add(program, f"linux-{arch}/hello")

    def checksum(self, arch: str) -> str:
        archive = self.folder / f"hello-1.0-{arch}.tar.gz"
        return hashlib.sha256(archive.read_bytes()).hexdigest()

    def name(self, amd64: str, arm64: str) -> None:
        address = f"file://{self.folder}/hello-{{number}}-{{arch}}.tar.gz"
        self.list.write_text(
            f"# a comment\n\nhello v1.0 {amd64} {arm64} {address} linux-{{arch}}/hello\n"
        )

    def name_right(self) -> None:
        self.name(self.checksum("amd64"), self.checksum("arm64"))

    def says(self) -> str:
        return subprocess.check_output([self.installed / "hello"], text=True)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.publish("hello")
    return site


def test_a_program_with_the_right_checksum_is_installed(site: Site) -> None:
    site.name_right()
    done = tools(site.list, site.installed)
    assert (done.returncode, done.stdout) == (0, "hello v1.0\n"), done.stderr
    assert site.says() == f"hello for {ARCH}\n"


def test_what_is_there_is_not_downloaded_again(site: Site) -> None:
    site.name_right()
    tools(site.list, site.installed)
    (site.folder / f"hello-1.0-{ARCH}.tar.gz").unlink()
    done = tools(site.list, site.installed)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_another_checksum_in_the_list_replaces_the_program(site: Site) -> None:
    site.name_right()
    tools(site.list, site.installed)
    site.publish("good morning")
    site.name_right()
    tools(site.list, site.installed)
    assert site.says() == f"good morning for {ARCH}\n"


def test_a_program_with_another_checksum_is_refused(site: Site) -> None:
    site.name(WRONG, WRONG)
    done = tools(site.list, site.installed)
    assert done.returncode
    assert site.checksum(ARCH) in done.stderr
    assert "make lock-tools" in done.stderr
    assert not (site.installed / "hello").exists()


def test_a_program_without_a_checksum_is_refused(site: Site) -> None:
    site.name("-", "-")
    done = tools(site.list, site.installed)
    assert "hello: the list has no checksum" in done.stderr
    assert not (site.installed / "hello").exists()


def test_a_download_that_fails_is_named(site: Site) -> None:
    site.name_right()
    (site.folder / f"hello-1.0-{ARCH}.tar.gz").unlink()
    done = tools(site.list, site.installed)
    assert (
        f"hello: file://{site.folder}/hello-1.0-{ARCH}.tar.gz cannot be downloaded" in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_renewing_writes_the_checksums_and_leaves_the_rest(site: Site) -> None:
    site.name(WRONG, "-")
    assert tools(site.list, "--renew").returncode == 0
    renewed = site.list.read_text()
    site.name_right()
    assert renewed == site.list.read_text()
    assert tools(site.list, site.installed).returncode == 0


def test_the_list_has_a_checksum_for_every_program() -> None:
    """CI runs on amd64."""
    for line in (ROOT / ".ci/tools.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            assert len(bytes.fromhex(line.split()[2])) == 32, line
