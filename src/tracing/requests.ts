import type { AsyncLocalStorage } from 'node:async_hooks'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, type Span, type Tracer } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** What a request has caused so far. */
export interface Trail {
  request: Span
  /** Set while a flight is under way that departed for this request. */
  flight?: Span | undefined
}

/** A span for each request, joined to the caller's trace. It holds no URL and no header: they may hold secrets. */
export function traceRequests(
  app: FastifyInstance,
  tracer: Tracer,
  trails: AsyncLocalStorage<Trail>,
  flights: { underWay: Span | undefined },
): void {
  const propagator = new W3CTraceContextPropagator()
  const spans = new WeakMap<FastifyRequest, Span>()

  app.addHook('onRequest', (request, _reply, next) => {
    const { method, headers, routeOptions } = request
    const parent = propagator.extract(ROOT_CONTEXT, headers, {
      get: (carrier: typeof headers, name) => carrier[name],
      keys: Object.keys,
    })
    const name = routeOptions.url === undefined ? method : `${method} ${routeOptions.url}`
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent)
    spans.set(request, span)
    trails.run({ request: span }, next)
  })
  app.addHook('preHandler', (request, _reply, next) => {
    // The flight belongs to the trace of the caller for whom it departed; others who share it point to it.
    const { underWay } = flights
    if (underWay && request.routeOptions.config.costsCall)
      spans.get(request)?.addLink({ context: underWay.spanContext() })
    next()
  })
  app.onRequestEnd((request, _reply, { method, route, status, code }) => {
    const span = spans.get(request)
    if (!span) return
    span.setAttributes({
      'http.request.method': method,
      'zendesk_session_proxy.request_id': request.id,
      ...(route !== '' && { 'http.route': route }),
      ...(request.caller !== undefined && { 'zendesk_session_proxy.caller': request.caller }),
      ...(code !== undefined && { 'error.type': code }),
      ...(status !== undefined && { 'http.response.status_code': status }),
    })
    if (status !== undefined && status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  })
}
