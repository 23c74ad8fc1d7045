import type { AsyncLocalStorage } from 'node:async_hooks'
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import type { Trail } from './requests.js'

/**
 * Spans of flights and of each call to Zendesk, below the request for which they were made. Zendesk itself is not told of
 * the trace: nothing of a caller's request reaches it. Returns where the flight that is under way can be seen.
 */
export function traceZendesk(
  app: FastifyInstance,
  tracer: Tracer,
  trails: AsyncLocalStorage<Trail>,
): { underWay: Span | undefined } {
  const flights: { underWay: Span | undefined } = { underWay: undefined }
  const server = serverOf(app.config.zendeskOrigin)
  app.addHook('onReady', (done) => {
    app.zendesk.events
      .on('started', (operation) => {
        const trail = trails.getStore()
        flights.underWay = tracer.startSpan(
          'flight',
          { kind: SpanKind.INTERNAL, attributes: { 'zendesk_session_proxy.operation': operation } },
          below(trail?.request),
        )
        if (trail) trail.flight = flights.underWay
      })
      .on('slot', ({ reason, waitedMs, refused }) => {
        if (reason !== 'none')
          trails.getStore()?.flight?.addEvent('slot', { reason, waitedMs: Math.round(waitedMs), refused })
      })
      .on('breaker', (state) => {
        trails.getStore()?.flight?.addEvent('breaker', { state })
      })
      .on('call', ({ operation, outcome, status, requestId, zendeskMs, retryAfter }) => {
        const trail = trails.getStore()
        const endTime = Date.now()
        const span = tracer.startSpan(
          `zendesk ${operation}`,
          { kind: SpanKind.CLIENT, startTime: endTime - zendeskMs, attributes: server },
          below(trail?.flight ?? trail?.request),
        )
        if (status !== undefined) span.setAttribute('http.response.status_code', status)
        if (requestId !== undefined) span.setAttribute('zendesk_session_proxy.zendesk_request_id', requestId)
        if (outcome !== 'ok')
          span.setAttribute('error.type', outcome).setStatus({ code: SpanStatusCode.ERROR })
        span.end(endTime)
        if (outcome === 'zendesk-rate-limited')
          trail?.flight?.addEvent('pause', { operation, seconds: retryAfter ?? 0 })
      })
      .on('settled', (_operation, callers) => {
        flights.underWay?.setAttribute('zendesk_session_proxy.callers', callers).end()
        flights.underWay = undefined
        const trail = trails.getStore()
        if (trail) trail.flight = undefined
      })
    done()
  })
  return flights
}

/** The account, by the names of OpenTelemetry's semantic conventions for HTTP clients. */
function serverOf(origin: string) {
  const { hostname, port, protocol } = new URL(origin)
  const usualPort = protocol === 'https:' ? 443 : 80
  return { 'server.address': hostname, 'server.port': port === '' ? usualPort : Number(port) }
}

function below(span: Span | undefined): Context {
  return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT
}
