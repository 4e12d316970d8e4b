"""Typed readers of environment variables; the only place that touches os.environ.

A reader returns the default when its variable is unset or empty. A value that
cannot be read raises InvalidValue, which ends the process with one line that
names the variable, the value and what is accepted. Every reader records what
it was asked for in ``declared``, from which the documentation is checked.
"""

import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar

Value = TypeVar("Value")

EPHEMERAL_PREFIX = "ephemeral-"


class Variable(NamedTuple):
    """What is documented of a variable."""

    name: str
    secret: bool = False


declared: dict[str, Variable] = {}


class InvalidValue(SystemExit):
    """A variable whose value cannot be read; uncaught, it prints itself and exits with 1."""


def select_settings(module: str) -> None:
    """Use the settings ``module`` unless DJANGO_SETTINGS_MODULE names another."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", module)


def refuse(name: str, value: str, accepted: str) -> NoReturn:
    raise InvalidValue(f"tasklists: {name}={value!r} is not accepted; it takes {accepted}")


def refuse_secret(name: str, reason: str, accepted: str) -> NoReturn:
    raise InvalidValue(
        f"tasklists: {name}=(a secret, not shown) is not accepted: {reason}; it takes {accepted}"
    )


def _read(name: str) -> str | None:
    declared[name] = Variable(name)
    return os.environ.get(name) or None


def _parse(name: str, default: Value, accepted: str, parse: Callable[[str], Value]) -> Value:
    value = _read(name)
    if value is None:
        return default
    try:
        return parse(value.strip())
    except ValueError:
        refuse(name, value, accepted)


def boolean(name: str, *, default: bool) -> bool:
    words = {"true": True, "1": True, "on": True, "yes": True}
    words |= {"false": False, "0": False, "off": False, "no": False}

    def parse(value: str) -> bool:
        try:
            return words[value.lower()]
        except KeyError:
            raise ValueError from None

    return _parse(name, default, "true or false (also 1/0, on/off, yes/no)", parse)


def integer(name: str, *, default: int, minimum: int, maximum: int) -> int:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", value) or not minimum <= int(value) <= maximum:
            raise ValueError
        return int(value)

    return _parse(name, default, f"a whole number from {minimum} to {maximum}", parse)


def choice(name: str, *, default: str, choices: Sequence[str]) -> str:
    def parse(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError
        return value.lower()

    return _parse(name, default, " or ".join(choices), parse)


def text(name: str, *, default: str, pattern: str, accepted: str) -> str:
    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return _parse(name, default, accepted, parse)


def strings(name: str, *, default: Sequence[str], pattern: str, accepted: str) -> list[str]:
    """A comma-separated list; each part has to match ``pattern``."""

    def parse(value: str) -> list[str]:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all(re.fullmatch(pattern, part) for part in parts):
            raise ValueError
        return parts

    return _parse(name, list(default), f"a comma-separated list of {accepted}", parse)


def secret(name: str, *, default: str = "") -> str:
    """The value of ``name``, or what the file ``name``_FILE holds, less its last newline."""
    value = _read(name)
    declared[name] = Variable(name, secret=True)
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return default if value is None else value
    if value is not None:
        refuse(f"{name}_FILE", path, f"the place of {name}, which is set too: set one of the two")
    try:
        content = Path(path).read_text().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        refuse(f"{name}_FILE", path, f"the path of a file that can be read ({reason})")
    if not content:
        refuse(f"{name}_FILE", path, "the path of a file that is not empty")
    return content


def secret_key(name: str) -> str:
    """The secret ``name``, or a random one that this process and its children share."""
    value = secret(name)
    if not value:
        value = os.environ[name] = EPHEMERAL_PREFIX + secrets.token_urlsafe(48)
    return value
