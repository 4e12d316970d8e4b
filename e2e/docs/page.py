"""A Markdown page as the commands that its reader types, and what the page shows of their output.

Code fences say what is to be done with them:

``sh``
    Commands that the reader pastes. Each must succeed, unless the page shows what it prints.
``console``
    What the reader sees: ``$ COMMAND``, then what it prints. A command that the ``sh`` block
    before it has typed is not typed again: its output there is compared. Others are typed.
``sh second terminal``, ``console second terminal``
    The same in another shell.
``sh untested: REASON``
    Not executed, for this reason.

In what is shown, ``...`` stands for any text within a line, and a line of ``...`` for any number
of lines. A last line of ``^C`` says that the command goes on until the reader presses Ctrl+C. A
shell that a command opens (``-it``, ``sh``) gets the commands up to ``$ exit``.

``<!-- NAME = COMMAND -->`` says what the reader would put for NAME in the blocks that follow:
what COMMAND prints.
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"(?ms)^<!-- ([A-Z]+) = (.*?) -->$|^```(\w+)([^\n]*)\n(.*?)^```$")
# What Markdown takes for a fence, and other names of a shell.
ANY_FENCE = re.compile(r"(?m)^[> \t]*(?:```|~~~)[^\n]*")
SHELLS = ("bash", "shell", "zsh", "terminal", "cmd")
SHOWN_COMMAND = re.compile(r"(?m)^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)")
OPENS_SHELL = re.compile(r" -it |^(?:ba)?sh\b")
FIRST, SECOND = "first", "second"


class PageError(Exception):
    """A page that cannot be read as commands; the message names its line."""


@dataclass
class Command:
    """A command that the reader types."""

    text: str
    terminal: str
    line: int
    shown: str | None = None
    interrupted: bool = False  # the page shows that the reader presses Ctrl+C
    opens_shell: bool = False  # the commands until `exit` are typed into what this one starts

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass
class Block:
    """The commands of one fence."""

    terminal: str
    commands: list[Command] = field(default_factory=list)


@dataclass
class Placeholder:
    """What stands for a name in the blocks that follow."""

    name: str
    command: str


def read(page: Path) -> list[Block | Placeholder]:
    """The page's blocks in order. Raises PageError for a fence that has no meaning here."""
    text = page.read_text()
    parts: list[Block | Placeholder] = []
    typed: list[Command] = []  # by the sh block before a console block
    end = 0
    for match in FENCE.finditer(text):
        _require_no_fence(page, text, end, match.start())
        end = match.end()
        name, command, language, info, content = match.groups()
        line = text[: match.start()].count("\n") + 2
        if name:
            parts.append(Placeholder(name, command))
        elif language == "sh" and info.startswith(" untested: "):
            typed = []
        elif language in ("sh", "console"):
            block = Block(_terminal(info, f"{page.name}, line {line - 1}"))
            if language == "sh":
                block.commands = typed = _pasted(content, block.terminal, line)
            else:
                block.commands = _shown(content, block.terminal, line, typed)
            if block.commands:
                parts.append(block)
        elif language in SHELLS:
            place = f"{page.name}, line {line - 1}"
            raise PageError(f"{place}: commands are in a block of `sh` or `console`")
    _require_no_fence(page, text, end, len(text))
    return parts


def _require_no_fence(page: Path, text: str, start: int, end: int) -> None:
    """Refuse a block that nobody would type: indented, or with another fence."""
    for match in ANY_FENCE.finditer(text, start, end):
        if not re.match(r"```[ \t]*$", match[0]):  # a block of no language is no command
            line = text[: match.start()].count("\n") + 1
            raise PageError(f"{page.name}, line {line}: a block begins with ``` and its language")


def _terminal(info: str, place: str) -> str:
    match info.strip():
        case "":
            return FIRST
        case "second terminal":
            return SECOND
    raise PageError(f"{place}: a block is `second terminal` or `untested: REASON`, not {info!r}")


def _pasted(content: str, terminal: str, line: int) -> list[Command]:
    commands = []
    lines: list[str] = []
    for number, each in enumerate(content.splitlines(), line):
        if not lines and (not each.strip() or each.lstrip().startswith("#")):
            continue
        lines.append(each)
        text = "\n".join(lines)
        if is_complete(text):
            commands.append(Command(text, terminal, number - len(lines) + 1))
            lines = []
    if lines:
        raise PageError(f"line {line}: the block ends within a command: {lines}")
    return commands


def is_complete(command: str) -> bool:
    """Whether a shell would run these lines, rather than wait for more."""
    if command.endswith("\\"):
        return False
    # A here-document without its end is a warning.
    check = subprocess.run(
        ["bash", "-n"], input=f"{command}\n", capture_output=True, text=True, check=False
    )
    if "unexpected end of file" in check.stderr or "unexpected EOF" in check.stderr:
        return False
    return "here-document" not in check.stderr


def _shown(content: str, terminal: str, line: int, typed: list[Command]) -> list[Command]:
    """The commands that are not typed yet. Those of ``typed`` get what is shown of them."""
    new: list[Command] = []
    waiting = [each for each in typed if each.terminal == terminal and each.shown is None]
    entries = list(SHOWN_COMMAND.finditer(content))
    if not entries or content[: entries[0].start()].strip():
        raise PageError(f"line {line}: a console block begins with `$ COMMAND`")
    inside_shell = False
    for place, entry in enumerate(entries):
        text, shown = entry[1], entry[2]
        if not inside_shell and not is_complete(text):
            raise PageError(f"line {line}: the shell would wait for more after: {text}")
        later = [each[1] for each in entries[place + 1 :]]
        known = next((each for each in waiting if each.text == text), None)
        if known and not new:
            waiting = waiting[waiting.index(known) + 1 :]
            command = known
        else:
            command = Command(text, terminal, line + content[: entry.start()].count("\n"))
            new.append(command)
        if shown.endswith("^C\n"):
            command.interrupted, shown = True, shown.removesuffix("^C\n")
        command.shown = shown
        if text == "exit":
            inside_shell = False
        elif not inside_shell and OPENS_SHELL.search(text) and "exit" in later:
            command.opens_shell = inside_shell = True
    return new
