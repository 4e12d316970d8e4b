{{/* Whether the release has a Cluster of CloudNativePG: the application uses it, or is going to move there. */}}
{{- define "tasklists.cluster.enabled" -}}
{{- if or (eq .Values.database.mode "cloudnative-pg") .Values.cloudnativePg.prepare }}true{{ end }}
{{- end }}

{{/* Whether the release has a Pooler. */}}
{{- define "tasklists.pooler.enabled" -}}
{{- if and (include "tasklists.cluster.enabled" .) .Values.cloudnativePg.pooler.enabled }}true{{ end }}
{{- end }}

{{/*
The Service that leads to the primary. The operator makes it. It also makes the Secrets <cluster>-app, with the
password of the application's role, and <cluster>-ca, with the authority that signs the certificates of the servers.
*/}}
{{- define "tasklists.cluster.primary" -}}
{{- printf "%s-rw" (include "tasklists.cluster.fullname" .) }}
{{- end }}

{{/* The operator's name for the method of scheduled backups: plugin or volumeSnapshot; empty if there are none. */}}
{{- define "tasklists.cluster.backupMethod" -}}
{{- with .Values.cloudnativePg.backup -}}
{{- if .volumeSnapshotClass }}volumeSnapshot{{ else if .objectStore }}plugin{{ end }}
{{- end }}
{{- end }}

{{- define "tasklists.cluster.plugin" -}}
name: barman-cloud.cloudnative-pg.io
{{- end }}

{{/* Settings of PostgreSQL or PgBouncer. The operator accepts strings only. */}}
{{- define "tasklists.cluster.parameters" -}}
{{- range $name, $value := . }}
{{ $name | quote }}: {{ include "tasklists.asText" $value | quote }}
{{- end }}
{{- end }}

{{/*
What selects the servers and the pods of PgBouncer, whose labels the operator sets. Takes a list of the root context
and the role: instance or pooler.
*/}}
{{- define "tasklists.cluster.selectorLabels" -}}
cnpg.io/cluster: {{ include "tasklists.cluster.fullname" (index . 0) | quote }}
cnpg.io/podRole: {{ index . 1 }}
{{- end }}

{{/* The spec of the Cluster, before extraSpec. */}}
{{- define "tasklists.cluster.spec" -}}
{{- $values := .Values.cloudnativePg -}}
instances: {{ $values.instances }}
{{- with $values.imageName }}
imageName: {{ . | quote }}
{{- end }}
{{- with include "tasklists.imagePullSecrets" . }}
{{ . }}
{{- end }}
{{- with .Values.commonLabels }}
inheritedMetadata:
  labels:
    {{- toYaml . | nindent 4 }}
{{- end }}
enableSuperuserAccess: false
{{- $bootstrap := dig "bootstrap" dict ($values.extraSpec | default dict) }}
{{- if not (or $bootstrap.recovery $bootstrap.pg_basebackup) }}{{/* a Cluster has one way to begin */}}
bootstrap:
  initdb:
    database: {{ $values.auth.database | quote }}
    owner: {{ $values.auth.username | quote }}
    # Through a pooler, the service does not set this timeout (DATABASE_STATEMENT_TIMEOUT) when it connects.
    postInitApplicationSQL:
      - ALTER ROLE {{ $values.auth.username | quote }} SET statement_timeout = '10s'
{{- end }}
{{- if or (gt (int $values.instances) 1) $values.parameters }}
postgresql:
  {{- if gt (int $values.instances) 1 }}
  synchronous:
    method: any
    number: 1
    dataDurability: {{ $values.dataDurability }}
    {{- if eq $values.dataDurability "required" }}
    failoverQuorum: true # promote no standby that may lack an acknowledged write
    {{- end }}
  {{- end }}
  {{- with $values.parameters }}
  parameters:
    {{- include "tasklists.cluster.parameters" . | nindent 4 }}
  {{- end }}
{{- end }}
storage:
  size: {{ $values.persistence.size | quote }}
  {{- with $values.persistence.storageClass }}
  storageClass: {{ ternary "" . (eq . "-") | quote }}
  {{- end }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
affinity:
  enablePodAntiAffinity: true
  podAntiAffinityType: {{ $values.podAntiAffinity }}
  topologyKey: kubernetes.io/hostname
  {{- with include "tasklists.given" (pick $values "nodeSelector" "tolerations") }}
  {{- . | nindent 2 }}
  {{- end }}
{{- if $values.pooler.enabled }}
certificates:
  serverAltDNSNames: # PgBouncer shows the certificate of the servers
    - {{ include "tasklists.pooler.fullname" . | quote }}
{{- end }}
{{- with $values.backup.objectStore }}
plugins:
  - {{- include "tasklists.cluster.plugin" . | nindent 4 }}
    isWALArchiver: true
    parameters:
      barmanObjectName: {{ . | quote }}
{{- end }}
{{- with $values.backup.volumeSnapshotClass }}
backup:
  volumeSnapshot:
    className: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The spec of the Pooler, before extraSpec. */}}
{{- define "tasklists.pooler.spec" -}}
{{- $values := .Values.cloudnativePg.pooler -}}
cluster:
  name: {{ include "tasklists.cluster.fullname" . | quote }}
type: rw
instances: {{ $values.instances }}
pgbouncer:
  poolMode: transaction
  {{- with $values.parameters }}
  parameters:
    {{- include "tasklists.cluster.parameters" . | nindent 4 }}
  {{- end }}
template:
  metadata:
    labels:
      {{- include "tasklists.cluster.selectorLabels" (list . "pooler") | nindent 6 }}
  spec:
    {{- with include "tasklists.imagePullSecrets" . }}
    {{- . | nindent 4 }}
    {{- end }}
    containers:
      - name: pgbouncer # the operator adds the rest
        resources:
          {{- toYaml $values.resources | nindent 10 }}
    topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: ScheduleAnyway
        labelSelector:
          matchLabels:
            {{- include "tasklists.cluster.selectorLabels" (list . "pooler") | nindent 12 }}
        matchLabelKeys: [pod-template-hash] # so that pods about to be replaced don't count
{{- end }}
