"""A terminal with a shell, in which a page's commands are typed."""

import contextlib
import re
import secrets
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pexpect

SECONDS = 300
BUILD_SECONDS = 900  # for what installs packages or builds an image
SECONDS_TO_STOP = 60  # for what Ctrl+C ends; Compose gives its containers 40


class TypingError(AssertionError):
    """A command that did not end, or not as the page shows."""


class Terminal:
    """A shell that runs until ``close``. Its prompt tells how each command ended."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.running = False
        self.prompt = _halves()
        self.child = pexpect.spawn(
            "bash",
            ["--noprofile", "--norc"],
            cwd=str(folder),
            env={**environment, "TERM": "dumb", "PAGER": "cat"},
            encoding="utf-8",
            codec_errors="replace",
            dimensions=(50, 250),
            timeout=SECONDS,
            preexec_fn=_take_ctrl_c,
        )
        # A tab is one, as in a script, and completes nothing.
        settings = "bind 'set enable-bracketed-paste off'; bind 'set disable-completion on'"
        self.child.sendline(f"{settings}; HISTFILE=; PS2=")
        self._take_over()

    def _take_over(self, seconds: float = SECONDS) -> None:
        """Give the shell, here or in a container, a prompt that nothing else prints."""
        # The prompt is in two parts here, so that the echo of this line is not taken for it.
        first, second = self.prompt
        self.child.sendline(f"stty -echo; half={second}; PS1={first}$half':$?> '")
        self._await_prompt(seconds)

    def type(self, command: str) -> None:
        assert not self.running, "the command before still runs"
        self.child.sendline(command)
        self.running = True

    def open_shell(self, command: str) -> None:
        """Run a command that starts another shell on this terminal; ``exit`` ends that one."""
        self.type(command)
        self.child.expect(r"[$#] $")
        self._take_over()

    def end(self, seconds: float = SECONDS) -> tuple[int, str]:
        """The exit status and the output of the command, once it has ended."""
        output = self._await_prompt(seconds)
        assert isinstance(self.child.match, re.Match)
        return int(self.child.match[1]), output

    def await_output(self, is_there: Callable[[str], bool], seconds: float = SECONDS) -> str:
        """What the command has printed when ``is_there`` says that it is enough, or at its end."""
        printed = ""
        while not is_there(printed):
            found = self.child.expect(
                [r"\n", self._prompt(), pexpect.TIMEOUT, pexpect.EOF], timeout=seconds
            )
            printed += str(self.child.before)
            if found == 1:
                self.running = False
                return printed
            if found == 2:
                raise TypingError(f"printed for {seconds} s no more than\n{printed}")
            if found == 3:
                raise self._ended(printed)
            printed += "\n"
        return printed

    def printed_so_far(self) -> str:
        """What the command that runs has printed since it was last looked at."""
        with contextlib.suppress(pexpect.TIMEOUT, pexpect.EOF):
            self.child.expect([pexpect.EOF], timeout=1)
        return str(self.child.before)

    def interrupt(self) -> None:
        """Press Ctrl+C. A new prompt shows that the shell is back, also if the command had ended."""
        self.child.sendintr()
        self.prompt = _halves()
        self._take_over(SECONDS_TO_STOP)

    def close(self) -> None:
        """End the shell, and what runs in it."""
        if self.running:
            with contextlib.suppress(TypingError, OSError):
                self.interrupt()
        self.child.close(force=True)

    def _prompt(self) -> str:
        return rf"{''.join(self.prompt)}:(\d+)> "

    def _await_prompt(self, seconds: float) -> str:
        found = self.child.expect([self._prompt(), pexpect.TIMEOUT, pexpect.EOF], timeout=seconds)
        if found == 1:
            raise TypingError(f"did not end within {seconds} s; it printed\n{self.child.before}")
        if found == 2:
            raise self._ended(str(self.child.before))
        self.running = False
        return str(self.child.before)

    def _ended(self, printed: str) -> TypingError:
        self.running = False
        return TypingError(f"ended the shell; it printed\n{printed}")


def _take_ctrl_c() -> None:
    """Undo what a shell does to tests that it starts with ``&``, whose programs would ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _halves() -> tuple[str, str]:
    return secrets.token_hex(8), secrets.token_hex(8)
