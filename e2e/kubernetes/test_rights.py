"""Installing the chart needs only the rights that docs/kubernetes.md lists."""

import pytest

from e2e.kubernetes.cluster import Namespace
from e2e.kubernetes.database import Database, OperatedDatabase
from e2e.kubernetes.release import SMALL, Release, Values, merge

USER = "installer"
MODIFY = ["get", "create", "patch", "delete"]
KINDS = {
    "": ["services", "serviceaccounts"],
    "apps": ["deployments"],
    "networking.k8s.io": ["networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}
MODES = {
    "postgres": {"": ["configmaps", "persistentvolumeclaims"], "apps": ["statefulsets"]},
    "sqlite": {},
    "external": {},
    "cloudnative-pg": {"postgresql.cnpg.io": ["clusters", "poolers", "scheduledbackups"]},
}


def rules(kinds: dict[str, list[str]]) -> list[dict[str, list[str]]]:
    return [
        {"apiGroups": [group], "resources": resources, "verbs": MODIFY}
        for group, resources in kinds.items()
    ]


# Helm stores its releases in Secrets.
SECRETS = [{"apiGroups": [""], "resources": ["secrets"], "verbs": [*MODIFY, "list", "update"]}]


@pytest.mark.parametrize("mode", MODES)
def test_a_release_is_installed_upgraded_and_removed(
    namespace: Namespace, mode: str, request: pytest.FixtureRequest
) -> None:
    release = Release(namespace, f"rights-{mode}")
    values: Values = merge(SMALL, {"database": {"mode": mode}})
    if mode == "external":
        database = Database(namespace, "elsewhere")
        database.create("lists")
        namespace.create_secret("mine", {"uri": database.url("lists")})
        values = merge(values, {"external": {"existingSecret": "mine"}})
    if mode == "cloudnative-pg":
        request.getfixturevalue("with_kinds")
        initdb = {"owner": "tasklists", "database": "tasklists"}
        OperatedDatabase(namespace, f"{release.name}-tasklists-db", initdb)
    allow(namespace, rules(KINDS) + SECRETS + rules(MODES[mode]))
    as_user = ("--kube-as-user", USER)

    release.install(values, options=as_user)
    release.wait_until_rolled_out()
    release.client().add("installed")
    for times in ("once", "twice"):  # the second one before the first has rolled out
        release.upgrade(values, {"podAnnotations": {"upgraded": times}}, options=as_user)
    release.wait_until_rolled_out()
    release.helm("uninstall", release.name, *as_user)


def allow(namespace: Namespace, rights: list[dict[str, list[str]]]) -> None:
    api = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": USER}}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": USER}
    namespace.apply(
        {**api, "kind": "Role", "rules": rights},
        {
            **api,
            "kind": "RoleBinding",
            "roleRef": reference,
            "subjects": [{"kind": "User", "name": USER}],
        },
    )
