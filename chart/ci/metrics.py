"""The names of all series that alerts, the dashboard and the runbooks may use."""

import re

_HISTOGRAMS = ("http_server_request_duration_seconds", "tasklists_thread_wait_seconds")
SERVICE = {
    "http_server_active_requests",
    "tasklists_threads",
    "tasklists_threads_busy",
    "tasklists_requests_shed_total",
    "tasklists_database_up",
    "tasklists_database_connections_opened_total",
    "tasklists_database_errors_total",
    "tasklists_idempotent_replays_total",
    "tasklists_migrations_applied",
    "tasklists_migrations_missing",
    "tasklists_build_info",
    "tasklists_workers",
    *(f"{name}_{part}" for name in _HISTOGRAMS for part in ("bucket", "count", "sum")),
}
KUBERNETES = {  # kube-state-metrics and the kubelet
    "kube_deployment_status_replicas_ready",
    "kube_pod_container_status_restarts_total",
    "kube_pod_init_container_status_restarts_total",
    "kube_cronjob_status_last_successful_time",
    "kube_cronjob_created",
    "kube_job_created",
    "kube_job_failed",
    "kube_job_owner",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
}
PROMETHEUS = {"up", "ALERTS"}
KNOWN = SERVICE | KUBERNETES | PROMETHEUS

_NOT_NAMES = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right"}


def names(expression: str) -> set[str]:
    """The names of the series that a PromQL expression selects."""
    text = re.sub(r'"(\\.|[^"\\])*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", text)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", text)
    found = re.findall(r"(?<![\w:])[A-Za-z_:][\w:]*(?![\w:]|\s*\()", text)
    return set(found) - _NOT_NAMES
