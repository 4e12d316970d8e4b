"""Two releases in one namespace, whose names are as long as helm lets them and begin alike."""

import pytest

from e2e.kubernetes.cluster import Namespace
from e2e.kubernetes.release import SMALL, Release

LONGEST = 53


@pytest.fixture(scope="module")
def releases(namespace: Namespace) -> tuple[Release, Release]:
    pair = tuple(Release(namespace, "long".ljust(LONGEST - 1, "-") + end) for end in "ab")
    for release in pair:
        release.install(SMALL, {"backup": {"enabled": True}})
    return pair[0], pair[1]


def test_each_keeps_lists_and_secrets_of_its_own(releases: tuple[Release, Release]) -> None:
    first, second = releases
    first.client().add("of the first")
    second.client().add("of the second")
    assert first.client().names() == ["of the first"]
    assert second.client().names() == ["of the second"]
    assert not first.secrets().keys() & second.secrets().keys()


def test_the_end_of_one_leaves_the_other(releases: tuple[Release, Release]) -> None:
    first, second = releases
    first.uninstall()
    second.upgrade(SMALL, {"config": {"logLevel": "DEBUG"}})
    assert second.client().names() == ["of the second"]
