{{/* A pod of `helm test`, less what it says itself. Takes a list of the root context, the script and its environment. */}}
{{- define "tasklists.test.pod" -}}
{{- $root := index . 0 }}
{{- $script := index . 1 }}
{{- $values := $root.Values -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ printf "%s-%s" (include "tasklists.fullname" $root) ($script | trimSuffix ".py") | quote }}
  namespace: {{ $root.Release.Namespace | quote }}
  {{- $hook := dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" "helm.sh/hook-output-log-policy" "hook-failed" }}
  {{- $annotations := merge $hook ($values.tests.podAnnotations | default dict) }}
  {{- include "tasklists.podMetadata" (list $root "test" (dict "podLabels" $values.tests.podLabels "podAnnotations" $annotations)) | nindent 2 }}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with include "tasklists.imagePullSecrets" $root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- $nodeSelector := $values.tests.nodeSelector | default $values.nodeSelector }}
  {{- $tolerations := $values.tests.tolerations | default $values.tolerations }}
  {{- with include "tasklists.scheduling" (dict "nodeSelector" $nodeSelector "tolerations" $tolerations "affinity" $values.tests.affinity) }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  containers:
    - name: test
      image: {{ include "tasklists.imageReference" (list $root $values.image) | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy | quote }}
      command: [python, -c]
      args:
        - |
          {{- $root.Files.Get (printf "files/%s" $script) | trim | nindent 10 }}
      env:
        {{- range $name, $value := index . 2 }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
      securityContext:
        {{- toYaml $values.containerSecurityContext | nindent 8 }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
{{- end }}
