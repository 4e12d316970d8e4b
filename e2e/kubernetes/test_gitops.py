"""Rendered by ``helm template``, where nothing that is made up would be found again."""

import re

import pytest

from e2e.kubernetes.cluster import CommandError, Namespace
from e2e.kubernetes.release import EXAMPLES, HELMS, SMALL, Release, merge

EXAMPLE = f"--values={EXAMPLES / 'gitops.yaml'}"


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    """What the example asks for is there; the release is not one of helm's."""
    secret = {"secret-key": "k" * 50, "database-password": "d" * 24}
    namespace.create_secret("tasklists-secrets", secret)
    return Release(namespace)


@pytest.fixture(scope="module")
def manifest(release: Release) -> str:
    return template(release, EXAMPLE)


@pytest.mark.parametrize("helm", HELMS)
def test_no_password_is_invented(namespace: Namespace, helm: str) -> None:
    with pytest.raises(CommandError, match=re.escape("set postgres.auth.existingSecret (or")):
        template(Release(namespace, helm=helm))


@pytest.mark.parametrize("helm", HELMS)
def test_each_rendering_is_the_same(release: Release, manifest: str, helm: str) -> None:
    again = Release(release.namespace, helm=helm)
    again.service = release.service
    assert lines(template(again, EXAMPLE)) == lines(manifest)


def test_it_serves_when_applied(release: Release, manifest: str) -> None:
    release.namespace.kubectl("apply", "--filename=-", stdin=manifest)
    release.wait_until_rolled_out()
    release.client().add("from git")
    assert release.client().names() == ["from git"]


def test_applying_it_again_changes_nothing(release: Release, manifest: str) -> None:
    before = generations(release)
    release.namespace.kubectl("apply", "--filename=-", stdin=manifest)
    assert generations(release) == before


def generations(release: Release) -> dict[str, int]:
    """How often the specification of each object was changed."""
    kinds = "deployments,statefulsets,networkpolicies,poddisruptionbudgets"
    return {
        f"{item['kind']} {item['metadata']['name']}": item["metadata"]["generation"]
        for item in release.namespace.get(kinds)
    }


def lines(manifest: str) -> list[str]:
    """Without empty ones, in which Helm 3 and Helm 4 differ."""
    return [line for line in manifest.splitlines() if line]


def template(release: Release, *options: str) -> str:
    values = merge(SMALL, release.service)
    return release.template(*options, "--skip-tests", values=values)
