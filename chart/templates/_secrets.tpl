{{/*
Whether an API server answers. A list always has a kind, even where there is nothing to list, while
lookup gives nothing at all to `helm template` and to a dry run on the client. It lists
Secrets because Helm needs that right anyway. Use it only where the answer matters: without the right,
rendering fails.
*/}}
{{- define "tasklists.apiServerAnswers" -}}
{{- if lookup "v1" "Secret" .Release.Namespace "" }}true{{ end }}
{{- end }}

{{/*
One key of a Secret of this release, in base64: the value given, else what the cluster has, else a
random one. Takes a dict of root, secret, key and value.
*/}}
{{- define "tasklists.secretData" -}}
{{- if .value }}
{{- .value | b64enc }}
{{- else }}
{{- lookup "v1" "Secret" .root.Release.Namespace .secret | dig "data" .key "" | default (randAlphaNum 50 | b64enc) }}
{{- end }}
{{- end }}

{{/*
Secrets that this release would have to invent with no cluster to keep them: a second rendering
would not find the first one's. Gives the values to set.
*/}}
{{- define "tasklists.secretsToSet" -}}
{{- $missing := list }}
{{- if and (eq .Values.database.mode "postgres") (not .Values.postgres.auth.existingSecret) (not .Values.postgres.auth.password) }}
{{- $missing = append $missing "postgres.auth.existingSecret (or postgres.auth.password)" }}
{{- end }}
{{- if and (ne .Values.database.mode "sqlite") (not .Values.secretKey.existingSecret) (not .Values.secretKey.value) }}
{{- $missing = append $missing "secretKey.existingSecret (or secretKey.value)" }}
{{- end }}
{{- if and .Values.admin.enabled (not .Values.admin.existingSecret) (not .Values.admin.password) }}
{{- $missing = append $missing "admin.existingSecret (or admin.password)" }}
{{- end }}
{{- join " and " $missing }}
{{- end }}

{{/*
Whether there is a SECRET_KEY. SQLite replicas share no session, so rendering them with no cluster
leaves it out, and each process makes its own.
*/}}
{{- define "tasklists.hasSecretKey" -}}
{{- if or .Values.secretKey.existingSecret .Values.secretKey.value (ne .Values.database.mode "sqlite") (include "tasklists.apiServerAnswers" .) }}true{{ end }}
{{- end }}

{{/* Whether the chart's Secret of the application has a secret key, an administrator's password, or either. */}}
{{- define "tasklists.hasOwnSecretKey" -}}
{{- if and (include "tasklists.hasSecretKey" .) (not .Values.secretKey.existingSecret) }}true{{ end }}
{{- end }}

{{- define "tasklists.hasOwnAdminPassword" -}}
{{- if and .Values.admin.enabled (not .Values.admin.existingSecret) }}true{{ end }}
{{- end }}

{{- define "tasklists.hasOwnSecret" -}}
{{- if or (include "tasklists.hasOwnSecretKey" .) (include "tasklists.hasOwnAdminPassword" .) }}true{{ end }}
{{- end }}

{{/* Whether data outlives the release; then the Secrets that belong to it do as well. */}}
{{- define "tasklists.keepsData" -}}
{{- if eq .Values.database.mode "sqlite" }}
{{- if .Values.sqlite.persistence.enabled }}true{{ end }}
{{- else if eq .Values.database.mode "postgres" }}
{{- if .Values.postgres.persistence.enabled }}true{{ end }}
{{- else }}true
{{- end }}
{{- end }}

{{/* Annotations of what is kept on uninstall, and taken back by an install of the same name. */}}
{{- define "tasklists.keep" -}}
helm.sh/resource-policy: keep
{{- end }}

{{- define "tasklists.postgres.secretName" -}}
{{- .Values.postgres.auth.existingSecret | default (include "tasklists.postgres.fullname" .) }}
{{- end }}

{{- define "tasklists.postgres.secretKey" -}}
{{- empty .Values.postgres.auth.existingSecret | ternary "password" .Values.postgres.auth.existingSecretKey }}
{{- end }}
