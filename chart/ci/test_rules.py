"""Each alert fires when it should and not otherwise; promtool evaluates the rendered rules."""

import functools
import json
import math
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import metrics
import pytest
import yaml
from promtool import promtool
from rendering import CHART, Refused, Values, render

Series = dict[str, list[float]]  # a value for each minute

ENABLED: Values = {
    "metrics": {"enabled": True, "missingKinds": "always", "rules": {"enabled": True}},
    "backup": {"enabled": True},
}
DAY = 24 * 60  # minutes
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))
POD, OTHER_POD = "one-tasklists-6f4c566469-dtz99", "one-tasklists-6f4c566469-x2b7k"
NEW_POD = "one-tasklists-7c9d8f5b64-q8w4z"


def merged(first: Values, second: Values) -> Values:
    both = dict(first)
    for key, value in second.items():
        old = both.get(key)
        both[key] = (
            merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return both


@functools.cache
def _spec(values: str) -> str:
    (rule,) = (item for item in render(json.loads(values)) if item["kind"] == "PrometheusRule")
    return json.dumps(rule["spec"])


def spec(values: Values | None = None) -> Any:
    """The rules of a release `one` in the namespace `here`."""
    return json.loads(_spec(json.dumps(merged(ENABLED, values or {}))))


def alerts(values: Values | None = None) -> list[Any]:
    return [rule for group in spec(values)["groups"] for rule in group["rules"] if "alert" in rule]


def alert_names(values: Values | None = None) -> set[str]:
    return {rule["alert"] for rule in alerts(values)}


# What Prometheus has scraped.


def flat(value: float, minutes: int) -> list[float]:
    return [value] * minutes


def counter(*phases: tuple[int, float]) -> list[float]:
    """The values of a counter; each phase is a number of minutes and the growth per minute."""
    values = [0.0]
    for minutes, growth in phases:
        for _ in range(minutes):
            values.append(values[-1] + growth)
    return values


def target(name: str, pod: str = POD, release: str = "one", **labels: object) -> str:
    """A series of a pod of the application."""
    labels = {
        "namespace": "here",
        "pod": pod,
        "app_kubernetes_io_name": "tasklists",
        "app_kubernetes_io_instance": release,
        "app_kubernetes_io_component": "app",
        **labels,
    }
    return (
        f"{name}{{{','.join(f'{key}={json.dumps(str(value))}' for key, value in labels.items())}}}"
    )


def requests(
    *phases: tuple[int, float],
    status: int = 200,
    route: str = "/lists",
    seconds: float = 0.02,
    pod: str = POD,
    release: str = "one",
) -> Series:
    """The series of requests that all take ``seconds``; the phases are those of counter()."""
    name = "http_server_request_duration_seconds"
    labels = {
        "http_request_method": "GET",
        "http_route": route,
        "http_response_status_code": status,
    }
    values = counter(*phases)
    series = {target(f"{name}_count", pod, release, **labels): values}
    for bound in BOUNDS:
        le = str(bound) if bound < float("inf") else "+Inf"
        counted = values if seconds <= bound else flat(0, len(values))
        series[target(f"{name}_bucket", pod, release, **labels, le=le)] = counted
    return series


def pod_series(minutes: int, pod: str = POD, release: str = "one") -> Series:
    """The series of a healthy pod, without those of its requests."""
    classes = ("authentication", "certificate", "conflict", "connection")
    errors = {
        target("tasklists_database_errors_total", pod, release, **{"class": c}) for c in classes
    }
    return {
        target("up", pod, release): flat(1, minutes),
        target("tasklists_database_up", pod, release): flat(1, minutes),
        target("tasklists_threads", pod, release): flat(8, minutes),
        target("tasklists_threads_busy", pod, release): flat(1, minutes),
        **{name: flat(0, minutes) for name in errors},
    }


def kubernetes_series(minutes: int, release: str = "one") -> Series:
    name = f"{release}-tasklists"
    deployment = f'{{namespace="here",deployment="{name}"}}'
    cronjob = f'{{namespace="here",cronjob="{name}-backup"}}'
    series = {
        f"kube_deployment_status_replicas_ready{deployment}": flat(2, minutes),
        f"kube_cronjob_created{cronjob}": flat(-30 * DAY * 60, minutes),
        f"kube_cronjob_status_last_successful_time{cronjob}": flat(-3600, minutes),
    }
    for claim in (f"{name}-postgres", f"{name}-backup"):
        labels = f'{{namespace="here",persistentvolumeclaim="{claim}",node="a"}}'
        series[f"kubelet_volume_stats_capacity_bytes{labels}"] = flat(2**31, minutes)
        series[f"kubelet_volume_stats_available_bytes{labels}"] = flat(2**30, minutes)
    return series


def restarts(pod: str, values: list[float], container: str = "app") -> Series:
    name = "kube_pod_container_status_restarts_total"
    return {
        f'{name}{{namespace="here",pod="{pod}",container="{container}",instance="ksm"}}': values
    }


def job(
    name: str, minutes: int, *, created: float, failed: bool, owner: str = "one-tasklists-backup"
) -> Series:
    labels = f'namespace="here",job_name="{name}"'
    owned = f'{labels},owner_kind="CronJob",owner_name="{owner}",owner_is_controller="true"'
    series = {
        f"kube_job_created{{{labels}}}": flat(created, minutes),
        f"kube_job_owner{{{owned}}}": flat(1, minutes),
    }
    if failed:
        series[f'kube_job_failed{{{labels},condition="true"}}'] = flat(1, minutes)
        series[f'kube_job_failed{{{labels},condition="false"}}'] = flat(0, minutes)
    return series


def well(minutes: int) -> Series:
    """The series of a healthy release with two pods and 100 requests per minute."""
    return {
        **pod_series(minutes),
        **pod_series(minutes, OTHER_POD),
        **requests((minutes - 1, 100)),
        **kubernetes_series(minutes),
    }


def cronjob(name: str) -> str:
    return f'kube_cronjob_{name}{{namespace="here",cronjob="one-tasklists-backup"}}'


def volume(claim: str, free: float, minutes: int) -> Series:
    labels = f'{{namespace="here",persistentvolumeclaim="{claim}",node="a"}}'
    return {
        f"kubelet_volume_stats_capacity_bytes{labels}": flat(1000, minutes),
        f"kubelet_volume_stats_available_bytes{labels}": flat(1000 * free, minutes),
    }


def database_errors(values: list[float], error_class: str) -> Series:
    return {target("tasklists_database_errors_total", **{"class": error_class}): values}


# The cases.


@dataclass
class Case:
    name: str
    series: Series
    fires: dict[str, str] = field(
        default_factory=dict
    )  # alert: its value, as the description has it
    labels: dict[str, str] = field(default_factory=dict)  # besides those of the rule
    slo: str = ""  # the objective whose budget burns

    @property
    def minutes(self) -> int:
        return max(map(len, self.series.values()), default=60) - 1


def no_pods(minutes: int) -> Series:
    return kubernetes_series(minutes)


ERRORS = {**well(61), **requests((48, 0), (12, 10), status=503)}
SLOW = {**well(61), **requests((60, 5), seconds=2.0, route="/lists/{pk}")}
BUSY = {**well(61), target("tasklists_threads_busy"): [*flat(1, 50), *flat(8, 11)]}
RESTARTS = {**well(61), **restarts(POD, [*flat(0, 40), *counter((3, 1), (17, 0))])}
FILLING = {**well(61), **volume("one-tasklists-postgres", 0.05, 61)}
OLD_BACKUP = {**well(61), cronjob("status_last_successful_time"): flat(-27 * 3600, 61)}
BUDGET = {**well(121), **requests((60, 0), (60, 3), status=500)}
SLOW_BUDGET = {**well(121), **requests((60, 0), (60, 3), seconds=0.4, route="/lists/{pk}")}
FAILED = {**well(61), **job("one-tasklists-backup-29401260", 61, created=-600, failed=True)}

CASES = [
    Case("nothing is wrong", well(121)),
    # No targets
    Case(
        "no target",
        no_pods(61),
        {"TasklistsTargetAbsent": ""},
        {"app_kubernetes_io_component": "app"},
    ),
    Case(
        "no target, but another release has some",
        {**no_pods(61), **pod_series(61, "two-tasklists-6f4c566469-dtz99", "two")},
        {"TasklistsTargetAbsent": ""},
        {"app_kubernetes_io_component": "app"},
    ),
    Case("targets vanish for a few minutes", {**no_pods(61), **pod_series(51)}),
    # No pod
    Case(
        "no pod answers",
        {**well(61), target("up"): flat(0, 61), target("up", OTHER_POD): flat(0, 61)},
        {"TasklistsNoReadyPod": ""},
    ),
    Case(
        "no pod is ready",
        {
            **well(61),
            'kube_deployment_status_replicas_ready{namespace="here",deployment="one-tasklists"}': flat(
                0, 61
            ),
        },
        {"TasklistsNoReadyPod": ""},
    ),
    Case("one of two pods does not answer", {**well(61), target("up"): flat(0, 61)}),
    Case(
        "a single scrape of every pod fails",
        {**well(61), **{target("up", pod): [*flat(1, 60), 0] for pod in (POD, OTHER_POD)}},
    ),
    Case(
        "a rollout replaces both pods",
        {
            **kubernetes_series(61),
            **pod_series(50),
            **requests((49, 100)),
            **{
                name: [*flat(float("nan"), 45), *values[:16]]
                for name, values in pod_series(16, NEW_POD).items()
            },
            **{
                name: [*flat(float("nan"), 45), *values]
                for name, values in requests((15, 100), pod=NEW_POD).items()
            },
        },
    ),
    # Database
    Case(
        "no pod reaches the database",
        {
            **well(61),
            **{
                target("tasklists_database_up", pod): [*flat(1, 57), *flat(0, 4)]
                for pod in (POD, OTHER_POD)
            },
        },
        {"TasklistsDatabaseUnreachable": ""},
    ),
    Case(
        "one of two pods does not reach the database",
        {**well(61), target("tasklists_database_up"): flat(0, 61)},
    ),
    Case(
        "the database restarts",
        {
            **well(61),
            **{
                target("tasklists_database_up", pod): [*flat(1, 59), 0, 0]
                for pod in (POD, OTHER_POD)
            },
        },
    ),
    Case(
        "the database refuses the password",
        {**well(61), **database_errors(counter((45, 0), (15, 3)), "authentication")},
        {"TasklistsDatabaseRefusesLogin": "50m"},
    ),
    Case(
        "the certificate has expired",
        {**well(61), **database_errors(counter((45, 0), (15, 3)), "certificate")},
        {"TasklistsDatabaseRefusesLogin": "50m"},
    ),
    Case(
        "the password is changed",
        {**well(61), **database_errors(counter((55, 0), (1, 30), (4, 0)), "authentication")},
    ),
    Case("transactions conflict", {**well(61), **database_errors(counter((60, 5)), "conflict")}),
    # Errors
    Case(
        "one of eleven requests fails",
        ERRORS,
        {
            "TasklistsErrors": "9.091%",
            "TasklistsErrorBudgetBurnsFast": "1.961%",
        },
        slo="availability",
    ),
    Case(
        "every request fails",
        {**well(61), **requests((60, 0)), **requests((60, 100), status=500)},
        {
            "TasklistsErrors": "100%",
            "TasklistsErrorBudgetBurnsFast": "100%",
            "TasklistsErrorBudgetBurnsSlowly": "100%",
        },
        slo="availability",
    ),
    Case(
        "errors last for two minutes",
        {**well(61), **requests((54, 0), (2, 10), (4, 0), status=503)},
    ),
    Case(
        "all of the few requests fail",
        {**well(61), **requests((60, 0)), **requests((53, 0), (4, 1), (3, 0), status=500)},
    ),
    Case(
        "only health checks fail",
        {**well(61), **requests((60, 12), status=503, route="/health/ready")},
    ),
    Case("clients are told that they are wrong", {**well(61), **requests((60, 100), status=404)}),
    # Time
    Case(
        "one of twenty requests takes two seconds",
        SLOW,
        {
            "TasklistsSlow": "2.185s",
            "TasklistsErrorBudgetBurnsFast": "4.762%",
            "TasklistsErrorBudgetBurnsSlowly": "4.762%",
        },
        slo="latency",
    ),
    Case(
        "few requests, and some of them take two seconds",
        {
            **well(61),
            **requests((60, 1)),
            **requests((60, 0.15), seconds=2.0, route="/lists/{pk}"),
        },
    ),
    Case(
        "only health checks are slow",
        {**well(61), **requests((60, 12), seconds=2.0, route="/health/ready")},
    ),
    # Threads
    Case("a pod has no thread free", BUSY, {"TasklistsThreadsExhausted": "100%"}, {"pod": POD}),
    Case(
        "all threads are busy for two minutes",
        {**well(61), target("tasklists_threads_busy"): [*flat(1, 59), 8, 8]},
    ),
    Case(
        "all threads are busy every other minute",
        {**well(61), target("tasklists_threads_busy"): [*flat(1, 41), *[8.0, 1.0] * 10]},
    ),
    Case(
        "a worker is replaced",
        {
            **well(61),
            target("tasklists_threads"): [*flat(8, 55), 4, *flat(8, 5)],
            target("tasklists_threads_busy"): [*flat(1, 55), 0, *flat(1, 5)],
        },
    ),
    # Restarts
    Case(
        "a container restarts three times",
        RESTARTS,
        {"TasklistsRestarts": "3"},
        {"pod": POD, "container": "app"},
    ),
    Case(
        "the database restarts three times",
        {
            **well(61),
            **restarts(
                "one-tasklists-postgres-0", [*flat(0, 40), *counter((3, 1), (17, 0))], "postgres"
            ),
        },
        {"TasklistsRestarts": "3"},
        {"pod": "one-tasklists-postgres-0", "container": "postgres"},
    ),
    Case(
        "an init container restarts three times",
        {
            **well(61),
            **{
                name.replace("kube_pod_", "kube_pod_init_"): counts
                for name, counts in restarts(
                    POD, [*flat(0, 40), *counter((3, 1), (17, 0))], "migrate"
                ).items()
            },
        },
        {"TasklistsRestarts": "3"},
        {"pod": POD, "container": "migrate"},
    ),
    Case(
        "a container restarts twice",
        {**well(61), **restarts(POD, [*flat(0, 40), *counter((2, 1), (18, 0))])},
    ),
    Case("a container has restarted often, long ago", {**well(61), **restarts(POD, flat(20, 61))}),
    Case(
        "pods of others restart",
        {
            **well(61),
            **restarts("one-tasklists-backup-29401260-dtz99", counter((60, 1))),
            **restarts("one-tasklists-other-6f4c566469-dtz99", counter((60, 1))),
            **restarts("two-tasklists-6f4c566469-dtz99", counter((60, 1))),
        },
    ),
    # Volumes
    Case(
        "the database's volume is almost full",
        FILLING,
        {"TasklistsDatabaseVolumeFilling": "5%"},
        {"persistentvolumeclaim": "one-tasklists-postgres"},
    ),
    Case(
        "the backups' volume is almost full",
        {**well(61), **volume("one-tasklists-backup", 0.05, 61)},
        {"TasklistsDatabaseVolumeFilling": "5%"},
        {"persistentvolumeclaim": "one-tasklists-backup"},
    ),
    Case(
        "another volume is almost full", {**well(61), **volume("two-tasklists-postgres", 0.05, 61)}
    ),
    Case(
        "space is short for ten minutes",
        {
            **well(61),
            **{
                name: [*flat(1000, 51), *values]
                for name, values in volume("one-tasklists-postgres", 0.05, 10).items()
            },
        },
    ),
    # Backups
    Case(
        "the last backup is too old",
        OLD_BACKUP,
        {"TasklistsBackupTooOld": "1d 4h 0m 0s"},
        {"cronjob": "one-tasklists-backup"},
    ),
    Case(
        "no backup has ever succeeded",
        {
            **{n: v for n, v in well(61).items() if "last_successful" not in n},
            cronjob("created"): flat(-27 * 3600, 61),
        },
        {"TasklistsBackupTooOld": "1d 4h 0m 0s"},
        {"cronjob": "one-tasklists-backup"},
    ),
    Case(
        "backups have just been turned on",
        {
            **{n: v for n, v in well(61).items() if "last_successful" not in n},
            cronjob("created"): flat(-3600, 61),
        },
    ),
    Case(
        "last night's backup succeeded",
        {**well(61), cronjob("status_last_successful_time"): flat(-23 * 3600, 61)},
    ),
    Case(
        "a backup failed",
        {**FAILED, cronjob("status_last_successful_time"): flat(-3600, 61)},
        {"TasklistsBackupFailed": "1969-12-31 23:50:00 +0000 UTC"},
    ),
    Case(
        "the first backup failed",
        {
            **{n: v for n, v in FAILED.items() if "last_successful" not in n},
            cronjob("created"): flat(-3600, 61),
        },
        {"TasklistsBackupFailed": "1969-12-31 23:50:00 +0000 UTC"},
    ),
    Case(
        "a backup succeeded after one that failed",
        {**FAILED, cronjob("status_last_successful_time"): flat(-60, 61)},
    ),
    Case(
        "other jobs failed",
        {
            **well(61),
            **job("nightly-report-29401260", 61, created=-600, failed=True, owner="nightly-report"),
            **job("one-tasklists-backup-29401260", 61, created=-600, failed=False),
        },
    ),
    # The error budget
    Case(
        "three of a hundred requests fail for an hour",
        BUDGET,
        {
            "TasklistsErrorBudgetBurnsFast": "2.913%",
            "TasklistsErrorBudgetBurnsSlowly": "1.478%",
        },
        slo="availability",
    ),
    Case(
        "three of a hundred requests take 0.4 seconds",
        SLOW_BUDGET,
        {
            "TasklistsErrorBudgetBurnsFast": "2.913%",
            "TasklistsErrorBudgetBurnsSlowly": "1.478%",
        },
        slo="latency",
    ),
    Case(
        "requests failed, but no longer do",
        {**well(121), **requests((75, 0), (30, 3), (15, 0), status=500)},
        {"TasklistsErrorBudgetBurnsSlowly": "0.7444%"},
        slo="availability",
    ),
    Case(
        "nine requests fail in an hour of low traffic",
        {**well(61), **requests((60, 1)), **requests((6, 0), (54, 1 / 6), status=500)},
    ),
    Case(
        "half of a percent fails for a day",
        {**well(DAY + 1), **requests((DAY, 0.5), status=500)},
        {"TasklistsErrorBudgetBurnsSlowly": "0.4975%"},
        slo="availability",
    ),
    Case(
        "half of a percent is slow for a day",
        {**well(DAY + 1), **requests((DAY, 0.5), seconds=0.4, route="/lists/{pk}")},
        {"TasklistsErrorBudgetBurnsSlowly": "0.4975%"},
        slo="latency",
    ),
    Case("two of a thousand fail for a day", {**well(DAY + 1), **requests((DAY, 0.2), status=500)}),
    # Two releases
    Case(
        "only the other release of the namespace is in trouble",
        {
            **well(61),
            target("up", release="two"): flat(0, 61),
            target("tasklists_database_up", release="two"): flat(0, 61),
            target("tasklists_threads", release="two"): flat(8, 61),
            target("tasklists_threads_busy", release="two"): flat(8, 61),
            **requests((60, 100), status=500, seconds=5.0, release="two"),
            **volume("two-tasklists-postgres", 0, 61),
            'kube_deployment_status_replicas_ready{namespace="here",deployment="two-tasklists"}': flat(
                0, 61
            ),
            **job(
                "two-backup-29401260", 61, created=-600, failed=True, owner="two-tasklists-backup"
            ),
        },
    ),
]


def promtool_test(case: Case, rules: Any) -> Any:
    """The case as a file for `promtool test rules`, which looks at every alert at its end."""
    expected: dict[str, list[Any]] = {}
    for rule in rules:
        fires = expected.setdefault(rule["alert"], [])
        if rule["alert"] not in case.fires or rule["labels"].get("slo", case.slo) != case.slo:
            continue
        description = rule["annotations"]["description"]
        for name, value in case.labels.items():
            description = description.replace(f"{{{{ $labels.{name} }}}}", value)
        description = re.sub(r"\{\{ .*?\$value.*?\}\}", case.fires[rule["alert"]], description)
        assert "{{" not in description
        labels = {**rule["labels"], **case.labels}
        fires.append(
            {
                "exp_labels": labels,
                "exp_annotations": {**rule["annotations"], "description": description},
            }
        )
    series = [
        {
            "series": name,
            "values": " ".join("_" if math.isnan(value) else f"{value:.12g}" for value in values),
        }
        for name, values in case.series.items()
    ]
    return {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in spec()["groups"]],  # else it is random
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "alert_rule_test": [
                    {"eval_time": f"{case.minutes}m", "alertname": name, "exp_alerts": fires}
                    for name, fires in expected.items()
                ],
            }
        ],
    }


def evaluate(
    case: Case, folder: Path, values: Values | None = None, *, only: str | None = None
) -> None:
    """Compare the alerts that fire at the end of the case, or ``only`` one, with the expected."""
    rules = [rule for rule in alerts(values) if only in (None, rule["alert"])]
    assert rules
    (folder / "rules.yaml").write_text(yaml.safe_dump(spec(values)))
    (folder / "test.yaml").write_text(yaml.safe_dump(promtool_test(case, rules), width=10**6))
    promtool("test", "rules", folder / "test.yaml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_alerts_that_should_fire_do_and_no_others(case: Case, tmp_path: Path) -> None:
    evaluate(case, tmp_path)


def test_every_alert_fires_in_some_case() -> None:
    assert {alert for case in CASES for alert in case.fires} == alert_names()


THRESHOLDS = [  # alert, the series with which it fires, and a value with which it does not
    ("TasklistsErrors", ERRORS, {"thresholds": {"errorRatio": 0.2}}),
    ("TasklistsSlow", SLOW, {"thresholds": {"latencySeconds": 5}}),
    ("TasklistsThreadsExhausted", BUSY, {"thresholds": {"threadsBusyRatio": 1}}),
    ("TasklistsRestarts", RESTARTS, {"thresholds": {"restarts": 4}}),
    ("TasklistsDatabaseVolumeFilling", FILLING, {"thresholds": {"volumeFreeRatio": 0.01}}),
    ("TasklistsBackupTooOld", OLD_BACKUP, {"thresholds": {"backupAgeHours": 50}}),
    ("TasklistsErrorBudgetBurnsFast", BUDGET, {"slo": {"availability": 99.5}}),
    ("TasklistsErrorBudgetBurnsFast", SLOW_BUDGET, {"slo": {"latencySeconds": 1}}),
]


@pytest.mark.parametrize(("alert", "series", "rules"), THRESHOLDS)
def test_an_alert_does_not_fire_if_a_value_moves_its_threshold(
    alert: str, series: Series, rules: Values, tmp_path: Path
) -> None:
    evaluate(Case(alert, series), tmp_path, {"metrics": {"rules": rules}}, only=alert)


def test_the_bound_of_one_second_is_found_however_the_client_writes_it(tmp_path: Path) -> None:
    values = {"metrics": {"rules": {"slo": {"latencySeconds": 1}}}}
    slow = {**well(61), **requests((60, 3), seconds=2.0, route="/lists/{pk}")}
    fires = {"TasklistsErrorBudgetBurnsFast": "2.913%", "TasklistsErrorBudgetBurnsSlowly": "2.913%"}
    for bound in ('le="1.0"', 'le="1"'):
        series = {name.replace('le="1.0"', bound): counts for name, counts in slow.items()}
        evaluate(
            Case("slow", series, fires | {"TasklistsSlow": "1.985s"}, slo="latency"),
            tmp_path,
            values,
        )


def test_an_objective_that_no_bound_counts_is_refused() -> None:
    with pytest.raises(Refused, match="latencySeconds"):
        spec({"metrics": {"rules": {"slo": {"latencySeconds": 0.25}}}})


BACKUP = {"TasklistsBackupTooOld", "TasklistsBackupFailed"}
VOLUME = {"TasklistsDatabaseVolumeFilling"}


@pytest.mark.parametrize(
    ("values", "absent"),
    [
        ({"backup": {"enabled": False}}, BACKUP),
        (
            {"backup": {"enabled": False}, "postgres": {"persistence": {"enabled": False}}},
            BACKUP | VOLUME,
        ),
        ({"backup": {"enabled": False}, "database": {"mode": "sqlite"}}, BACKUP | VOLUME),
        (
            {
                "backup": {"enabled": False},
                "database": {"mode": "external"},
                "external": {"existingSecret": "url"},
            },
            BACKUP | VOLUME,
        ),
        ({"database": {"mode": "cloudnative-pg"}}, set()),
    ],
)
def test_alerts_about_what_the_release_lacks_are_left_out(
    values: Values, absent: set[str], tmp_path: Path
) -> None:
    assert alert_names() - alert_names(values) == absent
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec(values)))
    promtool("check", "rules", tmp_path / "rules.yaml")


def test_plain_prometheus_takes_the_spec_as_a_file_of_rules(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec()))
    assert "SUCCESS" in promtool("check", "rules", tmp_path / "rules.yaml")


def test_the_series_of_the_service_are_those_of_the_documentation() -> None:
    text = (DOCS / "monitoring.md").read_text()
    rows = re.findall(r"^\| (`(?:http_|tasklists_).*?) \|", text, re.MULTILINE)
    documented = set(re.findall("`(.*?)`", " ".join(rows)))
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in metrics.SERVICE} == documented


def test_rules_use_only_series_that_exist() -> None:
    rules = [rule for group in spec()["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    used = {name for rule in rules for name in metrics.names(rule["expr"])}
    assert used <= metrics.KNOWN | recorded
    assert recorded <= used  # what is recorded is also used


def test_every_alert_says_what_how_bad_and_where_to_read_on() -> None:
    for rule in alerts():
        assert rule["for"]
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["labels"]["namespace"] == "here"
        assert rule["labels"]["app_kubernetes_io_instance"] == "one"
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"


# The runbooks.

DOCS = CHART.parent / "docs"
RUNBOOKS = DOCS / "runbooks"
SECTIONS = ["What it means", "What users notice", "How to see it", "What to do", "What not to do"]
runbooks = pytest.mark.parametrize(
    "runbook",
    sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md"),
    ids=lambda path: path.stem,
)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == alert_names()


def test_the_index_leads_to_every_runbook() -> None:
    linked = re.findall(r"\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text())
    assert set(linked) == alert_names()


@runbooks
def test_a_runbook_has_the_five_sections_in_order(runbook: Path) -> None:
    text = runbook.read_text()
    assert text.startswith(f"# {runbook.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS


@runbooks
def test_a_runbook_speaks_only_of_series_that_exist(runbook: Path) -> None:
    found = set(
        re.findall(r"\b(?:tasklists|http_server|kube|kubelet)_[a-z_]+", runbook.read_text())
    )
    assert found <= metrics.KNOWN


@runbooks
def test_the_commands_of_a_runbook_are_complete(runbook: Path) -> None:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", runbook.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks[0].startswith("NAMESPACE=default RELEASE=tasklists\n")
    for block in blocks:
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)
    variables = set(re.findall(r"\b([A-Z_]{2,})=", blocks[0]))
    used = {name for block in blocks for name in re.findall(r"\$\{?([A-Z_]+)", block)}
    assert used <= variables | {
        name for block in blocks[1:] for name in re.findall(r"\b([A-Z_]{2,})=", block)
    }


@runbooks
def test_the_links_of_a_runbook_lead_somewhere(runbook: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", runbook.read_text()):
        name, _, anchor = link.partition("#")
        text = (RUNBOOKS / name).read_text()
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        assert not anchor or anchor in {
            re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings
        }
