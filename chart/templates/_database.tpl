{{/*
The release's own database, as YAML; empty in the modes external and sqlite. The host is that of the primary, the
username that of the application's role. The password is in `secret` under `secretKey`. With TLS, `caSecret` has the
certificate of the authority.
*/}}
{{- define "tasklists.database" -}}
{{- if eq .Values.database.mode "postgres" -}}
host: {{ include "tasklists.postgres.serviceName" . | quote }}
username: {{ .Values.postgres.auth.username | quote }}
database: {{ .Values.postgres.auth.database | quote }}
secret: {{ include "tasklists.postgres.secretName" . | quote }}
secretKey: {{ include "tasklists.postgres.secretKey" . | quote }}
{{- else if eq .Values.database.mode "cloudnative-pg" -}}
host: {{ include "tasklists.cluster.primary" . | quote }}
username: {{ .Values.cloudnativePg.auth.username | quote }}
database: {{ .Values.cloudnativePg.auth.database | quote }}
secret: {{ printf "%s-app" (include "tasklists.cluster.fullname" .) | quote }}
secretKey: password
caSecret: {{ printf "%s-ca" (include "tasklists.cluster.fullname" .) | quote }}
{{- end }}
{{- end }}

{{/* The URL of the release's own database, without the password. Takes a list of the root context and the host. */}}
{{- define "tasklists.database.url" -}}
{{- $database := include "tasklists.database" (index . 0) | fromYaml -}}
{{- printf "postgresql://%s@%s:5432/%s" $database.username (index . 1) $database.database }}
{{- end }}

{{/* Egress to the release's own database, but not to its pooler. */}}
{{- define "tasklists.database.egress" -}}
- to:
    - podSelector:
        matchLabels:
          {{- if eq .Values.database.mode "postgres" }}
          {{- include "tasklists.selectorLabels" (list . "postgres") | nindent 10 }}
          {{- else }}
          {{- include "tasklists.cluster.selectorLabels" (list . "instance") | nindent 10 }}
          {{- end }}
  ports:
    - {port: 5432, protocol: TCP}
{{- end }}
