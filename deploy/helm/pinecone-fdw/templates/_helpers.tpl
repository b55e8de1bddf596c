{{- define "fdw.name" -}}
{{- printf "%s-%s" .Release.Name "pinecone-fdw" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "fdw.labels" -}}
app.kubernetes.io/name: pinecone-fdw
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "fdw.selector" -}}
app.kubernetes.io/name: pinecone-fdw
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "fdw.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "fdw.authSecret" -}}
{{ .Values.auth.existingSecret | default (printf "%s-auth" (include "fdw.name" .)) }}
{{- end -}}

{{- define "fdw.keySecret" -}}
{{ .Values.apiKey.existingSecret | default (printf "%s-api-key" (include "fdw.name" .)) }}
{{- end -}}

{{- define "fdw.metricsSecret" -}}
{{ .Values.metrics.existingSecret | default (printf "%s-metrics" (include "fdw.name" .)) }}
{{- end -}}

{{/* Of the pods that run PostgreSQL: as its user, with nothing that it does not need. */}}
{{- define "fdw.podSecurity" -}}
runAsNonRoot: true
runAsUser: 999
runAsGroup: 999
fsGroup: 999
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "fdw.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "fdw.probes" -}}
startupProbe:
  exec: {command: [pg_isready, -q, -U, postgres, -h, 127.0.0.1]}
  periodSeconds: 5
  failureThreshold: 60
livenessProbe:
  exec: {command: [pg_isready, -q, -U, postgres, -h, 127.0.0.1]}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  exec: {command: [psql, -qXAt, -U, postgres, -h, /var/run/postgresql, -c, "SELECT 1"]}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end -}}

{{- define "fdw.volumes" -}}
- name: config
  configMap: {name: {{ include "fdw.name" . }}-config}
- name: api-key
  secret: {secretName: {{ include "fdw.keySecret" . }}, defaultMode: 0440}
- name: run
  emptyDir: {}
- name: tmp
  emptyDir: {}
{{- end -}}

{{- define "fdw.mounts" -}}
- {name: data, mountPath: /var/lib/postgresql/data}
- {name: config, mountPath: /etc/pinecone-fdw, readOnly: true}
- {name: api-key, mountPath: /etc/pinecone, readOnly: true}
- {name: run, mountPath: /var/run/postgresql}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{/* An SQL literal, and an identifier */}}
{{- define "fdw.literal" -}}
'{{ . | toString | replace "'" "''" }}'
{{- end -}}
{{- define "fdw.identifier" -}}
"{{ . | toString | replace "\"" "\"\"" }}"
{{- end -}}
