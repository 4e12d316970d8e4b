"""Typed readers of environment variables; the only place that touches os.environ.

A reader returns the default when its variable is unset or empty. A value that
cannot be read raises InvalidValue, which ends the process with one line that
names the variable, the value unless it may be a secret, and what is accepted.
Every reader records what it was asked for in ``declared``, from which the
documentation is checked.
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar

Value = TypeVar("Value")

SERVICE_NAME = "tasklists"  # the name of the processes, and the beginning of error messages
EPHEMERAL_PREFIX = "ephemeral-"


class Variable(NamedTuple):
    """A variable as docs/configuration.md describes it.

    ``accepted`` is empty for secrets, whose readers check them.
    """

    name: str
    default: object
    accepted: str = ""
    secret: bool = False


declared: dict[str, Variable] = {}


class InvalidValue(SystemExit):
    """A variable whose value cannot be read; uncaught, it prints itself and exits with 1."""

    def __init__(self, variable: str, message: str, *, secret: bool = False) -> None:
        super().__init__(f"{SERVICE_NAME}: {message}")
        self.variable = variable
        self.secret = secret


def select_settings() -> None:
    """Use project.settings unless DJANGO_SETTINGS_MODULE names another module."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")


def refuse(name: str, value: str, accepted: str, reason: str = "") -> NoReturn:
    because = f": {reason}" if reason else ""
    raise InvalidValue(name, f"{name}={value!r} is not accepted{because}; it takes {accepted}")


def refuse_secret(name: str, reason: str, accepted: str) -> NoReturn:
    message = f"{name}=(a secret, not shown) is not accepted: {reason}; it takes {accepted}"
    raise InvalidValue(name, message, secret=True)


def parsed(name: str, *, default: Value, accepted: str, parse: Callable[[str], Value]) -> Value:
    """Return what ``parse`` makes of the value; the text of its ValueError, if any, is shown."""
    declared[name] = Variable(name, default, accepted)
    value = os.environ.get(name)
    if not value:
        return default
    try:
        return parse(_utf8(value).strip())
    except ValueError as error:
        refuse(name, value, accepted, str(error))


def _utf8(value: str) -> str:
    """Return ``value``; raise ValueError if it is not valid UTF-8.

    Python represents such bytes as surrogates.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("it is not UTF-8") from None
    return value


BOOLEANS = {"true": True, "1": True, "on": True, "yes": True}
BOOLEANS |= {"false": False, "0": False, "off": False, "no": False}


def boolean(name: str, *, default: bool) -> bool:
    def parse(value: str) -> bool:
        try:
            return BOOLEANS[value.lower()]
        except KeyError:
            raise ValueError from None

    return parsed(
        name, default=default, accepted="true or false (also 1/0, on/off, yes/no)", parse=parse
    )


def count_or_boolean(name: str, *, maximum: int) -> int:
    """A number up to ``maximum``; false is 0, which is the default, and true is 1."""

    def parse(value: str) -> int:
        if (word := BOOLEANS.get(value.lower())) is not None:
            return int(word)
        return _whole_number(value, 0, maximum)

    accepted = f"true or false, or a whole number from 0 to {maximum}"
    return parsed(name, default=0, accepted=accepted, parse=parse)


def integer(name: str, *, default: int, minimum: int, maximum: int) -> int:
    def parse(value: str) -> int:
        return _whole_number(value, minimum, maximum)

    return parsed(
        name, default=default, accepted=f"a whole number from {minimum} to {maximum}", parse=parse
    )


def _whole_number(value: str, minimum: int, maximum: int) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", value) or not minimum <= int(value) <= maximum:
        raise ValueError
    return int(value)


def choice(name: str, *, default: str, choices: Sequence[str]) -> str:
    def parse(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError
        return value.lower()

    return parsed(name, default=default, accepted=" or ".join(choices), parse=parse)


def text(name: str, *, default: str, pattern: str, accepted: str) -> str:
    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return parsed(name, default=default, accepted=accepted, parse=parse)


def strings(name: str, *, default: Sequence[str], pattern: str, accepted: str) -> list[str]:
    """A comma-separated list; each part has to match ``pattern``."""

    def parse(part: str) -> str:
        if not re.fullmatch(pattern, part):
            raise ValueError(f"{part!r} is none of them")
        return part

    return parsed_list(name, default=default, accepted=accepted, parse=parse)


def parsed_list(
    name: str, *, default: Sequence[str], accepted: str, parse: Callable[[str], str]
) -> list[str]:
    """A comma-separated list without repetitions; ``parse`` reads each part, as in ``parsed``."""

    def parse_all(value: str) -> list[str]:
        parts = [parse(part.strip()) for part in value.split(",") if part.strip()]
        if not parts:
            raise ValueError
        return list(dict.fromkeys(parts))

    accepted = f"a comma-separated list of {accepted}"
    return parsed(name, default=list(default), accepted=accepted, parse=parse_all)


def address(name: str, *, default: str) -> str:
    """An IP address in its usual form; ``localhost`` is 127.0.0.1."""

    def parse(value: str) -> str:
        if value.lower() == "localhost":
            return "127.0.0.1"
        try:
            return str(ipaddress.ip_address(re.sub(r"^\[(.*)\]$", r"\1", value)))
        except ValueError:
            raise ValueError(
                f"it is not an IP address. If the shell sets {name} to the machine's name, unset it"
            ) from None

    accepted = "an IP address of this machine, or localhost"
    return parsed(name, default=default, accepted=accepted, parse=parse)


def runs_in(name: str) -> str:
    """Where the process runs, for the commands that doctor names; empty if it is not set."""
    return text(
        name,
        default="",
        pattern=r"checkout|docker|compose/[\w.-]+|kubernetes|helm/[a-z0-9.-]+",
        accepted="checkout, docker, compose/SERVICE, kubernetes or helm/RELEASE",
    )


def secret(name: str, *, default: str = "") -> str:
    """The value of ``name``, or the content of the file that ``name``_FILE names.

    Carriage returns and newlines at the end are removed from both; the chart's scripts do the same.
    """
    declared[name] = Variable(name, default, secret=True)
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if path:
        if value:
            _refuse_file(name, path, f"the place of {name}, which is set too: set one of the two")
        return _content(name, path)
    try:
        return _utf8(value or "").rstrip("\r\n") or default
    except ValueError as error:
        refuse_secret(name, str(error), "text")


def secrets_read() -> list[str]:
    """The names of the secrets that have been read so far."""
    return [name for name, variable in declared.items() if variable.secret]


def _content(name: str, path: str) -> str:
    """The content of the file at ``path``, which ``name``_FILE names."""
    try:
        content = Path(path).read_bytes().decode()
    except OSError as error:
        _refuse_file(name, path, f"the path of a file that can be read ({error.strerror})")
    except UnicodeDecodeError:
        content = "\0"
    if "\0" in content:
        _refuse_file(name, path, "the path of a file of text, in UTF-8")
    content = content.rstrip("\r\n")
    if not content:
        _refuse_file(name, path, "the path of a file that is not empty")
    return content


def _refuse_file(name: str, path: str, accepted: str) -> NoReturn:
    # The variable may hold the secret itself instead of a path, and it may begin with a slash.
    first = re.match("/[^/]+", path)
    if first and os.path.isdir(first[0]):  # noqa: PTH112 - Path.is_dir() raises for a long name
        refuse(f"{name}_FILE", path, accepted)
    message = f"{name}_FILE=(not shown) is not accepted; it takes {accepted}"
    raise InvalidValue(f"{name}_FILE", message, secret=True)


def secret_key(name: str) -> str:
    """The secret ``name``, or a random one that this process and its children share."""
    value = secret(name)
    if not value:
        value = os.environ[name] = EPHEMERAL_PREFIX + secrets.token_urlsafe(48)
    return value
