"""What a page shows, compared with what a command printed."""

import re

# Colours and the like, and the hyperlinks that curl makes of Location.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>]")
TIME = re.compile(r"\b\d{4}-\d\d-\d\d(?:T|%20| )\d\d:\d\d(?::[\d.]+)?(?:Z|\+00:00)?")
TOKEN = re.compile(r"\b[0-9a-f]{40}\b")


def matches(shown: str, printed: str) -> bool:
    """Whether ``printed`` is what the page shows, from its first line to its last."""
    return re.fullmatch(_pattern(shown), _normalized(printed)) is not None


def is_start_of(shown: str, printed: str) -> bool:
    """Whether ``printed`` begins with what the page shows; more may follow."""
    return re.match(_pattern(shown), _normalized(printed)) is not None


def _normalized(text: str) -> str:
    """The text without what differs from run to run or terminal to terminal.

    That is without colours, with one time and one token in place of all, one blank in place of
    several, and without empty lines at its ends.
    """
    text = TOKEN.sub("TOKEN", TIME.sub("TIME", ESCAPES.sub("", text).replace("\r", "")))
    lines = [re.sub(r"[ \t]+", " ", line).rstrip() for line in text.strip().splitlines()]
    return "".join(f"{line}\n" for line in lines)


def _pattern(shown: str) -> str:
    return "".join(
        "(?:.*\n)*?" if line == "..." else f"{_line(line)}\n"
        for line in _normalized(shown).splitlines()
    )


def _line(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split("..."))
