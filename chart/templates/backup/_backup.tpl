{{/* The pod of backup and restore, but for its containers. */}}
{{- define "tasklists.backup.pod" -}}
restartPolicy: Never
serviceAccountName: {{ include "tasklists.postgres.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.postgres.podSecurityContext | nindent 2 }}
{{- with include "tasklists.imagePullSecrets" . }}
{{ . }}
{{- end }}
{{- with include "tasklists.postgres.nodes" . }}
{{ . }}
{{- end }}
{{- end }}

{{/* A container that runs a script of files/. Takes a list of the root context, the script and its environment. */}}
{{- define "tasklists.backup.container" -}}
{{- $root := index . 0 }}
{{- $values := $root.Values -}}
image: {{ include "tasklists.imageReference" (list $root $values.postgres.image) }}
imagePullPolicy: {{ $values.postgres.image.pullPolicy }}
command: [bash, /scripts/{{ index . 1 }}]
env:
  - {name: PGHOST, value: {{ include "tasklists.postgres.serviceName" $root }}}
  - {name: PGUSER, value: {{ $values.postgres.auth.username }}}
  - {name: PGDATABASE, value: {{ $values.postgres.auth.database }}}
  - {name: PGCONNECT_TIMEOUT, value: "5"}
  {{- range $name, $value := index . 2 }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
securityContext:
  {{- toYaml $values.containerSecurityContext | nindent 2 }}
resources:
  {{- toYaml $values.backup.resources | nindent 2 }}
volumeMounts:
  - {name: backups, mountPath: /backups}
  - {name: scripts, mountPath: /scripts, readOnly: true}
  - {name: password, mountPath: /run/secrets/postgres, readOnly: true}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "tasklists.backup.volumes" -}}
- name: backups
  persistentVolumeClaim:
    claimName: {{ include "tasklists.backup.claimName" . }}
- name: scripts
  configMap:
    name: {{ include "tasklists.backup.fullname" . }}
- name: password
  secret:
    secretName: {{ include "tasklists.postgres.secretName" . }}
    defaultMode: 0440
    items:
      - {key: {{ include "tasklists.postgres.secretKey" . | quote }}, path: password}
{{- end }}

{{/*
The pod of the restore Job. A Job can't be changed, so its name is made from this, and what changes
here makes another one, which finds the backup restored already (files/restore.sh) and ends.
*/}}
{{- define "tasklists.restore.pod" -}}
{{- $restore := .Values.restore -}}
{{ include "tasklists.backup.pod" . }}
initContainers:
  - name: restore
    {{- include "tasklists.backup.container" (list . "restore.sh" (dict "BACKUP" $restore.backup "OVERWRITE" $restore.overwrite "ATTEMPT" $restore.attempt)) | nindent 4 }}
containers:
  - name: migrate # the backup may be older than the application
    {{- include "tasklists.appContainer" . | nindent 4 }}
    command: [python, manage.py, migrate]
    {{- with .Values.extraEnv }}
    env:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      {{- include "tasklists.appMounts" . | nindent 6 }}
volumes:
  {{- include "tasklists.backup.volumes" . | nindent 2 }}
  {{- include "tasklists.appVolumes" . | nindent 2 }}
{{- end }}
