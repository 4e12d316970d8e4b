"""The known path that a client probably meant by an unknown one, for the detail of a 404."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver

from service.routes import HEALTH_PATHS, readable

MAX_LENGTH = 100  # characters; a longer path is not compared with the known ones
SIMILAR = 0.75  # the least ratio of SequenceMatcher; "list" and "lists" have 0.89

Words = tuple[str, ...]  # a path, split at its slashes


def suggestion(path: str) -> str | None:
    """Return the known path that is most similar to ``path``, or None if none is similar.

    Numbers are kept: ``/list/1`` gives ``/lists/1``. A single word may stand for a longer path:
    ``/tasks`` gives ``/lists/{id}/tasks``. Nothing else of ``path`` is in the result.
    """
    if len(path) > MAX_LENGTH:
        return None
    words = tuple(path.strip("/").split("/"))
    known = known_paths(get_resolver())
    nearest = most_similar(words, ((each, each) for each in known))
    if nearest:
        filled = (
            word if is_parameter(name) else name for word, name in zip(words, nearest, strict=True)
        )
        return f"/{'/'.join(filled)}"
    # The last word of a path says more about it than the first one.
    nearest = most_similar(words, ((each[-1:], each) for each in known))
    nearest = nearest or most_similar(words, ((each[:1], each) for each in known))
    return f"/{'/'.join(nearest)}" if nearest else None


def most_similar(words: Words, candidates: Iterable[tuple[Words, Words]]) -> Words | None:
    """Return the most similar path. A candidate is what is compared, and the path it stands for."""
    ratios = [(similarity(words, compared), path) for compared, path in candidates]
    ratio, path = max(ratios, key=lambda pair: pair[0])
    return path if ratio >= SIMILAR else None


def similarity(words: Words, others: Words) -> float:
    """Return the ratio of the least similar pair of words; 0 if the lengths differ."""
    if len(words) != len(others):
        return 0
    return min(map(word_similarity, words, others))


def word_similarity(word: str, other: str) -> float:
    if is_parameter(other):
        return float(word.isascii() and word.isdigit())
    matcher = SequenceMatcher(None, word.lower(), other)
    return matcher.ratio() if matcher.real_quick_ratio() >= SIMILAR else 0


def is_parameter(word: str) -> bool:
    return word.startswith("{")


@cache
def known_paths(resolver: URLResolver) -> list[Words]:
    """Return the words of all paths that ``resolver`` has itself, without those it includes."""
    patterns = [item for item in resolver.url_patterns if isinstance(item, URLPattern)]
    paths = {*HEALTH_PATHS, *(readable(str(item.pattern)) for item in patterns)} - {"/"}
    return [tuple(re.sub(r"{\w+}", "{id}", path)[1:].split("/")) for path in sorted(paths)]
