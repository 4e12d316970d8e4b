"""The reader itself: it finds what is not so."""

from pathlib import Path

import pytest

from e2e.docs.page import PageError
from e2e.docs.reader import reading
from e2e.docs.terminal import TypingError


def follow(text: str, folder: Path) -> None:
    page = folder / "page.md"
    page.write_text(text)
    with reading(page, folder) as reader:
        reader.follow()


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("```sh\necho a\n```\n```console\n$ echo a\na\n```\n", id="output"),
        pytest.param("```console\n$ seq 9\n1\n...\n9\n```\n", id="lines-left-out"),
        pytest.param("```console\n$ echo a b c\na ... c\n```\n", id="words-left-out"),
        pytest.param("```console\n$ printf 'a    b\\n'\na b\n```\n", id="column-widths"),
        pytest.param("```console\n$ date -u +%FT%TZ\n2026-01-02T03:04:05Z\n```\n", id="times"),
        pytest.param("```console\n$ ls nowhere\nls: ...\n```\n", id="shown-failure"),
        pytest.param("```sh\nx=5\n```\n```console\n$ echo $x\n5\n```\n", id="one-shell"),
        pytest.param("```sh\nfor i in 1 2; do\n  echo $i\ndone\n```\n", id="loop"),
        pytest.param("```sh\ncat > f <<END\na\nEND\ntest -s f\n```\n", id="here-document"),
        pytest.param("```console\n$ yes\ny\ny\n^C\n$ echo a\na\n```\n", id="ctrl-c"),
        pytest.param("```console\n$ sh\n$ echo $0\nsh\n$ exit\n```\n", id="shell-inside"),
        pytest.param("<!-- NAME = echo a -->\n```console\n$ echo NAME\na\n```\n", id="placeholder"),
        pytest.param(
            "<!-- NAME = echo a -->\n```console\n$ echo USERNAME\nUSERNAME\n```\n",
            id="part-of-a-word",
        ),
        pytest.param("```console\n$ printf 'a\tb\\n'\na b\n```\n", id="tab"),
        pytest.param("```console\n$ printf '\\033(B\\033[ma\\n'\na\n```\n", id="escapes"),
        pytest.param("```\nno command\n```\n```text\nneither\n```\n", id="other-block"),
        pytest.param("```sh untested: no printer\nlpr paper\n```\n", id="untested"),
        pytest.param(
            "```sh second terminal\nyes > f\n```\n```sh\nuntil test -s f; do sleep 1; done\n```\n"
            "```sh second terminal\necho a\n```\n",
            id="second-terminal",
        ),
        pytest.param(
            "```sh second terminal\nyes\n```\n```console second terminal\n$ yes\ny\n^C\n```\n",
            id="shown-in-second-terminal",
        ),
    ],
)
def test_a_page_that_is_right_passes(page: str, tmp_path: Path) -> None:
    follow(page, tmp_path)


@pytest.mark.parametrize(
    ("page", "named"),
    [
        pytest.param("```sh\nls nowhere\n```\n", "ls nowhere", id="failure"),
        pytest.param("```sh\necho b\n```\n```console\n$ echo b\na\n```\n", "echo b", id="output"),
        pytest.param("```console\n$ seq 2\n1\n```\n", "seq 2", id="more-lines"),
        pytest.param("```console\n$ seq 2\n1\n2\n3\n```\n", "seq 2", id="fewer-lines"),
        pytest.param("```console\n$ echo a\na\n^C\n$ seq 3\n4\n^C\n```\n", "seq 3", id="ends"),
        pytest.param("```console\n$ cat nowhere\n```\n", "cat nowhere", id="shown-as-silent"),
        pytest.param("<!-- NAME = true -->\n```sh\necho NAME\n```\n", "true", id="placeholder"),
        pytest.param("text\n\n```sh\ntrue\nfalse\n```\n", "line 5: false", id="line"),
        pytest.param("```sh\ntrue\nexit 3\ntrue\n```\n", "line 3: exit 3", id="shell-ends"),
        pytest.param(
            "```console\n$ seq 3000\n...\n1...\n...\n2...\n...\n3...\n...\nno\n...\n```\n",
            "seq 3000",
            id="many-lines",
        ),
        pytest.param(
            "```sh second terminal\necho $((6 * 7)) is the cause\n```\n```sh\nfalse\n```\n",
            "42 is the cause",
            id="other-terminal",
        ),
        pytest.param(
            "```sh\necho $((6 * 7)) is the cause\ntrue\nfalse\n```\n",
            "42 is the cause",
            id="before",
        ),
    ],
)
def test_what_is_not_so_is_named(page: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(TypingError) as failure:
        follow(page, tmp_path)
    assert named in str(failure.value)
    assert "page.md" in str(failure.value)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("```sh third terminal\ntrue\n```\n", id="info"),
        pytest.param("```sh untested:\ntrue\n```\n", id="no-reason"),
        pytest.param("```sh\nfor i in 1; do\n```\n", id="half-a-command"),
        pytest.param("```console\nhello\n```\n", id="no-command"),
        pytest.param("```console\n$ echo 'a\nb'\na\nb\n```\n", id="half-a-shown-command"),
        pytest.param("```bash\ntrue\n```\n", id="bash"),
        pytest.param("~~~sh\ntrue\n~~~\n", id="tildes"),
        pytest.param("``` sh\ntrue\n```\n", id="blank"),
        pytest.param("- a\n\n  ```sh\n  true\n  ```\n", id="indented"),
        pytest.param("> ```sh\n> true\n> ```\n", id="quoted"),
        pytest.param("```sh\ntrue\n", id="no-end"),
    ],
)
def test_a_fence_without_meaning_is_refused(page: str, tmp_path: Path) -> None:
    with pytest.raises(PageError):
        follow(page, tmp_path)
