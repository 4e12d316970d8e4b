from collections.abc import Generator, Iterator

import pytest

from e2e.kubernetes.cluster import (
    RESTRICTED_CONTAINER,
    RESTRICTED_POD,
    CommandError,
    Namespace,
    deleted_namespaces,
    eventually,
    new_namespace,
    nodes,
    open_namespaces,
    run,
)
from e2e.kubernetes.kinds import definitions
from e2e.kubernetes.release import HELMS
from e2e.room import room

IMAGES = ("app:latest", "postgres:17")


@pytest.fixture(scope="session", autouse=True)
def cluster() -> Iterator[None]:
    """A cluster that answers, and nodes that have the images."""
    try:
        run("kubectl", "get", "nodes")
    except (CommandError, FileNotFoundError) as error:
        pytest.exit(f"These tests need kubectl and a cluster (KUBECONFIG):\n{error}", 1)
    for helm in HELMS:
        try:
            run(helm, "version")
        except FileNotFoundError:
            pytest.exit("These tests need helm 3 or 4, as helm, helm3 or helm4", 1)
    with new_namespace("images") as namespace:
        try:
            require_images(namespace, *IMAGES)
        except MissingImageError as error:
            pytest.exit(str(error), 1)
    yield
    for namespace in deleted_namespaces:
        run("kubectl", "wait", "--for=delete", f"namespace/{namespace.name}", "--timeout=180s")


class MissingImageError(Exception):
    """A node lacks an image."""


def require_images(namespace: Namespace, *images: str) -> None:
    """Start a pod of the images on each node, with no registry to help."""
    for number, node in enumerate(nodes()):
        containers = [
            {
                "name": f"image-{place}",
                "image": image,
                "imagePullPolicy": "Never",
                "command": ["true"],
                "securityContext": RESTRICTED_CONTAINER,
            }
            for place, image in enumerate(images)
        ]
        namespace.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"images-{number}"},
                "spec": {
                    "nodeName": node,
                    "restartPolicy": "Never",
                    "securityContext": RESTRICTED_POD,
                    "containers": containers,
                },
            }
        )
    for number, node in enumerate(nodes()):

        def ended(name: str = f"images-{number}", node: str = node) -> bool:
            status = namespace.get("pod", name)["status"]
            for container in status.get("containerStatuses", []):
                if container["state"].get("waiting", {}).get("reason") == "ErrImageNeverPull":
                    raise MissingImageError(
                        f"Node {node} has no image {container['image']}: load it there"
                    )
            return bool(status["phase"] == "Succeeded")

        eventually(ended, f"node {node} runs {' and '.join(images)}")


def require_built_images(namespace: Namespace, *images: str) -> None:
    """Fail the test if a node lacks one of these images, each of which has a make target."""
    try:
        require_images(namespace, *images)
    except MissingImageError as error:
        targets = " ".join(image.replace("app:", "image-") for image in images)
        pytest.fail(f"{error} (build it with make {targets})")


@pytest.fixture(scope="module")
def namespace(request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """A namespace for the module, which enforces Pod Security ``restricted``."""
    purpose = request.module.__name__.rpartition(".test_")[2].replace("_", "-")
    with new_namespace(purpose) as namespace:
        yield namespace


@pytest.fixture(scope="module")
def with_kinds() -> Iterator[None]:
    """The kinds of the operators whose objects the chart renders."""
    with definitions():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for namespace in open_namespaces:
            report.sections.append((f"namespace {namespace.name}", namespace.state()))
    return report


@pytest.fixture
def no_page() -> Iterator[None]:
    """Keep `make e2e-docs` from typing a page: for a test on port 5000, or that drains a node."""
    with room(of_pages=False):
        yield
