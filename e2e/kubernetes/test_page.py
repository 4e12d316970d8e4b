"""The cluster view in a browser, while the pods that it watches are replaced, scaled and deleted."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from e2e.browser.chromium import MissingChromiumError, chromium
from e2e.browser.cluster_view import ClusterView
from e2e.browser.window import Window
from e2e.kubernetes.cluster import Namespace
from e2e.kubernetes.conftest import require_built_images
from e2e.kubernetes.release import SMALL, Release

NEXT = "next"  # the tag of what `make image-next` builds
ROLLOUT = 180  # seconds
WIDE: ViewportSize = {"width": 1280, "height": 1000}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as browser:
            yield browser
    except MissingChromiumError as error:
        pytest.fail(str(error))


@contextmanager
def watching(release: Release, browser: Browser) -> Iterator[ClusterView]:
    """Open the cluster view at the load balancer and press Start; fail if the page reports errors."""
    window = Window(browser.new_context(locale="en-US", viewport=WIDE), release.client().url)
    window.open("#cluster")
    view = ClusterView(window)
    view.start(rate=20)
    yield view
    window.context.close()
    assert window.problems == []


@pytest.fixture(scope="module")
def release(namespace: Namespace) -> Release:
    """As the chart has it by default: two pods that share PostgreSQL."""
    require_built_images(namespace, f"app:{NEXT}")
    release = Release(namespace, "page")
    release.install()
    return release


@pytest.fixture(scope="module")
def view(release: Release, browser: Browser) -> Iterator[ClusterView]:
    """It stays open from the first test to the last."""
    with watching(release, browser) as view:
        yield view


def test_pods_share_the_database(release: Release, view: ClusterView) -> None:
    release.client().add("Groceries")
    release.client().add("Course")
    view.says("Two pods answer and all know the same 2 lists: they share one PostgreSQL database.")
    for pod in release.pod_names():
        view.has_row(pod, database="postgresql", lists_known="2")
    nothing_failed(view)


def test_upgrade(release: Release, view: ClusterView) -> None:
    before = release.pod_names()
    old = view.cell(min(before), "Version").inner_text()
    new = f"{old}-next"
    why = r"(0 requests failed, because a pod leaves only when its successor is ready|\d+ requests? failed)\."
    release.upgrade({"image": {"tag": NEXT}}, options=())
    view.says(re.compile(f"^Version {old} is being replaced by {new}; {why}$"), seconds=ROLLOUT)
    expect(view.legend).to_contain_text(f"Version {old}, outlined")
    expect(view.legend).to_contain_text(f"Version {new}, filled")
    expect(view.strip.locator(".old").first).to_be_visible()
    expect(view.strip.locator("[data-pod]:not(.old)").first).to_be_visible()
    view.says(re.compile(f"^Version {old} was replaced by {new}; {why}$"), seconds=ROLLOUT)
    release.wait_until_rolled_out()
    for pod in release.pod_names():
        view.has_row(pod, version=new)
    for pod in before:
        view.is_gone(pod)
    nothing_failed(view)


def test_scaling(release: Release, view: ClusterView) -> None:
    deployment = f"deployment/{release.one('deployment')}"
    release.namespace.kubectl("scale", deployment, "--replicas=4")
    release.wait_until_rolled_out()
    four = release.pod_names()
    assert len(four) == 4
    for pod in four:
        view.has_row(pod, database="postgresql")
    release.namespace.kubectl("scale", deployment, "--replicas=2")
    release.wait_until_rolled_out()
    for pod in four - release.pod_names():
        view.is_gone(pod, seconds=ROLLOUT)
    nothing_failed(view)


def test_deletion_of_a_pod(release: Release, view: ClusterView) -> None:
    before = release.pod_names()
    pod = min(before)
    release.namespace.kubectl("delete", "pod", pod, "--wait=false")
    release.wait_until_rolled_out()
    for other in release.pod_names() - before:
        view.has_row(other, database="postgresql")
    view.is_gone(pod, seconds=ROLLOUT)
    nothing_failed(view)


def test_sqlite_replicas_disagree(namespace: Namespace, browser: Browser) -> None:
    release = Release(namespace, "page-sqlite")
    release.install(SMALL, {"replicaCount": 3, "database": {"mode": "sqlite"}})
    release.client().add("Groceries")
    with watching(release, browser) as view:
        view.says(
            "Three pods answer and each knows other lists: "
            "with SQLite every replica has its own database."
        )
        for pod in release.pod_names():
            view.has_row(pod, database="sqlite", lists_known=re.compile("^[01]$"))
        nothing_failed(view)
        # The new pod has no list: what the deleted one knew is gone with it.
        (owner,) = [pod for pod in release.pod_names() if knows(view, pod) == "1"]
        release.namespace.kubectl("delete", "pod", owner, "--wait=false")
        view.is_gone(owner, seconds=ROLLOUT)
        view.says(re.compile("^Three pods answer. Each has its own SQLite database"), ROLLOUT)
        nothing_failed(view)
    release.uninstall()


def nothing_failed(view: ClusterView) -> None:
    """Expect no failure but of requests that Chromium itself has dropped.

    It does so when a network interface of the machine comes or goes, as a pod's may.
    """
    dropped = sum("net::ERR_NETWORK_CHANGED" in problem for problem in view.window.seen)
    assert view.count("failed") <= dropped, view.window.seen
    assert view.count("503 unavailable") == 0


def knows(view: ClusterView, pod: str) -> str:
    return view.cell(pod, "Lists known").inner_text()
