{{/*
Objects that pods of earlier revisions use and the new release does not have, as a YAML list of Kind/name:
the ConfigMap with the environment of charts up to 0.2.0, a service account, and Secrets. Helm deletes
objects that the new release does not have before the rollout is complete, and old pods could then not
be restarted. So the chart renders these objects until the rollout is complete. It finds them in the pod
template of the live Deployment. If the rollout before this one failed, that template is not the one of
the pods that serve; the Deployment's annotation then has the objects that these need.
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
{{- /* An account that the chart did not make is not looked up: the installer may lack the right. */}}
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
