"""What is in the image, and what is not."""

import hashlib
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from e2e.docker.terminal import BUILD_SECONDS, ROOT, Terminal

Files = dict[str, tuple[Any, ...]]

ROOMS = ("project", "rest", "server", "service", "tasklists")


def in_image(terminal: Terminal, command: str, user: str = "10001") -> str:
    return terminal(f"docker run --rm --user {user} app:latest {command}")


def config(terminal: Terminal, image: str) -> dict[str, Any]:
    """What an image says of itself, less what only tells which builder made it."""
    config: dict[str, Any] = terminal.inspect(image, "image")["Config"]
    keys = ("User", "Env", "Cmd", "Entrypoint", "Volumes", "WorkingDir", "Labels", "ExposedPorts")
    return {key: config.get(key) for key in (*keys, "Healthcheck")}


def files(terminal: Terminal, image: str) -> Files:
    """Each file's type, permissions, owner, group, target and content's hash."""
    container = terminal(f"docker create {image}")
    export = subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE)
    try:
        with export, tarfile.open(fileobj=export.stdout, mode="r|") as archive:
            found = {member.name: description(archive, member) for member in archive}
    finally:
        terminal(f"docker rm -v {container}")
    assert export.returncode == 0
    return found


def description(archive: tarfile.TarFile, file: tarfile.TarInfo) -> tuple[Any, ...]:
    content = archive.extractfile(file) if file.isfile() else None
    digest = hashlib.sha256(content.read()).hexdigest() if content else ""
    return file.type, file.mode, file.uid, file.gid, file.linkname, digest


def remove_steps(terminal: Terminal, output: str) -> None:
    """Remove what the legacy builder leaves of a build's first stage: an image for each step."""
    tags = "docker image inspect -f '{{len .RepoTags}}'"
    for step in reversed(re.findall(r"^ ---> ([0-9a-f]{12})$", output, re.MULTILINE)):
        if terminal.run(f"{tags} {step}").stdout.strip() == "0":  # else it is gone, or a base image
            terminal.run(f"docker image rm {step}")


def test_it_says_what_it_is(terminal: Terminal) -> None:
    says = config(terminal, "app:latest")
    assert says["User"] == "10001:0"
    assert says["Cmd"] == ["python", "manage.py", "serve"]
    assert not says["Entrypoint"]
    assert says["ExposedPorts"] == {"5000/tcp": {}}
    assert says["Volumes"] == {"/data": {}}
    assert "DATABASE_URL=sqlite:////data/tasklists.sqlite3" in says["Env"]
    assert says["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_labels_of_a_release(terminal: Terminal, own_name: str) -> None:
    release = {"VERSION": "1.2.3", "REVISION": "0123abc", "SOURCE": "https://example.com/tasklists"}
    options = " ".join(f"--build-arg {name}={value}" for name, value in release.items())
    try:
        terminal(f"docker build -t {own_name} {options} .", seconds=BUILD_SECONDS)
        labels = config(terminal, own_name)["Labels"]
    finally:
        terminal.run(f"docker image rm {own_name}")
    for name, value in release.items():
        assert labels[f"org.opencontainers.image.{name.lower()}"] == value


@pytest.mark.parametrize("builder", ["0", "1"], ids=["legacy", "buildkit"])
def test_a_second_build_is_the_same_file_by_file(
    terminal: Terminal, own_name: str, builder: str
) -> None:
    build = f"DOCKER_BUILDKIT={builder} docker build --no-cache -t {own_name} ."
    output = ""
    try:
        output = terminal(build, seconds=BUILD_SECONDS)
        assert config(terminal, own_name) == config(terminal, "app:latest")
        first, second = files(terminal, "app:latest"), files(terminal, own_name)
    finally:
        terminal.run(f"docker image rm {own_name}")
        remove_steps(terminal, output)
    changed = {name for name in first | second if first.get(name) != second.get(name)}
    assert changed == set()


def test_a_change_of_code_alone_installs_nothing_and_renews_one_layer(
    terminal: Terminal, own_name: str, tmp_path: Path
) -> None:
    for name in ("Dockerfile", ".dockerignore", "requirements.txt", "manage.py"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ROOMS:
        shutil.copytree(ROOT / name, tmp_path / name)

    def build(tag: str) -> tuple[str, list[str]]:
        command = f"DOCKER_BUILDKIT=1 docker build --progress=plain -t {own_name}:{tag} {tmp_path}"
        output = terminal(f"{command} 2>&1", seconds=BUILD_SECONDS)
        return output, terminal.inspect(f"{own_name}:{tag}", "image")["RootFS"]["Layers"]

    try:
        _, before = build("before")
        (tmp_path / "tasklists" / "new.py").write_text(f"# {own_name}\n")
        output, after = build("after")
    finally:
        terminal.run(f"docker image rm {own_name}:before {own_name}:after")
    assert len(before) == len(after)
    assert len(set(before) - set(after)) == 1
    install = re.search(r"^(#\d+) .* RUN python -m venv", output, re.MULTILINE)
    assert install
    assert f"{install[1]} CACHED" in output


def test_nothing_of_development_is_inside(terminal: Terminal) -> None:
    code = set(in_image(terminal, "ls -A /app").split())
    assert code == {"manage.py", "staticfiles", *ROOMS}
    packages = in_image(terminal, "ls /venv/lib/python3.13/site-packages").split()
    assert "django" in packages
    assert not {"pip", "setuptools", "pytest", "mypy"} & set(packages)
    unwanted = r"\( -name tests -o -name 'test_*.py' -o -name '*.sqlite3' -o -name '.env*' \)"
    assert in_image(terminal, f"find /venv /app /data /tmp {unwanted}") == ""
    assert in_image(terminal, "sh -c 'command -v gcc cc make git; true'") == ""


def test_every_module_has_bytecode(terminal: Terminal) -> None:
    modules = in_image(terminal, "find /venv /app -name '*.py' -not -name manage.py").split()
    compiled = set(in_image(terminal, "find /venv /app -name '*.pyc'").split())
    assert len(modules) > 500

    def bytecode(module: str) -> str:
        folder, _, name = module.rpartition("/")
        return f"{folder}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc"

    assert [module for module in modules if bytecode(module) not in compiled] == []


def test_the_user_may_write_to_data_and_temporary_folders_alone(terminal: Terminal) -> None:
    find = "find / -xdev -writable -not -type l -not -path '/proc/*'"
    writable = in_image(terminal, f'sh -c "{find} 2>/dev/null; true"').split()
    assert set(writable) == {"/data", "/tmp", "/var/tmp", "/run/lock"}
    assert in_image(terminal, "stat -c '%u:%g %a' /data") == "10001:0 770"


def test_packages_are_the_locked_ones(terminal: Terminal) -> None:
    metadata = in_image(
        terminal, """sh -c 'grep -hE -m2 "^(Name|Version):" /venv/lib/*/*/*/METADATA'"""
    )
    fields = [line.partition(": ")[2] for line in metadata.splitlines()]
    installed = {
        f"{name.lower().replace('_', '-')}=={version}"
        for name, version in zip(fields[::2], fields[1::2], strict=True)
    }
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    locked = {re.sub(r"\[.*\]", "", line.split()[0]) for line in lines if "==" in line}
    assert "django" in {name.partition("==")[0] for name in installed}
    assert installed - locked == set()
