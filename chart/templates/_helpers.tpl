{{/*
Labels. Each takes a list of the root context and the component: app, postgres, pooler, backup, restore, test.
*/}}

{{/* What selects pods, now and for ever: selectors can't be changed. */}}
{{- define "tasklists.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "tasklists.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/*
The metadata of a pod. Takes a list of the root context, the component, and a map with podLabels and
podAnnotations. It does not contain the chart's version, which would restart the database.
*/}}
{{- define "tasklists.podMetadata" -}}
{{- $selectors := include "tasklists.selectorLabels" . | fromYaml }}
{{- $values := index . 2 -}}
labels:
  {{- merge $selectors ($values.podLabels | default dict) ((index . 0).Values.commonLabels | default dict) | toYaml | nindent 2 }}
{{- with $values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Turn a text into a valid label value: at most 63 letters, digits, dots, hyphens and underscores. */}}
{{- define "tasklists.labelValue" -}}
{{- regexReplaceAll "[^A-Za-z0-9._-]" (toString .) "_" | trunc 63 | trimAll "._-" }}
{{- end }}

{{/* The labels of every object but pods. */}}
{{- define "tasklists.labels" -}}
{{- $root := index . 0 }}
{{- $labels := include "tasklists.selectorLabels" . | fromYaml }}
{{- $_ := set $labels "app.kubernetes.io/version" (include "tasklists.labelValue" $root.Chart.AppVersion) }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $root.Release.Service }}
{{- $_ := set $labels "app.kubernetes.io/part-of" (include "tasklists.name" $root) }}
{{- $_ := set $labels "helm.sh/chart" (include "tasklists.labelValue" (printf "%s-%s" $root.Chart.Name $root.Chart.Version)) }}
{{- merge $labels ($root.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* An image by digest, or else by tag. Takes a list of the root context and the image's values. */}}
{{- define "tasklists.imageReference" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- with $image.registry | default $root.Values.global.imageRegistry }}{{ . }}/{{ end }}
{{- $image.repository }}
{{- with $image.digest }}@{{ . }}{{ else }}:{{ include "tasklists.asText" ($image.tag | default ($root.Chart.AppVersion | replace "+" "_")) }}{{ end }}
{{- end }}

{{/* Pull secrets, global and local, as the objects that a pod takes. */}}
{{- define "tasklists.imagePullSecrets" -}}
{{- $secrets := list }}
{{- range concat (.Values.global.imagePullSecrets | default list) (.Values.imagePullSecrets | default list) }}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- with $secrets | uniq -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The spec of a claim. Takes a dict of size, storageClass ("" the default, "-" none), accessMode and volumeName. */}}
{{- define "tasklists.claimSpec" -}}
accessModes: [{{ .accessMode | default "ReadWriteOnce" | quote }}]
{{- with .storageClass }}
storageClassName: {{ ternary "" . (eq . "-") | quote }}
{{- end }}
{{- with .volumeName }}
volumeName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ .size | quote }}
{{- end }}

{{/* Egress to the cluster's DNS. */}}
{{- define "tasklists.dnsEgress" -}}
{{- $dns := .Values.networkPolicy.dns -}}
- ports:
    {{- range $dns.ports }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with $dns.peers }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Remove duplicates from a list of objects: of those with the same `key`, the last remains. Takes a list of the key and the objects. */}}
{{- define "tasklists.lastOfEach" -}}
{{- $key := index . 0 }}
{{- $seen := dict }}
{{- $result := list }}
{{- range index . 1 | reverse }}
{{- if not (hasKey $seen (get . $key)) }}
{{- $_ := set $seen (get . $key) true }}
{{- $result = prepend $result . }}
{{- end }}
{{- end }}
{{- toYaml $result }}
{{- end }}

{{/* The entries of a map whose values are not empty. */}}
{{- define "tasklists.given" -}}
{{- $given := dict }}
{{- range $key, $value := . }}
{{- if $value }}
{{- $_ := set $given $key $value }}
{{- end }}
{{- end }}
{{- with $given }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* Node selection, tolerations, affinity and priority class of a pod. Takes the values that have these keys. */}}
{{- define "tasklists.scheduling" -}}
{{- include "tasklists.given" (pick . "nodeSelector" "tolerations" "affinity" "priorityClassName") }}
{{- end }}

{{/* The probes of a container. Takes a map of startup, readiness and liveness; a probe that is null is left out. */}}
{{- define "tasklists.probes" -}}
{{- $probes := dict }}
{{- range $kind, $probe := . }}
{{- $_ := set $probes (printf "%sProbe" $kind) $probe }}
{{- end }}
{{- include "tasklists.given" $probes }}
{{- end }}

{{/* Convert a value to a string. Unlike toString, it does not turn 1000000 into 1e+06. */}}
{{- define "tasklists.asText" -}}
{{- kindIs "string" . | ternary . (toJson .) }}
{{- end }}

{{/* The volume for /tmp, which containers need because their root file system is read-only. */}}
{{- define "tasklists.tmpVolume" -}}
- name: tmp
  {{- with .Values.tmpSizeLimit }}
  emptyDir: {sizeLimit: {{ . | quote }}}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}

{{/* Address families of a Service. */}}
{{- define "tasklists.ipFamilies" -}}
{{- include "tasklists.given" (pick .Values.service "ipFamilyPolicy" "ipFamilies") }}
{{- end }}
