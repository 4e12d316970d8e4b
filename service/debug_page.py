"""Keeps secrets out of Django's debug page, which runserver shows after an error."""

import re
from functools import lru_cache
from types import TracebackType
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

HIDDEN = SafeExceptionReporterFilter.cleansed_substitute
MIN_LENGTH = 4  # characters of a secret; a shorter one would be found in ordinary text


class SecretsReporter(ExceptionReporter):
    """Hides secrets in the messages of exceptions, which the filter does not get to see."""

    def get_traceback_data(self) -> dict[str, Any]:
        data: dict[str, Any] = super().get_traceback_data()
        for key in data.keys() & {"exception_value", "exception_notes"}:
            data[key] = hide(data[key])
        for frame in data["frames"]:
            if frame["exc_cause"]:
                frame["exc_cause"] = hide(str(frame["exc_cause"]))
        return data


class SecretsFilter(SafeExceptionReporterFilter):
    """Hides settings.SECRETS wherever they occur in settings and in the variables of each frame.

    Django decides by the name alone: it hides SECRET_KEY and shows DATABASE_URL.
    """

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        if key in settings.SECRETS:
            return self.cleansed_substitute
        if isinstance(value, str) and has_secret(value):
            return self.cleansed_substitute
        return super().cleanse_setting(key, value)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: TracebackType
    ) -> Any:
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self.cleanse_variable(name, value)) for name, value in variables]

    def cleanse_variable(self, name: str, value: Any) -> Any:
        """Like cleanse_setting(), and also for objects, of which the page shows the repr()."""
        cleansed = self.cleanse_setting(name, value)
        try:
            shown = repr(cleansed)
        except Exception:  # the page says that the variable cannot be formatted
            return cleansed
        return self.cleansed_substitute if has_secret(shown) else cleansed


def has_secret(text: str) -> bool:
    return any(spelling in text for spelling in spellings(secrets()))


def hide(text: str) -> str:
    for spelling in spellings(secrets()):
        text = text.replace(spelling, HIDDEN)
    return text


@lru_cache(maxsize=1)
def spellings(texts: frozenset[str]) -> list[str]:
    """How each text is written: as it is, in a URL, for libpq, and in a repr().

    The longest come first, because they may contain others.
    """
    found = set(texts)
    found |= {quote(text, safe=safe) for text in texts for safe in ("", "/")}
    found |= {re.sub(r"([\\'])", r"\\\1", text) for text in texts}
    found |= {repr(text)[1:-1] for text in found}
    # repr() escapes a ' only if the text around it has a " as well.
    found |= {text.replace("'", "\\'") for text in found}
    return sorted(found, key=len, reverse=True)


def secrets() -> frozenset[str]:
    """The values of the settings that SECRETS names, and the databases' passwords."""
    values = {getattr(settings, name) for name in settings.SECRETS}
    values |= {database.get("PASSWORD") for database in settings.DATABASES.values()}
    return frozenset(value for value in values if value and len(value) >= MIN_LENGTH)
