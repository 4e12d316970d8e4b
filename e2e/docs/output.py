"""What a page shows, compared with what a command printed."""

import re
from collections.abc import Iterator

# Colours and the like, and the hyperlinks that curl makes of Location.
ESCAPES = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>]|\x1b[()][0-9A-Z]"
)
TIME = re.compile(r"\b\d{4}-\d\d-\d\d(?:T|%20| )\d\d:\d\d(?::[\d.]+)?(?:Z|\+00:00)?")
TOKEN = re.compile(r"\b[0-9a-f]{40}\b")


def matches(shown: str, printed: str) -> bool:
    """Whether ``printed`` is what the page shows, from its first line to its last."""
    return any(rest == 0 for rest in _ends(shown, printed))


def is_start_of(shown: str, printed: str) -> bool:
    """Whether ``printed`` begins with what the page shows; more may follow."""
    return any(True for _ in _ends(shown, printed))


def _normalized(text: str) -> str:
    """The text without what differs from run to run or terminal to terminal.

    That is without colours, with one time and one token in place of all, one blank in place of
    several, and without empty lines at its ends.
    """
    text = TOKEN.sub("TOKEN", TIME.sub("TIME", ESCAPES.sub("", text).replace("\r", "")))
    lines = [re.sub(r"[ \t]+", " ", line).rstrip() for line in text.strip().splitlines()]
    return "".join(f"{line}\n" for line in lines)


def _ends(shown: str, printed: str) -> Iterator[int]:
    """Each way to see what is shown at the beginning: how many printed lines are left after it.

    Line by line, since a regular expression tries all ways to divide thousands of lines among a
    few `...`, which takes minutes.
    """
    patterns = [
        None if line == "..." else re.compile(".*".join(map(re.escape, line.split("..."))))
        for line in _normalized(shown).splitlines()
    ]
    lines = _normalized(printed).splitlines()
    places = _past_gaps({0}, patterns)  # how many of the patterns have been seen so far
    for number, line in enumerate([*lines, None]):
        if len(patterns) in places:
            yield len(lines) - number
        if line is None:
            return
        going_on = {each for each in places if each < len(patterns)}
        places = {each for each in going_on if patterns[each] is None}
        places |= {each + 1 for each in going_on if (p := patterns[each]) and p.fullmatch(line)}
        places = _past_gaps(places, patterns)


def _past_gaps(places: set[int], patterns: list[re.Pattern[str] | None]) -> set[int]:
    """The places, and those behind a `...`, which may stand for no line."""
    found = set(places)
    for place, pattern in enumerate(patterns):
        if place in found and pattern is None:
            found.add(place + 1)
    return found
