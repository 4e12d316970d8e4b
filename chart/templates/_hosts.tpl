{{/*
The reason why the application would refuse a host name or an origin that the schema accepts; empty if
it would accept it. Like browsers, the application takes every name whose last label is a number for an
IPv4 address.
*/}}
{{- define "tasklists.hostFault" -}}
{{- $port := regexFind ":[0-9]+/?$" . | trimAll ":/" }}
{{- $host := regexReplaceAll "^[A-Za-z][A-Za-z0-9+.-]*://|(:[0-9]+)?/?$" . "" }}
{{- $name := $host | trimPrefix "*" | trimPrefix "." }}
{{- $octet := "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])" }}
{{- $numeric := regexMatch "(^|\\.)([0-9]+|0[Xx][0-9A-Fa-f]*)\\.?$" $name }}
{{- if and $port (or (lt (atoi $port) 1) (gt (atoi $port) 65535)) -}}
its port is not a number from 1 to 65535
{{- else if and (ne $name $host) (or $numeric (hasPrefix "[" $name)) -}}
there are no names below an address
{{- else if hasPrefix "[" $name }}
{{- $groups := regexFindAll "[0-9A-Fa-f]+" $name -1 | len }}
{{- $form := regexMatch "^\\[([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?(::([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?)?\\]$" $name }}
{{- if not (and $form (contains "::" $name | ternary (lt $groups 8) (eq $groups 8))) -}}
it is not an IPv6 address
{{- else if regexMatch "^\\[[0:]*:[Ff]{4}[]:]" $name -}}
browsers do not send this form of an IPv4 address
{{- end }}
{{- else if and $numeric (not (regexMatch (printf "^(%s\\.){3}%s$" $octet $octet) $name)) -}}
its last part is a number, as in an address, and it is not an IPv4 address
{{- end }}
{{- end }}
