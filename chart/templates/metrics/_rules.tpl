{{/*
What the rules of several alerts have in common. A release has rules of its own, which select its own
series, so that several releases may share a Prometheus.
*/}}

{{/* Matchers of this release's series, without braces. */}}
{{- define "tasklists.rules.release" -}}
namespace={{ .Release.Namespace | quote }}, app_kubernetes_io_name={{ include "tasklists.name" . | quote }}, app_kubernetes_io_instance={{ .Release.Name | quote }}
{{- end }}

{{/* Matchers of this release's targets, without braces. */}}
{{- define "tasklists.rules.app" -}}
{{ include "tasklists.rules.release" . }}, app_kubernetes_io_component="app"
{{- end }}

{{/* Matchers of the requests of users: health checks don't count. */}}
{{- define "tasklists.rules.requests" -}}
{{ include "tasklists.rules.app" . }}, http_route!~"/health/.*"
{{- end }}

{{/* The labels by which series of the release are aggregated. */}}
{{- define "tasklists.rules.by" -}}
by (namespace, app_kubernetes_io_name, app_kubernetes_io_instance)
{{- end }}

{{/*
The labels of an alert. They name the release even where the expression's series can't, such as those of
kube-state-metrics. Takes a list of the root context and the severity.
*/}}
{{- define "tasklists.rules.labels" -}}
{{- $root := index . 0 -}}
severity: {{ index . 1 }}
namespace: {{ $root.Release.Namespace | quote }}
app_kubernetes_io_name: {{ include "tasklists.name" $root | quote }}
app_kubernetes_io_instance: {{ $root.Release.Name | quote }}
{{- end }}

{{/* The address of an alert's runbook. Takes a list of the root context and the alert's name. */}}
{{- define "tasklists.rules.runbook" -}}
{{- printf "%s/%s.md" (index . 0).Values.metrics.rules.runbookUrl (index . 1) | quote }}
{{- end }}

{{/* slo.latencySeconds as a matcher of `le`. Clients write the bound 1 as "1" or as "1.0". */}}
{{- define "tasklists.rules.latencyBound" -}}
{{- $bound := include "tasklists.asText" .Values.metrics.rules.slo.latencySeconds }}
{{- contains "." $bound | ternary (printf "le=%q" $bound) (printf `le=~"%s([.]0)?"` $bound) }}
{{- end }}

{{/* The burn rates of the SLO, for the alerts of templates/metrics/prometheusrule.yaml. Each is measured
over a long window, so that it matters, and a short one, so that the alert ends soon after the trouble.
See "Alerting on SLOs" in Google's Site Reliability Workbook. */}}
{{- define "tasklists.rules.burnRates" -}}
- alert: TasklistsErrorBudgetBurnsFast
  rate: 14.4
  long: 1h
  short: 5m
  seconds: 3600
  for: 2m
  ends: in two days
- alert: TasklistsErrorBudgetBurnsSlowly
  rate: 3
  long: 1d
  short: 2h
  seconds: 86400
  for: 15m
  ends: in ten days
{{- end }}
