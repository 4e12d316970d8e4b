"""The README's console blocks: each command prints what is written below it."""

import argparse
import re
import shlex
import subprocess
from collections.abc import Callable

import pytest
import requests

from tests.service import ROOT, Service, environment, manage

TIME = re.compile(r'"\d{4}-\d\d-\d\dT[\d:.]+Z"')


def blocks() -> list[list[tuple[str, str]]]:
    """The ``console`` blocks, each as its commands and what they print."""
    readme = (ROOT / "README.md").read_text()
    found = re.findall(r"(?ms)^```console\n(.*?)^```", readme)
    return [re.findall(r"(?m)^\$ (.*)\n((?:(?!\$ ).*\n)*)", block) for block in found]


def run(command: str, url: str) -> str:
    """What a command prints; curl's is asked for here, since not every machine has curl."""
    words = shlex.split(command)
    if words[0] != "curl":
        result = subprocess.run(
            ["sh", "-c", command],
            cwd=ROOT,
            env=environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return result.stdout
    curl = argparse.ArgumentParser()
    curl.add_argument("-X", default="GET")
    curl.add_argument("-H", action="append", default=[])
    curl.add_argument("-d")
    curl.add_argument("url")
    options = curl.parse_args(words[1:])
    headers = dict(header.split(": ", 1) for header in options.H)
    address = options.url.replace("localhost:5000", url)
    return requests.request(options.X, address, headers=headers, data=options.d, timeout=30).text


@pytest.mark.parametrize("block", blocks())
def test_commands_print_what_the_readme_says(
    block: list[tuple[str, str]], serve: Callable[..., Service]
) -> None:
    service = serve()
    for command, printed in block:
        output = run(command, service.url)
        assert TIME.sub("TIME", output.strip()) == TIME.sub("TIME", printed.strip())


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):", (ROOT / "Makefile").read_text()))
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        named = set(re.findall(r"(?m)(?:`|^)make ([a-z0-9-]+)", document.read_text()))
        assert named <= targets, document


def test_the_tutorial_has_the_same_commands_in_both_languages() -> None:
    english, portuguese = (
        re.findall(r"(?ms)^```sh\n(.*?)^```", (ROOT / "docs/tutorial" / page).read_text())
        for page in ("README.md", "pt.md")
    )
    assert english
    assert portuguese == english


def test_manage_lists_the_commands_that_the_readme_names() -> None:
    listed = manage("help").stdout
    for command in ["serve", "migrate", "ensure_admin", "createsuperuser"]:
        assert f"    {command}\n" in listed
