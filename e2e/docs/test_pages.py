"""The documents, typed: what they say is printed is printed, and they clean up."""

import re
from pathlib import Path

import pytest

from e2e.docs.conftest import ROOT
from e2e.docs.reader import reading
from e2e.room import room

PAGES = ["README.md", "docs/api.md", "docs/docker.md", "docs/kubernetes.md", "docs/monitoring.md"]
TUTORIAL = "docs/tutorial/en"  # tests/test_documents.py compares the other language with it
GOES_ON = "<!-- The next page goes on with what this one makes. -->"


def walks() -> list[list[str]]:
    """What is typed in one room: a page, with the pages of the tutorial that go on with it."""
    found = [[page] for page in PAGES]
    goes_on = False
    for page in sorted((ROOT / TUTORIAL).glob("*-*.md"), key=number):
        name = str(page.relative_to(ROOT))
        if goes_on:
            found[-1].append(name)
        else:
            found.append([name])
        goes_on = GOES_ON in page.read_text()
    return found


def number(page: Path) -> int:
    match = re.match(r"\d+", page.name)
    assert match, page
    return int(match[0])


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("pages", walks(), ids=" ".join)
def test_the_commands_print_what_the_page_shows(pages: list[str], checkout: Path) -> None:
    with room():
        for page in pages:
            with reading(checkout / page, checkout) as reader:
                reader.follow()
