{{/*
A sentence if the application's pods can open more connections than PostgreSQL accepts; empty if they cannot, or
if a number is not known. An upgrade counts with the pods that it starts before it stops others. Takes a list of
the root context, the server's parameters, and the name of the value that has these.
*/}}
{{- define "tasklists.connectionFault" -}}
{{- $root := index . 0 }}
{{- $parameters := index . 1 }}
{{- $values := $root.Values }}
{{- $replicas := $values.autoscaling.enabled | ternary "autoscaling.maxReplicas" "replicaCount" }}
{{- $pods := $values.autoscaling.enabled | ternary $values.autoscaling.maxReplicas $values.replicaCount | int }}
{{- $surge := include "tasklists.surge" (list $root $pods) | int }}
{{- $workers := include "tasklists.variable" (list $root "WEB_CONCURRENCY") | int }}
{{- $threads := include "tasklists.variable" (list $root "THREADS") | int }}
{{- $needed := mul (add $pods $surge) $workers (add $threads 1) }}
{{- $others := 3 }}{{/* a backup, a restore, and a command such as manage.py doctor */}}
{{- $max := include "tasklists.parameter" (list $parameters "max_connections" 100) | int }}
{{- $reserved := add (include "tasklists.parameter" (list $parameters "superuser_reserved_connections" 3)) (include "tasklists.parameter" (list $parameters "reserved_connections" 0)) }}
{{- $own := eq (include "tasklists.variable" (list $root "DATABASE_URL")) (include "tasklists.environment" $root | fromYaml).DATABASE_URL }}{{/* extraEnv may name another server */}}
{{- if and $own $max (gt (add $needed $others $reserved) $max) -}}
up to {{ add $pods $surge }} pods ({{ $replicas }} {{ $pods }}{{ if $surge }}, and {{ $surge }} more in an upgrade{{ end }}) × config.webConcurrency {{ $workers }} × (config.threads {{ $threads }} + 1) open {{ $needed }} database connections, and a backup, a restore and a command {{ $others }} more, but PostgreSQL accepts {{ sub $max $reserved }} (max_connections {{ $max }} less {{ $reserved }} reserved ones): set {{ index . 2 }}.max_connections to {{ add $needed $others $reserved }} or more, or lower {{ $replicas }}, config.webConcurrency or config.threads
{{- end }}
{{- end }}

{{/* How many pods an upgrade starts before it stops others. Takes a list of the root context and the number of pods. */}}
{{- define "tasklists.surge" -}}
{{- $strategy := include "tasklists.strategy" (index . 0) | fromYaml }}
{{- $surge := include "tasklists.asText" (dig "rollingUpdate" "maxSurge" "25%" $strategy) }}
{{- if eq ($strategy.type | default "RollingUpdate") "Recreate" -}}
0
{{- else if hasSuffix "%" $surge }}
{{- div (add (mul (index . 1) (trimSuffix "%" $surge)) 99) 100 }}{{/* Kubernetes rounds up */}}
{{- else }}
{{- $surge }}
{{- end }}
{{- end }}

{{/* The value of a variable of the application's containers; empty if it has none, or one that only the cluster knows. Takes a list of the root context and the name. */}}
{{- define "tasklists.variable" -}}
{{- $name := index . 1 }}
{{- range include "tasklists.env" (list (index . 0) dict) | fromYamlArray }}
{{- if eq .name $name }}{{ .value }}{{ end }}
{{- end }}
{{- end }}

{{/* A parameter of PostgreSQL, which reads names in any case and takes a hyphen for an underscore; empty if it is no decimal number. Takes a list of the parameters, the name, and PostgreSQL's default. */}}
{{- define "tasklists.parameter" -}}
{{- $name := index . 1 }}
{{- $found := index . 2 }}
{{- range $key, $value := index . 0 }}
{{- if eq ($key | lower | replace "-" "_") $name }}
{{- $found = $value }}
{{- end }}
{{- end }}
{{- include "tasklists.asText" $found | regexFind "^(0|[1-9][0-9]*)$" }}
{{- end }}
