{{/* Which nodes may run the database, and backup and restore with it. */}}
{{- define "tasklists.postgres.nodes" -}}
{{- $nodes := dict }}
{{- with .Values.postgres.nodeSelector }}{{ $_ := set $nodes "nodeSelector" . }}{{ end }}
{{- with .Values.postgres.tolerations }}{{ $_ := set $nodes "tolerations" . }}{{ end }}
{{- with $nodes }}{{ toYaml . }}{{ end }}
{{- end }}
