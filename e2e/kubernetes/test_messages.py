"""What goes wrong says what it is, where people look: helm, describe, logs."""

import pytest

from e2e.kubernetes.cluster import CommandError, Namespace, eventually
from e2e.kubernetes.database import Database
from e2e.kubernetes.release import HELMS, SMALL, Release, Values


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replicaCout": 3}, "replicaCout"),
        ({"postgres": {"auth": {"pasword": "secret"}}}, "pasword"),
        ({"database": {"mode": "mysql"}}, "'?postgres'?, '?sqlite'?|one of the following"),
        (
            {"autoscaling": {"enabled": True}, "database": {"mode": "sqlite"}},
            "set database.mode to",
        ),
    ],
)
def test_values_that_cannot_be(
    namespace: Namespace, helm: str, values: Values, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        Release(namespace, helm=helm).install(values)
    assert Release(namespace).get("deployment") == []


def test_a_missing_image(namespace: Namespace) -> None:
    release = Release(namespace, "image")
    release.install(SMALL, {"database": {"mode": "sqlite"}})
    release.client().add("still there")
    release.upgrade(
        SMALL,
        {"database": {"mode": "sqlite"}, "image": {"tag": "nowhere", "pullPolicy": "Never"}},
        options=(),
    )
    sees(release, "app", 'Container image "app:nowhere" is not present with pull policy of Never')
    assert release.client().names() == ["still there"]


def test_a_missing_claim(namespace: Namespace) -> None:
    release = Release(namespace, "claim")
    values = {"postgres": {"persistence": {"existingClaim": "nowhere"}}}
    notes = release.install(SMALL, values, options=())
    assert "get pvc/nowhere\n" in notes
    sees(release, "postgres", 'persistentvolumeclaim "nowhere" not found')


def test_a_missing_secret(namespace: Namespace) -> None:
    release = Release(namespace, "secret")
    notes = release.install(SMALL, external("nowhere"), options=())
    assert "get secret/nowhere\n" in notes
    sees(release, "app", 'secret "nowhere" not found')


def test_a_key_that_the_secret_does_not_have(namespace: Namespace) -> None:
    namespace.create_secret("keyless", {"url": "postgresql://nobody@nowhere/nothing"})
    release = Release(namespace, "key")
    release.install(SMALL, external("keyless"), options=())
    sees(release, "app", "references non-existent secret key: uri")


def test_a_wrong_password(namespace: Namespace) -> None:
    database = Database(namespace, "elsewhere")
    url = f"postgresql://postgres:wrong@{database.host}/postgres"
    namespace.create_secret("wrong", {"uri": url})
    release = Release(namespace, "password")
    release.install(SMALL, external("wrong"), options=())
    logs(release, "migrate", 'password authentication failed for user \\"postgres\\"')


def test_a_wrong_host(namespace: Namespace) -> None:
    namespace.create_secret("lost", {"uri": "postgresql://postgres@nowhere/postgres"})
    release = Release(namespace, "host")
    release.install(SMALL, external("lost"), options=())
    logs(release, "migrate", 'could not translate host name \\"nowhere\\"')


def external(secret: str) -> Values:
    return {"database": {"mode": "external"}, "external": {"existingSecret": secret}}


def sees(release: Release, component: str, message: str) -> None:
    """Whether ``kubectl describe pod`` says it."""
    selector = release.selector(component)
    eventually(
        lambda: message in release.namespace.kubectl("describe", "pod", selector),
        f"kubectl describe says {message!r}",
    )


def logs(release: Release, container: str, message: str) -> None:
    command = ("logs", release.selector("app"), f"--container={container}")
    eventually(lambda: message in release.namespace.kubectl(*command), f"the log says {message!r}")
