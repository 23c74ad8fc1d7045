import { AsyncLocalStorage } from 'node:async_hooks'
import type { Tracer } from '@opentelemetry/api'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-node'
import type { FastifyInstance } from 'fastify'
import { version } from '../version.js'
import { CollectorExporter } from './exporter.js'
import { traceRequests, type Trail } from './requests.js'
import { idsOf, type TraceIds } from './trace-ids.js'
import { traceZendesk } from './zendesk.js'

/**
 * Traces the service from now on. Sampling, headers and names come from the standard OTEL_* variables, which the library
 * reads by itself. Nothing is registered globally: this service traces itself, not what it is made of.
 */
export function startTracing(app: FastifyInstance, url: string): Tracing {
  const ours = resourceFromAttributes({
    'service.name': 'zendesk-session-proxy',
    'service.version': version,
  })
  const provider = new BasicTracerProvider({
    resource: ours.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new CollectorExporter(url, app.config.forwardProxies, app.log))],
  })
  const tracer: Tracer = provider.getTracer('zendesk-session-proxy', version)
  const trails = new AsyncLocalStorage<Trail>()
  const flights = traceZendesk(app, tracer, trails)
  traceRequests(app, tracer, trails, flights)
  return {
    currentIds() {
      const trail = trails.getStore()
      const span = trail?.flight ?? trail?.request
      return span && idsOf(span)
    },
    close: () => provider.shutdown(),
  }
}

export interface Tracing {
  /** Of what is being worked on; undefined outside of a traced request. */
  currentIds: () => TraceIds | undefined
  /** Resolves once the last spans are sent, or cannot be. */
  close: () => Promise<void>
}
