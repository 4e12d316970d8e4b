"""The documents: links and names lead somewhere, and two languages say the same.

e2e/docs types their commands.
"""

import re
from pathlib import Path

import pytest

from tests.process import ROOT, manage

pytestmark = pytest.mark.once(on="sqlite")

DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
BLOCKS = r"(?ms)^```(?:sh|console)[^\n]*\n.*?^```|^<!-- .*? -->$"  # what e2e/docs/page.py reads


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z0-9.-]+):", (ROOT / "Makefile").read_text()))
    for document in DOCUMENTS:
        named = set(
            re.findall(r"(?m)(?:`|^)make ([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)", document.read_text())
        )
        assert named <= targets, document


def test_commands_are_those_of_a_checkout_or_run_in_a_container() -> None:
    """`make install` makes .venv, and only the image has its interpreter in the PATH."""
    for document in DOCUMENTS:
        for line in document.read_text().splitlines():
            for before in re.findall(r"(.*?)python3? (?:manage\.py|-m )", line):
                in_container = re.search(
                    r"(docker(-compose)?|kubectl) .*(exec|run|debug) .*$|command is `$", before
                )
                assert before.endswith(".venv/bin/") or in_container, f"{document}: {line}"


def test_every_link_between_the_documents_leads_to_a_file() -> None:
    for document in DOCUMENTS:
        for target in linked_files(document):
            assert target.exists(), f"{document}: {target}"


def linked_files(document: Path) -> list[Path]:
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", document.read_text())
    return [(document.parent / link).resolve() for link in links]


def test_every_heading_that_a_link_names_exists() -> None:
    for document in DOCUMENTS:
        for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", document.read_text()):
            page = document.parent / link if link else document
            assert anchor in anchors(page), f"{document}: {link}#{anchor}"


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text())
    headings = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_document_is_reachable_from_the_map() -> None:
    found: set[Path] = set()
    ahead = [ROOT / "docs/index.md"]
    while ahead:
        page = ahead.pop()
        if page.suffix != ".md" or page in found:
            continue
        found.add(page)
        ahead += linked_files(page)
    assert set(ROOT.glob("docs/**/*.md")) <= found


def test_the_map_names_every_document_but_the_pages_of_a_folder() -> None:
    """A folder with a README.md has its own table of contents."""
    named = set(linked_files(ROOT / "docs/index.md"))
    assert {page for page in ROOT.glob("docs/*.md") if page.name != "index.md"} <= named
    assert set(ROOT.glob("docs/*/README.md")) <= named


def test_the_readme_is_the_same_in_both_languages() -> None:
    english, portuguese = ((ROOT / name).read_text() for name in ("README.md", "README.pt.md"))
    assert re.findall(BLOCKS, portuguese) == re.findall(BLOCKS, english)
    assert english.count("\n#") == portuguese.count("\n#")
    assert "(README.pt.md)" in english
    assert "(README.md)" in portuguese


def test_every_file_that_the_documents_name_exists() -> None:
    packages = "server|project|tasklists|rest|service|tests|chart|bench|e2e|docs"
    for document in DOCUMENTS:
        named = re.findall(rf"`((?:{packages})/[\w./-]*)`", document.read_text())
        assert not [name for name in named if not (ROOT / name).exists()], document


def test_the_tutorial_has_the_same_pages_in_both_languages() -> None:
    english, portuguese = (
        sorted(page.name for page in (ROOT / "docs/tutorial" / language).iterdir())
        for language in ("en", "pt")
    )
    assert portuguese == english


@pytest.mark.parametrize(
    "page", sorted(page.name for page in (ROOT / "docs/tutorial/en").iterdir())
)
def test_a_page_of_the_tutorial_has_the_same_commands_in_both_languages(page: str) -> None:
    english, portuguese = (
        re.findall(BLOCKS, (ROOT / "docs/tutorial" / language / page).read_text())
        for language in ("en", "pt")
    )
    assert portuguese == english


def test_what_is_pasted_from_the_tutorial_has_no_comments() -> None:
    """The zsh of macOS takes a pasted comment for arguments."""
    for page in ROOT.glob("docs/tutorial/*/*.md"):
        for block in re.findall(r"(?ms)^```sh[^\n]*\n(.*?)^```", page.read_text()):
            assert not re.search(r"(?m)(^|\s)# ", block), f"{page}: {block}"


def test_the_tutorial_leads_to_both_languages_and_to_all_pages() -> None:
    tutorial = ROOT / "docs/tutorial"
    entrance = (tutorial / "README.md").read_text()
    for language, other in (("en", "pt"), ("pt", "en")):
        assert f"({language}/README.md)" in entrance
        contents = (tutorial / language / "README.md").read_text()
        for page in (tutorial / language).glob("*.md"):
            assert page.name == "README.md" or f"({page.name})" in contents, page
            assert f"(../{other}/{page.name})" in page.read_text(), page


def test_every_command_of_manage_that_the_documents_name_exists() -> None:
    listed = set(re.findall(r"(?m)^ {4}(\w+)$", manage("help").stdout))
    for document in DOCUMENTS:
        named = set(re.findall(r"manage\.py (\w+)", document.read_text()))
        assert named <= listed, document
