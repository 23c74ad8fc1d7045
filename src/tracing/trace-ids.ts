import type { Span } from '@opentelemetry/api'

/** As OpenTelemetry names them in log lines, so that tools lead from a line to its trace. */
export interface TraceIds {
  trace_id: string
  span_id: string
}

export function idsOf(span: Span): TraceIds {
  const { traceId, spanId } = span.spanContext()
  return { trace_id: traceId, span_id: spanId }
}
