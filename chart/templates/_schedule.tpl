{{/*
The reason why the API server would refuse the schedule of a CronJob; empty if it would accept it. The
API server uses ParseStandard of github.com/robfig/cron/v3. Its rules have oddities: `?` means `*`,
empty parts of a list are ignored, and a step may be larger than its range.
*/}}
{{- define "tasklists.scheduleFault" -}}
{{- $fields := regexReplaceAll "[\\s\\v\\x{85}\\p{Z}]+" . " " | trim | splitList " " }}
{{- if contains "TZ" . -}}
a time zone goes into backup.timeZone
{{- else if hasPrefix "@every " . }}
{{- $duration := trimPrefix "@every " . }}
{{- $form := regexMatch "^[-+]?(0|(([0-9]+\\.?[0-9]*|\\.[0-9]+)([nuµμm]?s|m|h))+)$" $duration }}
{{- /* dateModify leaves the date as it is where the duration can't be parsed, such as one of 300 years. */}}
{{- $start := toDate "2006-01-02" "2026-01-01" }}
{{- if or (not $form) ((dateModify (print $duration "1ns") $start).Equal $start) -}}
{{ printf "%q is not a duration such as 1h30m" $duration }}
{{- end }}
{{- else if hasPrefix "@" . }}
{{- if not (regexMatch "^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$" .) -}}
after @ there is yearly, annually, monthly, weekly, daily, midnight, hourly, or every and a duration
{{- end }}
{{- else if ne (len $fields) 5 -}}
it takes five fields (minute, hour, day of the month, month, day of the week), or a word such as @daily
{{- else }}
{{- $months := dict "jan" "1" "feb" "2" "mar" "3" "apr" "4" "may" "5" "jun" "6" "jul" "7" "aug" "8" "sep" "9" "oct" "10" "nov" "11" "dec" "12" }}
{{- $days := dict "sun" "0" "mon" "1" "tue" "2" "wed" "3" "thu" "4" "fri" "5" "sat" "6" }}
{{- $faults := list }}
{{- range $place, $bounds := list (list "minute" 0 59 dict) (list "hour" 0 23 dict) (list "day of the month" 1 31 dict) (list "month" 1 12 $months) (list "day of the week" 0 6 $days) }}
{{- $minimum := index $bounds 1 }}
{{- $maximum := index $bounds 2 }}
{{- $names := index $bounds 3 }}
{{- range index $fields $place | splitList "," | compact }}
{{- $steps := splitList "/" . }}
{{- $ends := first $steps | splitList "-" }}
{{- $first := get $names (first $ends | lower) | default (first $ends) }}
{{- $last := get $names (last $ends | lower) | default (last $ends) }}
{{- if and (eq (len $ends) 1) (eq (len $steps) 2) }}
{{- $last = toString $maximum }}{{/* 5/10 begins at 5 */}}
{{- end }}
{{- $number := "^[+]?[0-9]+$" }}
{{- $range := and (le (len $ends) 2) (regexMatch $number $first) (regexMatch $number $last) (le $minimum (atoi $first)) (le (atoi $first) (atoi $last)) (le (atoi $last) $maximum) }}
{{- $step := or (eq (len $steps) 1) (and (eq (len $steps) 2) (regexMatch $number (last $steps)) (eq (regexReplaceAll "^[+]?0*" (last $steps) "") (last $steps | atoi | toString))) }}{{/* neither 0 nor beyond 64 bits */}}
{{- if not (and $step (or $range (has (first $ends) (list "*" "?")))) }}
{{- $faults = append $faults (printf "%q does not fit the %s, which takes numbers from %d to %d, ranges, and steps" . (first $bounds) $minimum $maximum) }}
{{- end }}
{{- end }}
{{- end }}
{{- with $faults }}{{ first . }}{{ end }}
{{- end }}
{{- end }}
