{{/*
The application's environment. It is part of the pod template, so that a pod that is restarted keeps the
configuration of its revision. Secrets are given as paths of files.
*/}}
{{- define "tasklists.environment" -}}
{{- $mode := .Values.database.mode -}}
PORT: "5000"
MIGRATE: never
SERVED_BY: {fieldRef: {fieldPath: metadata.name}}
RUNS_IN: {{ printf "helm/%s" .Release.Name | quote }}
ALLOWED_HOSTS: {{ include "tasklists.allowedHosts" . | quote }}
API_ACCESS: {{ .Values.config.apiAccess | quote }}
CORS_ALLOWED_ORIGINS: {{ join "," .Values.config.corsAllowedOrigins | quote }}
CSRF_TRUSTED_ORIGINS: {{ include "tasklists.trustedOrigins" . | quote }}
TRUST_PROXY_HEADERS: {{ include "tasklists.trustProxyHeaders" . | quote }}
HTTPS_ONLY: {{ .Values.config.httpsOnly | default false | quote }}
LOG_LEVEL: {{ .Values.config.logLevel | quote }}
LOG_FORMAT: {{ .Values.config.logFormat | quote }}
WEB_CONCURRENCY: {{ .Values.config.webConcurrency | quote }}
THREADS: {{ .Values.config.threads | quote }}
GRACEFUL_TIMEOUT: {{ .Values.shutdown.gracefulTimeoutSeconds | quote }}
{{- if include "tasklists.hasSecretKey" . }}
SECRET_KEY_FILE: /run/secrets/tasklists/secret-key
{{- end }}
{{- if eq $mode "sqlite" }}
DATABASE_URL: sqlite:////data/tasklists.sqlite3
{{- else if eq $mode "postgres" }}
DATABASE_URL: {{ include "tasklists.database.url" (list . (.Values.postgres.alias | default (include "tasklists.postgres.serviceName" .))) | quote }}
DATABASE_PASSWORD_FILE: /run/secrets/tasklists/database-password
{{- else if eq $mode "cloudnative-pg" }}
{{- $primary := include "tasklists.cluster.primary" . }}
{{- $pooler := .Values.cloudnativePg.pooler.enabled }}
DATABASE_URL: {{ include "tasklists.database.url" (list . ($pooler | ternary (include "tasklists.pooler.fullname" .) $primary)) | quote }}
DATABASE_PASSWORD_FILE: /run/secrets/tasklists/database-password
PGSSLMODE: verify-full
PGSSLROOTCERT: /run/secrets/tasklists/ca.crt
{{- if $pooler }}
MIGRATION_DATABASE_URL: {{ include "tasklists.database.url" (list . $primary) | quote }}
{{- end }}
{{- else }}
DATABASE_URL: "" # the image's own is SQLite
DATABASE_URL_FILE: /run/secrets/tasklists/database-url
{{- with .Values.external.sslMode }}
PGSSLMODE: {{ . | quote }}
{{- end }}
{{- if .Values.external.caSecret }}
PGSSLROOTCERT: /run/secrets/tasklists/ca.crt
{{- end }}
{{- if .Values.external.migrationSecret }}
MIGRATION_DATABASE_URL_FILE: /run/secrets/tasklists/migration-database-url
{{- end }}
{{- end }}
{{- end }}

{{- define "tasklists.adminEnvironment" -}}
ADMIN_USERNAME: {{ .Values.admin.username | quote }}
ADMIN_EMAIL: {{ .Values.admin.email | default "" | quote }}
ADMIN_PASSWORD_FILE: /run/secrets/admin/password
{{- end }}

{{/*
The `env` of a container of the application. A variable of extraEnv replaces the chart's of the same
name. An empty variable has a name only: Kubernetes does not store an empty value, so every kubectl
apply of one would change the Deployment. Takes a list of the root context and a map of this container's own variables.
*/}}
{{- define "tasklists.env" -}}
{{- $root := index . 0 }}
{{- $env := list }}
{{- range $name, $value := merge (index . 1) (include "tasklists.environment" $root | fromYaml) }}
{{- $env = append $env (dict "name" $name (kindIs "map" $value | ternary "valueFrom" "value") $value) }}
{{- end }}
{{- range $root.Values.extraEnv }}
{{- $env = append $env (hasKey . "value" | ternary (merge (dict "value" (include "tasklists.asText" .value)) .) .) }}
{{- end }}
{{- range $env }}
{{- if eq (get . "value" | toString) "" }}
{{- $_ := unset . "value" }}
{{- end }}
{{- end }}
{{- include "tasklists.lastOfEach" (list "name" $env) }}
{{- end }}

{{/* Host names of the routes. */}}
{{- define "tasklists.routeHosts" -}}
{{- $hosts := list }}
{{- if .Values.ingress.enabled }}
{{- $hosts = concat $hosts (.Values.ingress.hosts | default list) }}
{{- end }}
{{- if .Values.httpRoute.enabled }}
{{- $hosts = concat $hosts (.Values.httpRoute.hostnames | default list) }}
{{- end }}
{{- toYaml $hosts }}
{{- end }}

{{/* Host names: those of the Service from any namespace, of the routes, and those given. */}}
{{- define "tasklists.allowedHosts" -}}
{{- $service := include "tasklists.serviceName" . }}
{{- $namespaced := printf "%s.%s" $service .Release.Namespace }}
{{- $hosts := list "localhost" ".localhost" "127.0.0.1" "[::1]" $service $namespaced (printf "%s.svc" $namespaced) (printf "%s.svc.%s" $namespaced .Values.clusterDomain) }}
{{- if regexMatch "^([0-9]+|0x[0-9a-f]*)$" .Release.Namespace }}
{{- $hosts = without $hosts $namespaced }}{{/* the application, like browsers, takes it for an address */}}
{{- end }}
{{- $names := list }}
{{- range concat $hosts (include "tasklists.routeHosts" . | fromYamlArray) (.Values.config.allowedHosts | default list) }}
{{- $names = append $names (. | trimPrefix "*" | default "*") }}{{/* Django writes *.example.com as .example.com */}}
{{- end }}
{{- $names | uniq | join "," }}
{{- end }}

{{/*
CSRF_TRUSTED_ORIGINS: the values given, and https:// plus host name for every route. A browser sends such
an origin although the request arrives here without TLS.
*/}}
{{- define "tasklists.trustedOrigins" -}}
{{- $origins := list }}
{{- range include "tasklists.routeHosts" . | fromYamlArray }}
{{- $origins = append $origins (printf "https://%s" .) }}
{{- end }}
{{- concat $origins (.Values.config.csrfTrustedOrigins | default list) | uniq | join "," }}
{{- end }}

{{/* The value given; else true if the only way in from outside the cluster is an Ingress that ends TLS. */}}
{{- define "tasklists.trustProxyHeaders" -}}
{{- if kindIs "invalid" .Values.config.trustProxyHeaders }}
{{- and .Values.ingress.enabled .Values.ingress.tlsSecret (eq .Values.service.type "ClusterIP") | empty | not }}
{{- else }}
{{- .Values.config.trustProxyHeaders }}
{{- end }}
{{- end }}

{{/* The Secrets whose files the environment names, as the sources of one projected volume. */}}
{{- define "tasklists.secretSources" -}}
{{- if include "tasklists.hasSecretKey" . -}}
{{- $existing := .Values.secretKey.existingSecret -}}
{{ include "tasklists.secretSource" (list ($existing | default (include "tasklists.fullname" .)) (empty $existing | ternary "secret-key" .Values.secretKey.existingSecretKey) "secret-key") }}
{{- end }}
{{- with include "tasklists.database" . | fromYaml }}
{{ include "tasklists.secretSource" (list .secret .secretKey "database-password") }}
{{- if .caSecret }}
{{ include "tasklists.secretSource" (list .caSecret "ca.crt" "ca.crt") }}
{{- end }}
{{- end }}
{{- if eq .Values.database.mode "external" }}
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
    name: {{ index . 0 | quote }}
    items:
      - {key: {{ index . 1 | quote }}, path: {{ index . 2 }}}
{{- end }}

{{/* What all containers of the application's image have in common. Takes a list of the root context, a map of further environment variables, and a list of further volume mounts. */}}
{{- define "tasklists.appContainer" -}}
{{- $root := index . 0 }}
{{- $values := $root.Values -}}
image: {{ include "tasklists.imageReference" (list $root $values.image) | quote }}
imagePullPolicy: {{ $values.image.pullPolicy | quote }}
env:
  {{- include "tasklists.env" (list $root (index . 1)) | nindent 2 }}
securityContext:
  {{- toYaml $values.containerSecurityContext | nindent 2 }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
volumeMounts:
  {{- $mounts := include "tasklists.appMounts" $root | fromYamlArray }}
  {{- include "tasklists.lastOfEach" (list "mountPath" (concat $mounts (index . 2) ($values.extraVolumeMounts | default list))) | nindent 2 }}
{{- end }}

{{/* The container that migrates the database, in the application's pods and in the restore Job. */}}
{{- define "tasklists.migrateContainer" -}}
name: migrate
{{ include "tasklists.appContainer" (list . dict list) }}
command: [python, manage.py, migrate]
{{- end }}

{{- define "tasklists.appMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "tasklists.secretSources" . }}
- {name: secrets, mountPath: /run/secrets/tasklists, readOnly: true}
{{- end }}
{{- if eq .Values.database.mode "sqlite" }}
- {name: data, mountPath: /data}
{{- end }}
{{- end }}

{{- define "tasklists.appVolumes" -}}
{{ include "tasklists.tmpVolume" . }}
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
    claimName: {{ include "tasklists.sqlite.claimName" . | quote }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}
{{- end }}

{{- define "tasklists.adminVolume" -}}
{{- $existing := .Values.admin.existingSecret -}}
- name: admin
  secret:
    secretName: {{ $existing | default (include "tasklists.fullname" .) | quote }}
    defaultMode: 0440
    items:
      - {key: {{ empty $existing | ternary "admin-password" .Values.admin.existingSecretKey | quote }}, path: password}
{{- end }}

{{/* A file of SQLite has one writer's pod at a time. */}}
{{- define "tasklists.singlePod" -}}
{{- if and (eq .Values.database.mode "sqlite") .Values.sqlite.persistence.enabled }}true{{ end }}
{{- end }}

{{/*
The strategy given; else Recreate for one file of SQLite; else no pod stops before its successor is ready.
The type is the default, but without it every kubectl apply would change the Deployment.
*/}}
{{- define "tasklists.strategy" -}}
{{- if .Values.strategy }}
{{- toYaml .Values.strategy }}
{{- else if include "tasklists.singlePod" . -}}
type: Recreate
{{- else -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: 25%
  maxUnavailable: 0
{{- end }}
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
