{{/*
Labels. Each takes a list of the root context and the component: app, postgres, backup, restore, test.
*/}}

{{/* What selects pods, now and for ever: selectors can't be changed. */}}
{{- define "tasklists.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "tasklists.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Of pods: nothing that changes with the chart's version, which would restart the database. */}}
{{- define "tasklists.podLabels" -}}
{{- $labels := include "tasklists.selectorLabels" . | fromYaml }}
{{- merge $labels (index . 0).Values.commonLabels | toYaml }}
{{- end }}

{{/* Of every other object. */}}
{{- define "tasklists.labels" -}}
{{- $root := index . 0 }}
{{- $labels := include "tasklists.selectorLabels" . | fromYaml }}
{{- $_ := set $labels "app.kubernetes.io/version" ($root.Chart.AppVersion | toString) }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $root.Release.Service }}
{{- $_ := set $labels "app.kubernetes.io/part-of" (include "tasklists.name" $root) }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") }}
{{- merge $labels $root.Values.commonLabels | toYaml }}
{{- end }}

{{/* An image by digest, or else by tag. Takes a list of the root context and the image's values. */}}
{{- define "tasklists.imageReference" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- with $image.registry | default $root.Values.global.imageRegistry }}{{ . }}/{{ end }}
{{- $image.repository }}
{{- with $image.digest }}@{{ . }}{{ else }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* Pull secrets, global and local, as the objects that a pod takes. */}}
{{- define "tasklists.imagePullSecrets" -}}
{{- $secrets := list }}
{{- range concat .Values.global.imagePullSecrets .Values.imagePullSecrets }}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- with $secrets | uniq -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The spec of a claim. Takes a dict of size, storageClass ("" the default, "-" none), accessMode and volumeName. */}}
{{- define "tasklists.claimSpec" -}}
accessModes: [{{ .accessMode | default "ReadWriteOnce" }}]
{{- with .storageClass }}
storageClassName: {{ ternary "" . (eq . "-") | quote }}
{{- end }}
{{- with .volumeName }}
volumeName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end }}

{{/* Egress that finds names: DNS answers from kube-system, from a node's cache or from elsewhere. */}}
{{- define "tasklists.dnsEgress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end }}

{{/* Egress to the database of this release. */}}
{{- define "tasklists.postgres.egress" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "tasklists.selectorLabels" (list . "postgres") | nindent 10 }}
  ports:
    - {port: 5432, protocol: TCP}
{{- end }}

{{/* Address families of a Service. */}}
{{- define "tasklists.ipFamilies" -}}
{{- $families := dict }}
{{- with .Values.service.ipFamilyPolicy }}{{ $_ := set $families "ipFamilyPolicy" . }}{{ end }}
{{- with .Values.service.ipFamilies }}{{ $_ := set $families "ipFamilies" . }}{{ end }}
{{- with $families }}{{ toYaml . }}{{ end }}
{{- end }}
