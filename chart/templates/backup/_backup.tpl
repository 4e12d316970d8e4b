{{/* The pod spec that backup and restore have in common. */}}
{{- define "tasklists.backup.pod" -}}
restartPolicy: Never
serviceAccountName: {{ include "tasklists.postgres.serviceAccountName" . | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.postgres.podSecurityContext | nindent 2 }}
{{- with include "tasklists.imagePullSecrets" . }}
{{ . }}
{{- end }}
{{- $database := eq .Values.database.mode "postgres" | ternary .Values.postgres .Values.cloudnativePg }}
{{- $nodeSelector := .Values.backup.nodeSelector | default $database.nodeSelector }}
{{- $tolerations := .Values.backup.tolerations | default $database.tolerations }}
{{- with include "tasklists.scheduling" (dict "nodeSelector" $nodeSelector "tolerations" $tolerations "affinity" .Values.backup.affinity) }}
{{ . }}
{{- end }}
{{- end }}

{{/* A container that runs files/connect.sh and then another script of files/. Takes a list of the root context, that script's name, and a map of its environment. */}}
{{- define "tasklists.backup.container" -}}
{{- $root := index . 0 }}
{{- $values := $root.Values }}
{{- $database := include "tasklists.database" $root | fromYaml -}}
image: {{ include "tasklists.imageReference" (list $root $values.postgres.image) | quote }}
imagePullPolicy: {{ $values.postgres.image.pullPolicy | quote }}
command: [bash, -c]
args:
  - |
    {{- printf "%s\n\n%s" ($root.Files.Get "files/connect.sh" | trim) ($root.Files.Get (printf "files/%s" (index . 1)) | trim) | nindent 4 }}
env:
  - {name: PGHOST, value: {{ $database.host | quote }}}
  - {name: PGUSER, value: {{ $database.username | quote }}}
  - {name: PGDATABASE, value: {{ $database.database | quote }}}
  - {name: PGCONNECT_TIMEOUT, value: "5"}
  {{- if $database.caSecret }}
  - {name: PGSSLMODE, value: verify-full}
  - {name: PGSSLROOTCERT, value: /run/secrets/ca/ca.crt}
  {{- end }}
  {{- range $name, $value := index . 2 }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
securityContext:
  {{- toYaml $values.containerSecurityContext | nindent 2 }}
resources:
  {{- toYaml $values.backup.resources | nindent 2 }}
volumeMounts:
  - {name: backups, mountPath: /backups}
  - {name: password, mountPath: /run/secrets/postgres, readOnly: true}
  {{- if $database.caSecret }}
  - {name: ca, mountPath: /run/secrets/ca, readOnly: true}
  {{- end }}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "tasklists.backup.volumes" -}}
{{- $database := include "tasklists.database" . | fromYaml -}}
- name: backups
  persistentVolumeClaim:
    claimName: {{ include "tasklists.backup.claimName" . | quote }}
- name: password
  secret:
    secretName: {{ $database.secret | quote }}
    defaultMode: 0440
    items:
      - {key: {{ $database.secretKey | quote }}, path: password}
{{- with $database.caSecret }}
- name: ca
  secret:
    secretName: {{ . | quote }}
    items: # not the key of the authority, which is there as well
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end }}

{{/* The spec of the restore Job. The Job's name contains a hash of it. */}}
{{- define "tasklists.restore.job" -}}
{{- $restore := .Values.restore -}}
activeDeadlineSeconds: {{ $restore.activeDeadlineSeconds }}
backoffLimit: 0 # a refusal stays one
template:
  metadata:
    {{- include "tasklists.podMetadata" (list . "restore" .Values.backup) | nindent 4 }}
  spec:
    {{- include "tasklists.backup.pod" . | nindent 4 }}
    initContainers:
      - name: restore
        {{- include "tasklists.backup.container" (list . "restore.sh" (dict "BACKUP" $restore.backup "OVERWRITE" ($restore.overwrite | default false) "ATTEMPT" $restore.attempt)) | nindent 8 }}
    containers: # the backup may be older than the application
      - {{- include "tasklists.migrateContainer" . | nindent 8 }}
    volumes:
      {{- $volumes := concat (include "tasklists.backup.volumes" . | fromYamlArray) (include "tasklists.appVolumes" . | fromYamlArray) }}
      {{- include "tasklists.lastOfEach" (list "name" (concat $volumes (.Values.extraVolumes | default list))) | nindent 6 }}
{{- end }}
