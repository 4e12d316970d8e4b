"""When Helm refuses a value that may be a secret, its message does not contain the value."""

import json
import subprocess
from typing import Any

import pytest
from rendering import CHART, SECRETS

SECRET = "Hush-4815162342"
NUMBER = 4815162342108
URL = f"postgresql://app:{SECRET}@db.example/tasks"


def forms(*others: Any) -> list[Any]:
    return [[SECRET], {"a": SECRET}, NUMBER, True, SECRET + "\0", "\r\n", *others]


MISTAKES: list[tuple[str, Any]] = [
    *(("secretKey", {"value": form}) for form in forms(SECRET, SECRET + 50 * "\n")),
    *(("postgres", {"auth": {"password": form}}) for form in forms()),
    *(("admin", {"enabled": True, "password": form}) for form in forms()),
    *((group, form) for group in ("secretKey", "postgres", "admin") for form in (SECRET, [SECRET])),
    ("secretKey", {"values": SECRET}),
    ("postgres", {"auth": SECRET}),
    ("postgres", {"password": SECRET}),
    ("admin", {"passwort": SECRET}),
    *(
        (group, {key: text})
        for group in ("secretKey", "admin", "external")
        for key in ("existingSecret", "existingSecretKey")
        for text in (URL, [URL], f"{SECRET}/{SECRET}")
    ),
    *(("external", {key: URL}) for key in ("migrationSecret", "migrationSecretKey", "caSecret", "caSecretKey")),
    *(("postgres", {"auth": {key: URL}}) for key in ("existingSecret", "existingSecretKey")),
    *(("extraEnv", form) for form in (SECRET, {"A": SECRET}, [SECRET], [{"value": SECRET}], [[SECRET]])),
    *(("extraEnv", [{"name": "A", "value": form}]) for form in ([SECRET], {"a": SECRET})),
    *(("extraObjects", form) for form in (SECRET, {"data": SECRET}, [NUMBER], [[SECRET]])),
    ("extraObjects", [f"password: {SECRET}\n  more: [x"]),
    ("extraObjects", [{"stringData": {"password": SECRET}}, "{{ .Values.extraObjects.a.b }}"]),
    ("extraObjects", [{"stringData": {"password": SECRET}}, "{{ unknown }}"]),
    ("extraObjects", [{"stringData": {"password": SECRET}}, f"password: {SECRET}\n: [x"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("helm", "command"),
    [
        ("helm3", "template"),
        ("helm4", "template"),
        ("helm3", "lint"),
        ("helm4", "lint"),
        ("helm4", "install"),  # Helm 3 needs a cluster for that
    ],
)
def test_no_message_shows_a_secret(helm: str, command: str) -> None:
    # `lint` and `install` print the same messages as `template`, so every fourth mistake is enough.
    for name, value in MISTAKES[:: 1 if command == "template" else 4]:
        arguments = {
            "template": [helm, "template", "one", str(CHART), "--kube-version=1.34"],
            "lint": [helm, "lint", str(CHART), "--kube-version=1.34"],
            "install": [helm, "install", "one", str(CHART), "--dry-run=client"],
        }[command]
        done = subprocess.run(
            [*arguments, f"--values={SECRETS}", "--values=-"],
            input=json.dumps({name: value}), capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        if command != "lint":  # which passes over what a template refuses
            assert done.returncode, (name, value)
            assert name.lower() in said.lower()
        assert not [secret for secret in ("Hush", "481516") if secret in said], said
