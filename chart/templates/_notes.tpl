{{/* The objects that the values refer to and that the user has to create, as a YAML list of arguments of kubectl get. */}}
{{- define "tasklists.neededObjects" -}}
{{- $mode := .Values.database.mode }}
{{- $secrets := list .Values.secretKey.existingSecret }}
{{- $claims := list }}
{{- if .Values.admin.enabled }}
{{- $secrets = append $secrets .Values.admin.existingSecret }}
{{- end }}
{{- if eq $mode "postgres" }}
{{- $secrets = append $secrets .Values.postgres.auth.existingSecret }}
{{- if .Values.postgres.persistence.enabled }}
{{- $claims = append $claims .Values.postgres.persistence.existingClaim }}
{{- end }}
{{- else if eq $mode "external" }}
{{- $secrets = concat $secrets (list .Values.external.existingSecret .Values.external.caSecret .Values.external.migrationSecret) }}
{{- else if and (eq $mode "sqlite") .Values.sqlite.persistence.enabled }}
{{- $claims = list .Values.sqlite.persistence.existingClaim }}
{{- end }}
{{- if or .Values.backup.enabled .Values.restore.backup }}
{{- $claims = append $claims .Values.backup.persistence.existingClaim }}
{{- end }}
{{- $needed := list }}
{{- range $secrets | compact | uniq }}
{{- $needed = append $needed (printf "secret/%s" .) }}
{{- end }}
{{- range $claims | compact | uniq }}
{{- $needed = append $needed (printf "pvc/%s" .) }}
{{- end }}
{{- toYaml $needed }}
{{- end }}

{{/* What helm uninstall leaves, as a YAML list of arguments of kubectl delete. */}}
{{- define "tasklists.keptObjects" -}}
{{- $kept := list }}
{{- $postgres := .Values.postgres }}
{{- if and (include "tasklists.keepsData" .) (include "tasklists.hasOwnSecret" .) }}
{{- $kept = append $kept (printf "secret/%s" (include "tasklists.fullname" .)) }}
{{- end }}
{{- if and (include "tasklists.singlePod" .) (not .Values.sqlite.persistence.existingClaim) }}
{{- $kept = append $kept (printf "pvc/%s" (include "tasklists.sqlite.claimName" .)) }}
{{- end }}
{{- if and (eq .Values.database.mode "postgres") $postgres.persistence.enabled }}
{{- if not $postgres.auth.existingSecret }}
{{- $kept = append $kept (printf "secret/%s" (include "tasklists.postgres.fullname" .)) }}
{{- end }}
{{- if not $postgres.persistence.existingClaim }}
{{- $kept = append $kept (printf "pvc/%s" (include "tasklists.postgres.claimName" .)) }}
{{- end }}
{{- if $postgres.persistence.staticVolume.type }}
{{- $kept = append $kept (printf "pv/%s" (include "tasklists.postgres.volumeName" .)) }}
{{- end }}
{{- end }}
{{- if include "tasklists.cluster.enabled" . }}
{{- $kept = append $kept (printf "clusters.postgresql.cnpg.io/%s" (include "tasklists.cluster.fullname" .)) }}
{{- end }}
{{- if and .Values.backup.enabled (not .Values.backup.persistence.existingClaim) }}
{{- $kept = append $kept (printf "pvc/%s" (include "tasklists.backup.claimName" .)) }}
{{- end }}
{{- toYaml $kept }}
{{- end }}
