"""Configuration from the environment: what each reader takes, and how it refuses the rest."""

import os
import re
import runpy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project import environment as env
from tests.process import ROOT, manage

pytestmark = pytest.mark.once(on="sqlite")

# For every variable a value that it has to refuse; None where any text is one.
RUBBISH = {
    "ADMIN_EMAIL": "nobody",
    "ADMIN_PASSWORD": None,
    "ADMIN_USERNAME": "two words",
    "ALLOWED_HOSTS": "example.com:80",
    "API_ACCESS": "everyone",
    "CLIENT_TIMEOUT": "0",
    "CORS_ALLOW_HEADERS": "two words",
    "CORS_ALLOWED_ORIGINS": "app.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://app.example.com/path",
    "DATABASE_CONNECT_TIMEOUT": "0",
    "DATABASE_CONN_MAX_AGE": "None",
    "DATABASE_PASSWORD": None,
    "DATABASE_STATEMENT_TIMEOUT": "10s",
    "DATABASE_URL": "mysql://db/tasklists",
    "DATABASE_WAIT": "-1",
    "DEBUG": "maybe",
    "GRACEFUL_TIMEOUT": "1e3",
    "HOST": "machine-name",
    "HTTPS_ONLY": "https",
    "KEEP_ALIVE": "3601",
    "LOG_FORMAT": "xml",
    "LOG_LEVEL": "loud",
    "MIGRATE": "always",
    "MIGRATION_DATABASE_URL": "db:5432",
    "METRICS_PORT": "65536",
    "PORT": "http",
    "REVISION": "two words",
    "RUNS_IN": "elsewhere",
    "SECRET_KEY": None,
    "SERVED_BY": "two\nlines",
    "THREADS": "0",
    "TRUST_PROXY_HEADERS": "11",
    "URL_PREFIX": "todo",
    "WEB_CONCURRENCY": "٣",
}
READERS: list[tuple[Callable[[str], Any], str, Any]] = [
    *(
        (lambda name: env.boolean(name, default=False), text, value)
        for value, texts in ((True, "true True 1 on YES"), (False, "false FALSE 0 off no"))
        for text in texts.split()
    ),
    *(
        (lambda name: env.count_or_boolean(name, maximum=10), text, value)
        for text, value in (("true", 1), ("off", 0), ("0", 0), ("1", 1), ("2", 2), ("10", 10))
    ),
    (lambda name: env.integer(name, default=1, minimum=0, maximum=60), " 60 ", 60),
    (lambda name: env.integer(name, default=1, minimum=0, maximum=60), "0", 0),
    (lambda name: env.choice(name, default="a", choices=["a", "b"]), "B", "b"),
    (lambda name: env.text(name, default="", pattern="[a-z]+", accepted="letters"), " ok ", "ok"),
    (
        lambda name: env.strings(name, default=[], pattern="[a-z]+", accepted="words"),
        " a, b ,,c,a,",
        ["a", "b", "c"],
    ),
    (
        lambda name: env.parsed_list(name, default=[], accepted="words", parse=str.upper),
        "a,A,b",
        ["A", "B"],
    ),
    *(
        (lambda name: env.address(name, default=""), text, value)
        for text, value in (
            ("LOCALHOST", "127.0.0.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("[0:0::1]", "::1"),
            ("::", "::"),
        )
    ),
    (env.secret, " kept as it is ", " kept as it is "),
    (env.secret_key, "key", "key"),
]
REFUSED: list[tuple[Callable[[str], Any], list[str], str]] = [
    (
        lambda name: env.boolean(name, default=False),
        ["maybe", "2", " ", "\udcff"],
        "true or false (also 1/0, on/off, yes/no)",
    ),
    (
        lambda name: env.integer(name, default=1, minimum=0, maximum=60),
        ["61", "-1", "+1", "1.0", "1_0", "٣", "9" * 5000, "x", "\udcff"],
        "a whole number from 0 to 60",
    ),
    (lambda name: env.choice(name, default="a", choices=["a", "b"]), ["c", "a,b"], "a or b"),
    (
        lambda name: env.text(name, default="", pattern=".+", accepted="a line"),
        ["two\nlines", "not UTF-8: \udcff"],
        "a line",
    ),
    (
        lambda name: env.strings(name, default=[], pattern="[a-z]+", accepted="words"),
        [",", "a,\udcff"],
        "a comma-separated list of words",
    ),
]


# The chart's scripts that read a password, and the name of their variable for it.
SCRIPTS = {"connect.sh": "PGPASSWORD", "database.sh": "password"}


def read_by(script: str, file: Path) -> bytes:
    """What the chart's ``script`` makes of the password in ``file``."""
    lines = (ROOT / "chart" / "files" / script).read_text().splitlines()
    variable = SCRIPTS[script]
    first = next(i for i, line in enumerate(lines) if f"{variable}=$(cat " in line)
    read, remove = lines[first : first + 2]
    read = re.sub(r"\$\(cat .*\)", f"$(cat {file})", read)
    command = ["bash", "-euo", "pipefail", "-c", f'{read}\n{remove}\nprintf %s "${variable}"']
    environment = os.environ | {"POSTGRES_PASSWORD_FILE": str(file)}  # which database.sh asks for
    result = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60)
    return result.stdout


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests declare is forgotten after each."""
    monkeypatch.setattr(env, "declared", env.declared.copy())


@pytest.mark.parametrize(("read", "text", "value"), READERS)
def test_a_reader_takes(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[str], Any], text: str, value: Any
) -> None:
    monkeypatch.setenv("TESTED", text)
    assert read("TESTED") == value


@pytest.mark.parametrize(
    ("read", "text", "accepted"),
    [(read, text, accepted) for read, texts, accepted in REFUSED for text in texts],
)
def test_a_reader_refuses_with_name_value_and_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[str], Any], text: str, accepted: str
) -> None:
    monkeypatch.setenv("TESTED", text)
    with pytest.raises(env.InvalidValue) as refusal:
        read("TESTED")
    reason = ": it is not UTF-8" if "\udcff" in text else ""
    assert str(refusal.value) == (
        f"tasklists: TESTED={text!r} is not accepted{reason}; it takes {accepted}"
    )
    assert env.declared["TESTED"].accepted == accepted


def test_a_list_says_which_part_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTED", "a, b;c, d")
    with pytest.raises(env.InvalidValue) as refusal:
        env.strings("TESTED", default=[], pattern="[a-z]+", accepted="words")
    assert str(refusal.value) == (
        "tasklists: TESTED='a, b;c, d' is not accepted: 'b;c' is none of them; it takes "
        "a comma-separated list of words"
    )


@pytest.mark.parametrize("value", ["machine-name", "*", "127.1", "[::1", "127.0.0.1:80", "::1]"])
def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TESTED", value)
    with pytest.raises(env.InvalidValue) as refusal:
        env.address("TESTED", default="")
    assert str(refusal.value) == (
        f"tasklists: TESTED={value!r} is not accepted: it is not an IP address. If the shell sets "
        "TESTED to the machine's name, unset it; it takes an IP address of this machine, or "
        "localhost"
    )


def test_a_refusal_gives_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(text: str) -> str:
        raise ValueError(f"{text} is too small")

    monkeypatch.setenv("TESTED", "one, two")
    with pytest.raises(env.InvalidValue) as refusal:
        env.parsed_list("TESTED", default=[], accepted="numbers", parse=parse)
    assert str(refusal.value) == (
        "tasklists: TESTED='one, two' is not accepted: one is too small; "
        "it takes a comma-separated list of numbers"
    )


@pytest.mark.parametrize("value", [None, ""])
def test_unset_and_empty_are_the_default(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("TESTED", raising=False)
    if value is not None:
        monkeypatch.setenv("TESTED", value)
        monkeypatch.setenv("TESTED_FILE", value)
    assert env.boolean("TESTED", default=True) is True
    assert env.integer("TESTED", default=7, minimum=0, maximum=9) == 7
    assert env.choice("TESTED", default="b", choices=["a", "b"]) == "b"
    assert env.text("TESTED", default="x", pattern=".", accepted="a letter") == "x"
    assert env.strings("TESTED", default=["x"], pattern=".", accepted="letters") == ["x"]
    assert env.address("TESTED", default="::1") == "::1"
    assert env.secret("TESTED", default="x") == "x"


def test_an_ephemeral_secret_key_is_handed_to_child_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TESTED", "")
    key = env.secret_key("TESTED")
    assert key.startswith(env.EPHEMERAL_PREFIX)
    assert len(key) > 64
    assert os.environ["TESTED"] == key == env.secret_key("TESTED")


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"pass word", "pass word"),
        (b" kept \n", " kept "),
        (b"newlines\n\n", "newlines"),
        (b"windows\r\n", "windows"),
        (b"two\r\nlines\n\r\r\n", "two\r\nlines"),
        ("pässwörd 🔑".encode(), "pässwörd 🔑"),
    ],
)
def test_a_secret_is_the_same_in_a_file_in_a_variable_and_in_the_charts_scripts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, value: str
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    monkeypatch.setenv("TESTED_FILE", str(file))
    assert env.secret("TESTED", default="unused") == value
    monkeypatch.delenv("TESTED_FILE")
    monkeypatch.setenv("TESTED", content.decode())
    assert env.secret("TESTED", default="unused") == value
    assert env.declared["TESTED"].secret
    assert [read_by(script, file) for script in SCRIPTS] == [value.encode()] * len(SCRIPTS)


@pytest.mark.parametrize(
    ("name", "content", "accepted"),
    [
        ("missing", None, "the path of a file that can be read (No such file or directory)"),
        (".", None, "the path of a file that can be read (Is a directory)"),
        ("empty", b"", "the path of a file that is not empty"),
        ("newline", b"\r\n\n", "the path of a file that is not empty"),
        ("bytes", b"\xff\xfe", "the path of a file of text, in UTF-8"),
        ("nul", b"pass\0word", "the path of a file of text, in UTF-8"),
    ],
)
def test_a_secret_file_that_holds_none_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    content: bytes | None,
    accepted: str,
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("TESTED_FILE", str(file))
    with pytest.raises(env.InvalidValue) as refusal:
        env.secret("TESTED")
    assert str(refusal.value) == (
        f"tasklists: TESTED_FILE={str(file)!r} is not accepted; it takes {accepted}"
    )


def test_a_secret_file_that_may_not_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Not even an administrator, whom permissions do not stop, can follow this.
    file = tmp_path / "loop"
    file.symlink_to(file)
    monkeypatch.setenv("TESTED_FILE", str(file))
    with pytest.raises(env.InvalidValue, match=r"TESTED_FILE=.* a file that can be read \(.+\)$"):
        env.secret("TESTED")


def test_a_secret_set_twice_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("from the file")
    monkeypatch.setenv("TESTED", "hunter2")
    monkeypatch.setenv("TESTED_FILE", str(tmp_path / "secret"))
    with pytest.raises(env.InvalidValue, match="set one of the two") as refusal:
        env.secret("TESTED")
    assert "hunter2" not in str(refusal.value)


def test_a_secret_that_is_no_text_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTED", "hunter2\udcff")
    with pytest.raises(env.InvalidValue, match="it is not UTF-8") as refusal:
        env.secret("TESTED")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "secret", ["hunter2", "/hunter2", "/hunter2/x=", "//hunter2", "/" + "x" * 300]
)
@pytest.mark.parametrize("value", ["", "set"])
def test_a_secret_in_the_variable_for_its_path_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TESTED", value)
    monkeypatch.setenv("TESTED_FILE", secret)
    with pytest.raises(env.InvalidValue) as refusal:
        env.secret("TESTED")
    message = str(refusal.value)
    assert message.startswith("tasklists: TESTED_FILE=(not shown) is not accepted; it takes ")
    assert secret not in message


def test_every_variable_has_rubbish_to_refuse() -> None:
    assert RUBBISH.keys() == env.declared.keys()
    assert {name for name, value in RUBBISH.items() if value is None} == {
        "ADMIN_PASSWORD",
        "DATABASE_PASSWORD",
        "SECRET_KEY",
    }


@pytest.mark.parametrize("name", sorted(RUBBISH))
def test_the_settings_refuse_rubbish(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    variable, value = name, RUBBISH[name]
    if value is None:
        variable, value = f"{name}_FILE", str(tmp_path / "missing")
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(env.InvalidValue) as refusal:
        runpy.run_path(str(ROOT / "project" / "settings.py"))
    message = str(refusal.value)
    assert message.startswith(f"tasklists: {variable}=")
    assert " is not accepted" in message
    assert "; it takes " in message
    assert len(message.splitlines()) == 1
    assert (repr(value) in message) == (variable != name or not env.declared[name].secret)


# One for each reader.
@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.parametrize(
    "name", ["TRUST_PROXY_HEADERS", "PORT", "MIGRATE", "SERVED_BY", "ALLOWED_HOSTS", "DATABASE_URL"]
)
def test_rubbish_ends_the_process_with_one_line(command: str, name: str) -> None:
    ended = manage(command, **{name: str(RUBBISH[name])})
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f"tasklists: {name}=")


def test_a_secret_file_that_is_missing_ends_the_process_with_one_line() -> None:
    ended = manage("check", SECRET_KEY_FILE="/tmp/no/such/file")
    assert ended.returncode == 1
    assert ended.stderr == (
        "tasklists: SECRET_KEY_FILE='/tmp/no/such/file' is not accepted; it takes the path of a "
        "file that can be read (No such file or directory)\n"
    )


def test_empty_is_unset_for_every_variable() -> None:
    empty = dict.fromkeys(RUBBISH, "") | {f"{name}_FILE": "" for name in RUBBISH}
    ended = manage("check", **empty)
    assert ended.returncode == 0, ended.stderr
