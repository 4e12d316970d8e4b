{{/*
Objects that only pods of a former revision use, as a YAML list of Kind/name. Helm deletes at once
what the new release lacks, and not after the rollout, so such a pod could not start again. They are
the ConfigMap with the environment of charts up to 0.2.0, and a service account and Secrets that the
new revision does not use. They are held until a rollout has ended: what the pods of the live
Deployment use, and what its annotation names, as it may have failed.
*/}}
{{- define "tasklists.heldObjects" -}}
{{- $held := list }}
{{- if .Release.IsUpgrade }}
{{- $name := include "tasklists.fullname" . }}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace $name }}
{{- $pod := dig "spec" "template" "spec" dict $deployment }}
{{- range $pod.containers }}
{{- if and (eq .name "app") (hasKey . "envFrom") }}
{{- $held = append $held (printf "ConfigMap/%s" $name) }}
{{- end }}
{{- end }}
{{- $account := $pod.serviceAccountName | default "default" }}
{{- /* Somebody else's may not be looked up. */}}
{{- if and (ne $account "default") (or .Values.serviceAccount.create (eq $account $name)) }}
{{- $held = append $held (printf "ServiceAccount/%s" $account) }}
{{- end }}
{{- range $pod.volumes }}
{{- $secrets := list (dig "secret" "secretName" "" .) }}
{{- range dig "projected" "sources" list . }}
{{- $secrets = append $secrets (dig "secret" "name" "" .) }}
{{- end }}
{{- range $secrets }}
{{- if has . (list $name (include "tasklists.postgres.fullname" $)) }}
{{- $held = append $held (printf "Secret/%s" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- if ne (dig "status" "replicas" 0 $deployment | int) (dig "status" "updatedReplicas" 0 $deployment | int) }}
{{- $held = concat $held (dig "metadata" "annotations" "tasklists/held" "" $deployment | splitList " ") }}
{{- end }}
{{- end }}
{{- $own := list (printf "ServiceAccount/%s" (include "tasklists.serviceAccountName" .)) }}
{{- if include "tasklists.hasOwnSecret" . }}
{{- $own = append $own (printf "Secret/%s" (include "tasklists.fullname" .)) }}
{{- end }}
{{- if and (eq .Values.database.mode "postgres") (not .Values.postgres.auth.existingSecret) }}
{{- $own = append $own (printf "Secret/%s" (include "tasklists.postgres.fullname" .)) }}
{{- end }}
{{- $others := list }}
{{- range $held | compact | uniq }}
{{- if not (has . $own) }}
{{- $others = append $others . }}
{{- end }}
{{- end }}
{{- toYaml $others }}
{{- end }}
