"""Install the programs that a list names into a folder: ``tools.py LIST FOLDER``.

Each is downloaded unless the folder has it, and refused unless it has the checksum of the list.
``tools.py LIST --renew`` writes the checksums of what is downloaded now into the list instead.
"""

import hashlib
import io
import platform
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import NamedTuple, Self

# As the archives' names have it, for each name that Linux gives.
MACHINES = {"x86_64": ("amd64", "x86_64"), "aarch64": ("arm64", "arm64")}
NONE = "-"  # no checksum, or no archive around the program


class Tool(NamedTuple):
    """A line of the list."""

    name: str
    version: str
    amd64: str
    arm64: str
    archive: str
    member: str

    @classmethod
    def read(cls, line: str) -> Self | None:
        """None for a comment or an empty line."""
        return cls(*line.split()) if line.strip() and not line.startswith("#") else None

    def filled_in(self, text: str, machine: str) -> str:
        arch, name = MACHINES[machine]
        number = self.version.removeprefix("v")
        return text.format(version=self.version, number=number, arch=arch, machine=name)

    def download(self, machine: str) -> bytes:
        address = self.filled_in(self.archive, machine)
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                downloaded: bytes = answer.read()
        except OSError as error:
            sys.exit(f"{self.name}: {address} cannot be downloaded: {error}")
        return downloaded

    def program(self, downloaded: bytes, machine: str) -> bytes:
        """What the archive has in it."""
        if self.member == NONE:
            return downloaded
        with tarfile.open(fileobj=io.BytesIO(downloaded)) as archive:
            member = archive.extractfile(self.filled_in(self.member, machine))
            assert member, f"{self.member} is no file"
            return member.read()

    def install(self, folder: Path, machine: str) -> None:
        expected = self.amd64 if MACHINES[machine][0] == "amd64" else self.arm64
        program, stamp = folder / self.name, folder / f".{self.name}"
        if program.exists() and stamp.exists() and stamp.read_text() == expected:
            return
        if expected == NONE:
            sys.exit(f"{self.name}: the list has no checksum for {machine}. Install it yourself.")
        downloaded = self.download(machine)
        found = hashlib.sha256(downloaded).hexdigest()
        if found != expected:
            sys.exit(
                f"{self.name} {self.version}: the download has the checksum {found}, and the list"
                f" {expected}. If only the version was changed, run `make lock-tools`."
            )
        new = folder / f"{self.name}.new"
        new.write_bytes(self.program(downloaded, machine))
        new.chmod(0o755)
        new.rename(program)
        stamp.write_text(expected)
        print(f"{self.name} {self.version}")

    def renewed(self) -> str:
        """The line with the checksums of what its addresses have now."""
        amd64, arm64 = (
            hashlib.sha256(self.download(machine)).hexdigest() for machine in ("x86_64", "aarch64")
        )
        return " ".join(self._replace(amd64=amd64, arm64=arm64))


def main(file: Path, target: str) -> None:
    lines = file.read_text().splitlines()
    tools = [tool for tool in map(Tool.read, lines) if tool]
    if target == "--renew":
        renewed = {" ".join(tool): tool.renewed() for tool in tools}
        file.write_text("".join(f"{renewed.get(line, line)}\n" for line in lines))
        return
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in MACHINES:
        names = ", ".join(f"{tool.name} {tool.version}" for tool in tools)
        sys.exit(f"Only programs for Linux on amd64 and arm64 are listed. Install: {names}")
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    for tool in tools:
        tool.install(folder, machine)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
