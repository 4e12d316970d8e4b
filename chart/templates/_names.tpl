{{/* The application's name, for labels. */}}
{{- define "tasklists.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
The prefix of every name: <release>-<chart>, or the release alone when that says it already.
At most 43 characters, so that a StatefulSet <prefix>-postgres keeps to the 52 that leave room for
the revision in its pods' labels. What is longer ends in a hash, since two names may begin alike.
*/}}
{{- define "tasklists.fullname" -}}
{{- $name := .Values.fullnameOverride }}
{{- if not $name }}
{{- $chart := include "tasklists.name" . }}
{{- $name = contains $chart .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $chart) }}
{{- $name = $name | replace "." "-" }}
{{- end }}
{{- if gt (len $name) 43 }}
{{- $name = printf "%s-%s" ($name | trunc 34 | trimSuffix "-") ($name | sha256sum | trunc 8) }}
{{- end }}
{{- $name }}
{{- end }}

{{/* The application's Service. */}}
{{- define "tasklists.serviceName" -}}
{{- .Values.service.name | default (include "tasklists.fullname" .) }}
{{- end }}

{{/* The database's StatefulSet, claim, Secret and what else is its own. */}}
{{- define "tasklists.postgres.fullname" -}}
{{- .Values.postgres.fullnameOverride | default (printf "%s-postgres" (include "tasklists.fullname" .)) }}
{{- end }}

{{- define "tasklists.postgres.serviceName" -}}
{{- .Values.postgres.serviceName | default (include "tasklists.postgres.fullname" .) }}
{{- end }}

{{/* The static PersistentVolume, which belongs to no namespace. */}}
{{- define "tasklists.postgres.volumeName" -}}
{{- printf "%s-%s" .Release.Namespace (include "tasklists.postgres.fullname" .) }}
{{- end }}

{{- define "tasklists.postgres.claimName" -}}
{{- .Values.postgres.persistence.existingClaim | default (include "tasklists.postgres.fullname" .) }}
{{- end }}

{{/* The Cluster of CloudNativePG. The operator accepts at most 50 characters. */}}
{{- define "tasklists.cluster.fullname" -}}
{{- .Values.cloudnativePg.fullnameOverride | default (printf "%s-db" (include "tasklists.fullname" .)) }}
{{- end }}

{{/* The Pooler of CloudNativePG, and the Service that the operator makes for it. */}}
{{- define "tasklists.pooler.fullname" -}}
{{- printf "%s-pooler" (include "tasklists.cluster.fullname" .) }}
{{- end }}

{{- define "tasklists.sqlite.claimName" -}}
{{- .Values.sqlite.persistence.existingClaim | default (printf "%s-data" (include "tasklists.fullname" .)) }}
{{- end }}

{{- define "tasklists.backup.fullname" -}}
{{- printf "%s-backup" (include "tasklists.fullname" .) }}
{{- end }}

{{- define "tasklists.backup.claimName" -}}
{{- .Values.backup.persistence.existingClaim | default (include "tasklists.backup.fullname" .) }}
{{- end }}

{{- define "tasklists.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "tasklists.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "tasklists.postgres.serviceAccountName" -}}
{{- ternary (include "tasklists.postgres.fullname" .) "default" .Values.serviceAccount.create }}
{{- end }}
