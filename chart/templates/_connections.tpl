{{/*
Whether PostgreSQL accepts enough connections for the pods. The error and the warning are empty if a number is
not known, or if a pooler shares the connections among the pods.
*/}}

{{/* An error if the pods can open more connections than there are. Pods that an upgrade starts before it stops others count. */}}
{{- define "tasklists.connectionFault" -}}
{{- with include "tasklists.connectionNumbers" . | fromYaml }}
{{- $pods := add .pods .surge }}
{{- $used := mul $pods .workers (add .threads 1) }}
{{- $needed := add $used .others .reserved }}
{{- if gt $needed (int64 .max) -}}
up to {{ $pods }} pods ({{ .replicas }} {{ .pods }}{{ if .surge }}, and {{ .surge }} more in an upgrade{{ end }}) × config.webConcurrency {{ .workers }} × (config.threads {{ .threads }} + 1) open {{ $used }} database connections, and a backup, a restore and a command {{ .others }} more, but PostgreSQL accepts {{ sub .max .reserved }} (max_connections {{ .max }} less {{ .reserved }} reserved ones): set {{ .parameters }}.max_connections to {{ $needed }} or more, or lower {{ .replicas }}, config.webConcurrency or config.threads
{{- end }}
{{- end }}
{{- end }}

{{/* A warning if there are too few once the pods that an upgrade stops count as well: they keep their connections until they end. */}}
{{- define "tasklists.connectionWarning" -}}
{{- with include "tasklists.connectionNumbers" . | fromYaml }}
{{- $needed := add (mul 2 .pods .workers .threads) .others .reserved }}
{{- if and .surge (gt $needed (int64 .max)) -}}
pods that an upgrade stops keep their connections to the database until they end. Under
full load, requests may find none for some seconds, and get 503. To prevent that, set
{{ .parameters }}.max_connections to {{ $needed }} or more.
{{- end }}
{{- end }}
{{- end }}

{{/* The numbers for both, as YAML; empty if one is not known. */}}
{{- define "tasklists.connectionNumbers" -}}
{{- $root := . }}
{{- $values := .Values }}
{{- $section := get (dict "postgres" "postgres" "cloudnative-pg" "cloudnativePg") $values.database.mode }}
{{- if and $section (not (and (eq $section "cloudnativePg") $values.cloudnativePg.pooler.enabled)) }}
{{- $parameters := (get $values $section).parameters | default dict }}
{{- $pods := $values.autoscaling.enabled | ternary $values.autoscaling.maxReplicas $values.replicaCount | int }}
{{- $max := include "tasklists.parameter" (list $parameters "max_connections" 100) }}
{{- $workers := include "tasklists.variable" (list $root "WEB_CONCURRENCY") }}
{{- $threads := include "tasklists.variable" (list $root "THREADS") }}
{{- $own := eq (include "tasklists.variable" (list $root "DATABASE_URL")) (include "tasklists.environment" $root | fromYaml).DATABASE_URL }}
{{- if and $max $workers $threads $own -}}
replicas: {{ $values.autoscaling.enabled | ternary "autoscaling.maxReplicas" "replicaCount" }}
pods: {{ $pods }}
surge: {{ include "tasklists.surge" (list $root $pods) }}
workers: {{ $workers }}
threads: {{ $threads }}
others: 3 # a backup, a restore, and a command such as manage.py doctor
max: {{ $max }}
reserved: {{ add (include "tasklists.parameter" (list $parameters "superuser_reserved_connections" 3)) (include "tasklists.parameter" (list $parameters "reserved_connections" 0)) }}
parameters: {{ $section }}.parameters
{{- end }}
{{- end }}
{{- end }}

{{/* How many pods an upgrade starts before it stops others. Takes a list of the root context and the number of pods. */}}
{{- define "tasklists.surge" -}}
{{- $strategy := include "tasklists.strategy" (first .) | fromYaml }}
{{- $surge := include "tasklists.asText" (dig "rollingUpdate" "maxSurge" "25%" $strategy) }}
{{- if eq ($strategy.type | default "RollingUpdate") "Recreate" -}}
0
{{- else if hasSuffix "%" $surge }}
{{- div (add (mul (last .) (trimSuffix "%" $surge)) 99) 100 }}{{/* Kubernetes rounds up */}}
{{- else }}
{{- $surge }}
{{- end }}
{{- end }}

{{/* The value of a variable of the application's containers; empty if it is not set, or comes from an object in the cluster. Takes a list of the root context and the name. */}}
{{- define "tasklists.variable" -}}
{{- $name := last . }}
{{- range include "tasklists.env" (list (first .) dict) | fromYamlArray }}
{{- if eq .name $name }}{{ get . "value" }}{{ end }}
{{- end }}
{{- end }}

{{/* A number among PostgreSQL's parameters, whose names may be in any case and have hyphens for underscores; empty if it is no decimal number. Takes a list of the parameters, the name, and PostgreSQL's default. */}}
{{- define "tasklists.parameter" -}}
{{- $name := index . 1 }}
{{- $found := last . }}
{{- range $key, $value := first . }}
{{- if eq ($key | lower | replace "-" "_") $name }}
{{- $found = $value }}
{{- end }}
{{- end }}
{{- include "tasklists.asText" $found | regexFind "^(0|[1-9][0-9]*)$" }}
{{- end }}
