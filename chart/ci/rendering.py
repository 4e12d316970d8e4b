"""Render the chart with `helm template`, for the tests beside this file."""

import json
import random
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).resolve().parent.parent
SECRETS = CHART / "tests" / "values" / "secrets.yaml"  # which a rendering without a cluster needs
VERSION = "1.34"  # of Kubernetes

Values = dict[str, Any]


class Refused(Exception):  # noqa: N818 - it is what Helm did
    """Helm refused the values; the text is all that it printed."""


class Loader(yaml.SafeLoader):
    """Like SafeLoader, but reads 12e4 as a number, as Helm and kubectl do."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+\Z"), list("-+0123456789")
)


def render(
    values: Values, *, helm: str = "helm4", release: str = "one", namespace: str = "here"
) -> list[Any]:
    """Return the objects of a release with these values and SECRETS; raise Refused if Helm fails."""
    command = [helm, "template", release, str(CHART), f"--namespace={namespace}"]
    command += [f"--kube-version={VERSION}", f"--values={SECRETS}", "--values=-"]
    done = subprocess.run(
        command, input=json.dumps(values), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(done.stdout + done.stderr)
    return [item for item in yaml.load_all(done.stdout, Loader) if item is not None]


def nested(path: Sequence[str], value: object) -> Values:
    """Return values in which the value at ``path`` is set."""
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def mutations(texts: Sequence[str], pieces: Sequence[str], number: int) -> list[str]:
    """Return random variations of the texts: up to three places are replaced by a piece, or removed."""
    chance = random.Random(15)
    made = []
    for _ in range(number):
        text = list(chance.choice(texts))
        for _ in range(chance.randint(1, 3)):
            place = chance.randint(0, len(text))
            text[place : place + chance.randint(0, 1)] = chance.choice([*pieces, ""])
        made.append("".join(text))
    return made


def require_cluster() -> None:
    """Skip the test where no cluster answers."""
    try:
        subprocess.run(["kubectl", "get", "--raw=/readyz"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no cluster answers")
