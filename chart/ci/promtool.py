"""Run promtool, which comes with Prometheus."""

import shutil
import subprocess

import pytest


def promtool(*arguments: object) -> str:
    """Run promtool and return its output; fail the test if it reports an error."""
    if not shutil.which("promtool"):
        pytest.fail("promtool is missing: install Debian's package prometheus")
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
