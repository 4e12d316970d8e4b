"""The documents: docs/api.md prints what the service prints, and links and names lead somewhere.

e2e/docs types the commands of all pages for real. Those of docs/api.md also run here, without
curl and a terminal: in a ``console`` block each command is followed by what it prints. A line of
``...`` there stands for any number of lines; times and tokens only have to look alike.
``make run``, with variables before it, starts the service anew on the same database.
"""

import argparse
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from string import Template

import pytest
import requests

from tests.process import ROOT, Service, environment, manage

pytestmark = pytest.mark.once(on="sqlite")

BLOCK = re.compile(r"(?ms)^```(sh|console)(?: second terminal)?\n(.*?)^```")
COMMAND = re.compile(r"(?m)^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)")
SERVE = re.compile(r"(?m)^((?:[A-Z_]+=\S+ )*)make run$")
ASSIGNMENT = re.compile(r"([A-Z_]+)=\$\((.*)\)")
TIME = re.compile(r'"\d{4}-\d\d-\d\dT[\d:.]+Z"')
TOKEN = re.compile(r"\b[0-9a-f]{40}\b")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


class Shell:
    """Runs commands on the service's database, and keeps the variables that they set."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.variables: dict[str, str] = {}

    def run(self, command: str, service: Service) -> str:
        """What a command prints. curl is asked for here, since not every machine has it."""
        if assignment := ASSIGNMENT.fullmatch(command):
            self.variables[assignment[1]] = self.execute(assignment[2]).strip()
            return ""
        if command.startswith("curl "):
            return curl(Template(command).substitute(self.variables), service)
        return self.execute(command)

    def execute(self, command: str) -> str:
        result = subprocess.run(
            ["sh", "-c", command],
            cwd=ROOT,
            env=environment({"DATABASE_URL": self.database_url}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return result.stdout


def curl(command: str, service: Service) -> str:
    """What curl would print: the body, after the head with ``-i``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-X")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("--json")
    parser.add_argument("url")
    options = parser.parse_args(shlex.split(command)[1:])
    headers = {"Host": "localhost:5000"}
    if options.json is not None:
        headers |= {"Content-Type": "application/json", "Accept": "application/json"}
    headers |= dict(header.split(": ", 1) for header in options.H)
    body = options.d if options.json is None else options.json
    response = requests.request(
        options.X or ("GET" if body is None else "POST"),
        options.url.replace("localhost:5000", service.url),
        headers=headers,
        data=body,
        allow_redirects=False,
        timeout=30,
    )
    if not options.i:
        return response.text
    head = [f"HTTP/1.1 {response.status_code} {response.reason}"]
    head += [f"{name}: {value}" for name, value in response.headers.items()]
    return "\n".join([*head, "", response.text])


def in_shape(text: str) -> str:
    """The text with one time and one token in place of all others, and one end."""
    return TOKEN.sub("TOKEN", TIME.sub("TIME", f"{text.strip()}\n"))


def test_commands_of_the_api_print_what_the_document_says(
    database_url: str, serve: Callable[..., Service]
) -> None:
    document = "docs/api.md"
    shell = Shell(database_url)
    service: Service | None = None
    for language, block in BLOCK.findall((ROOT / document).read_text()):
        if language == "sh":
            if command := SERVE.search(block):
                service = serve(**dict(each.split("=", 1) for each in command[1].split()))
            continue
        assert service is not None, "no `make run` before the first console block"
        for command, printed in COMMAND.findall(block):
            output = in_shape(shell.run(command.replace("\\\n", ""), service))
            expected = "".join(
                "(?:.*\n)*?" if line == "..." else f"{re.escape(line)}\n"
                for line in in_shape(printed).splitlines()
            )
            assert re.fullmatch(expected, output), f"{document}: {command}\nprints\n{output}"


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
        for link in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document}: {link}"


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
        links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text())
        ahead += [(page.parent / link).resolve() for link in links]
    assert set(ROOT.glob("docs/**/*.md")) <= found


def test_the_map_names_every_document_but_the_pages_of_a_folder() -> None:
    """A folder with a README.md has its own table of contents."""
    linked = re.findall(r"\]\(([^)#]+)\)", (ROOT / "docs/index.md").read_text())
    named = {(ROOT / "docs" / link).resolve() for link in linked}
    assert {page for page in ROOT.glob("docs/*.md") if page.name != "index.md"} <= named
    assert set(ROOT.glob("docs/*/README.md")) <= named


def test_the_readme_is_the_same_in_both_languages() -> None:
    english, portuguese = ((ROOT / name).read_text() for name in ("README.md", "README.pt.md"))
    fences = r"(?ms)^```((?:sh|console)[^\n]*\n.*?)^```"
    assert re.findall(fences, portuguese) == re.findall(fences, english)
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
        re.findall(
            r"(?ms)^```(?:sh|console)[^\n]*\n.*?^```|^<!-- .*? -->$",
            (ROOT / "docs/tutorial" / language / page).read_text(),
        )
        for language in ("en", "pt")
    )
    assert portuguese == english


def test_the_tutorial_leads_to_both_languages_and_to_all_pages() -> None:
    tutorial = ROOT / "docs/tutorial"
    entrance = (tutorial / "README.md").read_text()
    for language, other in (("en", "pt"), ("pt", "en")):
        assert f"({language}/README.md)" in entrance
        contents = (tutorial / language / "README.md").read_text()
        for page in (tutorial / language).glob("*.md"):
            assert page.name == "README.md" or f"({page.name})" in contents, page
            assert f"(../{other}/{page.name})" in page.read_text(), page


def test_manage_lists_the_commands_that_the_readme_names() -> None:
    listed = manage("help").stdout
    for command in ["serve", "migrate", "ensure_admin", "createsuperuser"]:
        assert f"    {command}\n" in listed
