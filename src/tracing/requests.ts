import type { AsyncLocalStorage } from 'node:async_hooks'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Span, type Tracer } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { idsOf } from './trace-ids.js'

/** What a request has caused so far. */
export interface Trail {
  /** Set once the request's caller is known. */
  request?: Span
  /** Set while a flight is under way that started for this request. */
  flight?: Span | undefined
}

/**
 * A span for each request but probes, joined to the trace of a known caller. It holds no URL and no header: they may hold
 * secrets.
 */
export function traceRequests(
  app: FastifyInstance,
  tracer: Tracer,
  trails: AsyncLocalStorage<Trail>,
  flights: { underWay: Span | undefined },
): void {
  const spans = new WeakMap<FastifyRequest, Span>()

  app.addHook('onRequest', (_request, _reply, next) => {
    trails.run({}, next)
  })
  app.addHook('preHandler', (request, reply, next) => {
    const { quiet, costsCall } = request.routeOptions.config
    const trail = trails.getStore()
    if (quiet || !trail) {
      next()
      return
    }
    trail.request = begin(request, reply)
    if (costsCall) tellOutlook(trail.request)
    // The flight belongs to the trace of the caller for whom it started; others who share it point to it.
    const { underWay } = flights
    if (underWay && costsCall) trail.request.addLink({ context: underWay.spanContext() })
    next()
  })
  app.onRequestEnd((request, reply, { method, route, status, code, quiet }) => {
    if (quiet) return
    const span = spans.get(request) ?? begin(request, reply)
    span.setAttributes({
      'http.request.method': method,
      'zendesk_session_proxy.request_id': request.id,
      ...(route !== '' && { 'http.route': route }),
      ...(request.caller !== undefined && { 'zendesk_session_proxy.caller': request.caller.name }),
      ...(code !== undefined && { 'error.type': code }),
      ...(status !== undefined && { 'http.response.status_code': status }),
    })
    if (status !== undefined && status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  })

  /** Only once the caller is known, or will never be: a stranger's sampled flag must neither force a trace nor prevent one. */
  function begin(request: FastifyRequest, reply: FastifyReply): Span {
    const { method, headers, routeOptions } = request
    const name = routeOptions.url === undefined ? method : `${method} ${routeOptions.url}`
    const theirs = propagator.extract(ROOT_CONTEXT, headers, fromHeaders)
    const parent = trace.getSpanContext(theirs)
    const options = { kind: SpanKind.SERVER, startTime: Date.now() - reply.elapsedTime }
    const isKnown = request.caller !== undefined && app.config.access !== 'anyone'
    const span = isKnown
      ? tracer.startSpan(name, options, theirs)
      : tracer.startSpan(name, { ...options, links: parent ? [{ context: parent }] : [] }, ROOT_CONTEXT)
    spans.set(request, span)
    request.trace = idsOf(span)
    return span
  }

  /** What a renewal meets that is refused, or has to wait, without a call. */
  function tellOutlook(span: Span): void {
    const { breaker, pausedForSeconds } = app.zendesk.outlook()
    if (breaker !== 'closed') span.addEvent('breaker', { state: breaker })
    if (pausedForSeconds > 0) span.addEvent('pause', { seconds: pausedForSeconds })
  }
}

const propagator = new W3CTraceContextPropagator()

const fromHeaders = {
  get: (headers: FastifyRequest['headers'], name: string) => headers[name],
  keys: (headers: FastifyRequest['headers']) => Object.keys(headers),
}
