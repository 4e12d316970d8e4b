"""Names and addresses of users, as the forms of the admin accept them.

Each function raises ValueError if the admin would refuse the value.
"""

import unicodedata
from collections.abc import Callable

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email


def username(text: str) -> str:
    # Whoever logs in is looked up by the normalized name.
    name = unicodedata.normalize("NFKC", text)
    _check(UnicodeUsernameValidator(), name, 150)
    return name


def email(text: str) -> str:
    _check(validate_email, text, 254)
    return text


def _check(validator: Callable[[str], None], text: str, length: int) -> None:
    try:
        validator(text)
    except ValidationError:
        raise ValueError from None
    if len(text) > length:
        raise ValueError
