{{/*
Whether to render an object whose kind the cluster may lack; metrics.missingKinds decides. Takes a list of
the root context, the apiVersion, the kind, and the value that asks for the object.
*/}}
{{- define "tasklists.metrics.render" -}}
{{- $root := index . 0 }}
{{- $version := index . 1 }}
{{- $kind := index . 2 }}
{{- $missingKinds := $root.Values.metrics.missingKinds }}
{{- if or (eq $missingKinds "always") ($root.Capabilities.APIVersions.Has (printf "%s/%s" $version $kind)) -}}
true
{{- else if eq $missingKinds "fail" }}
{{- fail (printf "%s needs the kind %s of %s, which the cluster lacks (or no cluster was asked, as with helm template): install the Prometheus operator, or set metrics.missingKinds to skip, which leaves the object out, or to always, which renders it without asking" (index . 3) $kind $version) }}
{{- end }}
{{- end }}

{{- define "tasklists.metrics.hasMonitor" -}}
{{- if and .Values.metrics.enabled .Values.metrics.monitor.enabled }}
{{- include "tasklists.metrics.render" (list . "monitoring.coreos.com/v1" "PodMonitor" "metrics.monitor.enabled") }}
{{- end }}
{{- end }}

{{- define "tasklists.metrics.hasRules" -}}
{{- if and .Values.metrics.enabled .Values.metrics.rules.enabled }}
{{- include "tasklists.metrics.render" (list . "monitoring.coreos.com/v1" "PrometheusRule" "metrics.rules.enabled") }}
{{- end }}
{{- end }}

{{/*
The labels of an object by which something else finds it. Labels that the values give for this object win over
commonLabels. Takes a list of the root context and these labels.
*/}}
{{- define "tasklists.metrics.labels" -}}
{{- $selectors := include "tasklists.selectorLabels" (list (index . 0) "app") | fromYaml }}
{{- $labels := include "tasklists.labels" (list (index . 0) "app") | fromYaml }}
{{- merge $selectors (index . 1 | default dict) $labels | toYaml }}
{{- end }}

{{/*
The annotations of the application's pods: those given, and those that a plain Prometheus looks for by
convention. With a PodMonitor the latter are left out, since a Prometheus that uses both would scrape a pod twice.
*/}}
{{- define "tasklists.metrics.podAnnotations" -}}
{{- $annotations := dict }}
{{- if and .Values.metrics.enabled (not (include "tasklists.metrics.hasMonitor" .)) }}
{{- $annotations = dict "prometheus.io/scrape" "true" "prometheus.io/port" "9464" "prometheus.io/path" "/metrics" }}
{{- end }}
{{- merge dict (.Values.podAnnotations | default dict) $annotations | toYaml }}
{{- end }}
