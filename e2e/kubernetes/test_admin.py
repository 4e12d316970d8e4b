"""The user for /admin/: created once, with a password that the notes tell how to find."""

import re
import shlex

import pytest
import requests

from e2e.kubernetes.cluster import Namespace, run
from e2e.kubernetes.release import SMALL, Release, merge

VALUES = merge(SMALL, {"replicaCount": 2, "admin": {"enabled": True, "email": "me@example.com"}})


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    return Release(namespace)


@pytest.fixture(scope="module")
def password(release: Release) -> str:
    """What the command in the notes prints."""
    notes = release.install(VALUES)
    command = re.search(r"password of admin on /admin/:\n +(kubectl .*)", notes)
    assert command, notes
    return run(*shlex.split(command[1]))


def test_the_password_in_the_notes_opens_the_pages(release: Release, password: str) -> None:
    assert "Log out" in log_in(release, password)


def test_another_password_does_not(release: Release, password: str) -> None:
    assert "Please enter the correct username and password" in log_in(release, "another")


def test_an_upgrade_leaves_the_user_as_is(release: Release, password: str) -> None:
    release.upgrade(VALUES, {"config": {"logLevel": "DEBUG"}})
    said = release.namespace.kubectl("logs", release.selector("app"), "--container=admin")
    assert "admin: already exists, left unchanged" in said
    assert "Log out" in log_in(release, password)


def test_the_password_is_taken_by_https_at_the_ingress(release: Release, password: str) -> None:
    """With the headers that a browser and a TLS-terminating ingress controller send."""
    host = "lists.example.com"
    ingress = {"enabled": True, "hosts": [host], "tlsSecret": "certificate"}
    release.upgrade(VALUES, {"ingress": ingress})
    release.wait_until_old_pods_are_gone()
    https = {"Host": host, "Origin": f"https://{host}", "X-Forwarded-Proto": "https"}
    assert "Log out" in log_in(release, password, https)
    elsewhere = https | {"Origin": "https://elsewhere.example.com"}
    assert "Log out" not in log_in(release, password, elsewhere)


def log_in(release: Release, password: str, headers: dict[str, str] | None = None) -> str:
    """Type the password into the form; the page that comes."""
    url = f"{release.client().url}/admin/login/?next=/admin/"
    with requests.Session() as browser:
        browser.trust_env = False
        browser.headers.update(headers or {})
        browser.get(url, timeout=10)
        form = {
            "username": "admin",
            "password": password,
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        return browser.post(url, data=form, timeout=10).text
