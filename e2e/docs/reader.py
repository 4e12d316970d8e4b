"""A reader who types a page's commands in order and compares what is seen with what is shown."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.docs import output
from e2e.docs.page import SECOND, Command, Placeholder, read
from e2e.docs.terminal import BUILD_SECONDS, SECONDS, Terminal, TypingError

# Settings of whoever runs the tests, which a reader of the page does not have.
SETTINGS = ("COMPOSE_", "POSTGRES_", "TASKLISTS_", "SECRET_KEY", "DATABASE_", "API_ACCESS", "LOG_")


class Reader:
    """Types the commands of a page into two terminals, which start in ``folder``."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
        self.terminals: dict[str, Terminal] = {}
        self.placeholders: dict[str, str] = {}
        self.printed = ""  # by the commands since the last one whose output the page shows

    def follow(self) -> None:
        """Type all of the page. Raises TypingError, which names the page and the line."""
        for part in read(self.page):
            if isinstance(part, Placeholder):
                self.placeholders[part.name] = self._look_up(part)
                continue
            for command in part.commands:
                # In the second terminal a command may go on while the reader is at the first.
                may_go_on = part.terminal == SECOND and command is part.commands[-1]
                try:
                    self._type(command, may_go_on=may_go_on, first=command is part.commands[0])
                except TypingError as error:
                    # A command before it may be the cause: curl exits with 0 also after a 503.
                    before = f"\nbefore it:\n{self.printed}" if self.printed else ""
                    other = self._shown_elsewhere(command)
                    raise TypingError(f"{self.page}, {command}\n{error}{before}{other}") from None

    def close(self) -> None:
        for terminal in self.terminals.values():
            terminal.close()

    def _shown_elsewhere(self, command: Command) -> str:
        """What a command that goes on in the other terminal has printed, which may be the cause."""
        shown = ""
        for name, terminal in self.terminals.items():
            if name != command.terminal and terminal.running:
                shown += f"\n{name} terminal:\n{terminal.printed_so_far()}"
        return shown

    def _look_up(self, placeholder: Placeholder) -> str:
        found = subprocess.run(
            placeholder.command,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        if not found:
            raise TypingError(f"{self.page}: `{placeholder.command}` prints nothing")
        return found

    def _type(self, command: Command, *, may_go_on: bool, first: bool) -> None:
        terminal = self._terminal(command)
        if terminal.running:
            if not first:
                raise TypingError("the command before it goes on")
            terminal.interrupt()
        text = command.text.replace("\\\n", "")
        for name, value in self.placeholders.items():
            text = re.sub(rf"\b{name}\b", value.replace("\\", r"\\"), text)
        if command.opens_shell:
            terminal.open_shell(text)
            return
        terminal.type(text)
        if command.interrupted or may_go_on:
            if command.shown is not None:
                self._await_shown(terminal, command.shown)
            if command.interrupted and terminal.running:
                terminal.interrupt()
        else:
            builds = text.startswith(("docker build", "make ", "docker-compose", "docker compose"))
            status, printed = terminal.end(BUILD_SECONDS if builds else SECONDS)
            if command.shown is None and status != 0:
                raise TypingError(f"fails with exit status {status}:\n{printed}")
            if command.shown is not None and not output.matches(command.shown, printed):
                raise TypingError(f"prints\n{printed}")
            self.printed = "" if command.shown is not None else f"{self.printed}$ {text}\n{printed}"

    def _terminal(self, command: Command) -> Terminal:
        if command.terminal not in self.terminals:
            self.terminals[command.terminal] = Terminal(self.folder, self.environment)
        return self.terminals[command.terminal]

    @staticmethod
    def _await_shown(terminal: Terminal, shown: str) -> None:
        printed = terminal.await_output(lambda so_far: output.is_start_of(shown, so_far))
        if not output.is_start_of(shown, printed):
            raise TypingError(f"prints\n{printed}")


@contextmanager
def reading(page: Path, folder: Path) -> Iterator[Reader]:
    reader = Reader(page, folder)
    try:
        yield reader
    finally:
        reader.close()
