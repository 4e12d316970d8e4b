{{/* The application's environment, which a change of rolls its pods. Secrets are paths here. */}}
{{- define "tasklists.environment" -}}
{{- $mode := .Values.database.mode -}}
PORT: "5000"
MIGRATE: never
ALLOWED_HOSTS: {{ include "tasklists.allowedHosts" . | quote }}
API_ACCESS: {{ .Values.config.apiAccess }}
CORS_ALLOWED_ORIGINS: {{ join "," .Values.config.corsAllowedOrigins | quote }}
CSRF_TRUSTED_ORIGINS: {{ join "," .Values.config.csrfTrustedOrigins | quote }}
TRUST_PROXY_HEADERS: {{ .Values.config.trustProxyHeaders | quote }}
HTTPS_ONLY: {{ .Values.config.httpsOnly | quote }}
LOG_LEVEL: {{ .Values.config.logLevel }}
LOG_FORMAT: {{ .Values.config.logFormat }}
WEB_CONCURRENCY: {{ .Values.config.webConcurrency | quote }}
THREADS: {{ .Values.config.threads | quote }}
GRACEFUL_TIMEOUT: {{ .Values.shutdown.gracefulTimeoutSeconds | quote }}
{{- if include "tasklists.hasSecretKey" . }}
SECRET_KEY_FILE: /run/secrets/tasklists/secret-key
{{- end }}
{{- if eq $mode "sqlite" }}
DATABASE_URL: sqlite:////data/tasklists.sqlite3
{{- else if eq $mode "postgres" }}
DATABASE_URL: {{ printf "postgresql://%s@%s:5432/%s" .Values.postgres.auth.username (.Values.postgres.alias | default (include "tasklists.postgres.serviceName" .)) .Values.postgres.auth.database }}
DATABASE_PASSWORD_FILE: /run/secrets/tasklists/database-password
{{- else }}
DATABASE_URL: "" # the image's own is SQLite
DATABASE_URL_FILE: /run/secrets/tasklists/database-url
{{- with .Values.external.sslMode }}
PGSSLMODE: {{ . }}
{{- end }}
{{- if .Values.external.caSecret }}
PGSSLROOTCERT: /run/secrets/tasklists/ca.crt
{{- end }}
{{- if .Values.external.migrationSecret }}
MIGRATION_DATABASE_URL_FILE: /run/secrets/tasklists/migration-database-url
DATABASE_STATEMENT_TIMEOUT: "0" # poolers refuse this setting at connection
{{- end }}
{{- end }}
{{- end }}

{{/* Host names: those of the Service from any namespace, of the routes, and those given. */}}
{{- define "tasklists.allowedHosts" -}}
{{- $service := include "tasklists.serviceName" . }}
{{- $namespaced := printf "%s.%s" $service .Release.Namespace }}
{{- $hosts := list "localhost" ".localhost" "127.0.0.1" "[::1]" $service $namespaced (printf "%s.svc" $namespaced) (printf "%s.svc.%s" $namespaced .Values.clusterDomain) }}
{{- if .Values.ingress.enabled }}
{{- $hosts = concat $hosts .Values.ingress.hosts }}
{{- end }}
{{- if .Values.httpRoute.enabled }}
{{- $hosts = concat $hosts .Values.httpRoute.hostnames }}
{{- end }}
{{- $names := list }}
{{- range concat $hosts .Values.config.allowedHosts }}
{{- $names = append $names (. | trimPrefix "*" | default "*") }}{{/* Django writes *.example.com as .example.com */}}
{{- end }}
{{- $names | uniq | join "," }}
{{- end }}

{{/* The Secrets above, as the sources of one projected volume. */}}
{{- define "tasklists.secretSources" -}}
{{- if include "tasklists.hasSecretKey" . -}}
{{- $existing := .Values.secretKey.existingSecret -}}
{{ include "tasklists.secretSource" (list ($existing | default (include "tasklists.fullname" .)) (empty $existing | ternary "secret-key" .Values.secretKey.existingSecretKey) "secret-key") }}
{{- end }}
{{- if eq .Values.database.mode "postgres" }}
{{ include "tasklists.secretSource" (list (include "tasklists.postgres.secretName" .) (include "tasklists.postgres.secretKey" .) "database-password") }}
{{- else if eq .Values.database.mode "external" }}
{{- with .Values.external }}
{{ include "tasklists.secretSource" (list .existingSecret .existingSecretKey "database-url") }}
{{- if .caSecret }}
{{ include "tasklists.secretSource" (list .caSecret .caSecretKey "ca.crt") }}
{{- end }}
{{- if .migrationSecret }}
{{ include "tasklists.secretSource" (list .migrationSecret .migrationSecretKey "migration-database-url") }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes a list of the Secret, its key, and the file. */}}
{{- define "tasklists.secretSource" -}}
- secret:
    name: {{ index . 0 }}
    items:
      - {key: {{ index . 1 | quote }}, path: {{ index . 2 }}}
{{- end }}

{{/* What every container of the application's image has in common. */}}
{{- define "tasklists.appContainer" -}}
image: {{ include "tasklists.imageReference" (list . .Values.image) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
envFrom:
  - configMapRef:
      name: {{ include "tasklists.fullname" . }}
securityContext:
  {{- toYaml .Values.containerSecurityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}

{{- define "tasklists.appMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "tasklists.secretSources" . }}
- {name: secrets, mountPath: /run/secrets/tasklists, readOnly: true}
{{- end }}
{{- if eq .Values.database.mode "sqlite" }}
- {name: data, mountPath: /data}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tasklists.appVolumes" -}}
- name: tmp
  emptyDir: {}
{{- with include "tasklists.secretSources" . }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- trim . | nindent 6 }}
{{- end }}
{{- if eq .Values.database.mode "sqlite" }}
- name: data
  {{- if .Values.sqlite.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "tasklists.sqlite.claimName" . }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A file of SQLite has one writer's pod at a time. */}}
{{- define "tasklists.singlePod" -}}
{{- if and (eq .Values.database.mode "sqlite") .Values.sqlite.persistence.enabled }}true{{ end }}
{{- end }}

{{/*
Go on answering until endpoints and load balancers have let go of the pod. The kubelet's own
sleep needs no program in the image; clusters before 1.30 don't have it.
*/}}
{{- define "tasklists.preStop" -}}
{{- if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version }}
sleep:
  seconds: {{ .Values.shutdown.delaySeconds }}
{{- else }}
exec:
  command: [sleep, {{ .Values.shutdown.delaySeconds | quote }}]
{{- end }}
{{- end }}

{{/* The delay, the time for requests, and some for the process to end. */}}
{{- define "tasklists.terminationGracePeriodSeconds" -}}
{{- add .Values.shutdown.delaySeconds .Values.shutdown.gracefulTimeoutSeconds 5 }}
{{- end }}
