"""Keeps secrets out of Django's debug page, which runserver shows after an error."""

from types import TracebackType
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

MIN_LENGTH = 4  # of a text that is looked for in others; a shorter one is in every other line


class SecretsFilter(SafeExceptionReporterFilter):
    """Hides what settings.SECRETS names, also within other texts and in variables of each frame.

    Django decides by the name alone: it hides SECRET_KEY and shows DATABASE_URL.
    """

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        if key in settings.SECRETS:
            return self.cleansed_substitute
        if isinstance(value, str) and any(secret in value for secret in secrets()):
            return self.cleansed_substitute
        return super().cleanse_setting(key, value)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: TracebackType
    ) -> Any:
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self.cleanse_setting(name, value)) for name, value in variables]


def secrets() -> set[str]:
    """The values that settings.SECRETS names, and the passwords that are part of them."""
    values = {getattr(settings, name) for name in settings.SECRETS}
    values |= {database.get("PASSWORD") for database in settings.DATABASES.values()}
    return {value for value in values if value and len(value) >= MIN_LENGTH}
