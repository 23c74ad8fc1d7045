import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import type { TraceIds } from '../src/tracing/trace-ids.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** For log lines about what is being worked on; undefined outside of a traced request. */
    traceIds: () => TraceIds | undefined
  }
  interface FastifyRequest {
    /** Its span; undefined where it is not traced. */
    trace: TraceIds | undefined
  }
}

/** Spans that the collector does not accept must not delay the exit. */
const LONGEST_FLUSH_MS = 2_000

/** OpenTelemetry traces of requests and of what they cause at Zendesk. Nothing of it without an endpoint to send them to. */
export default plugin(
  async (app) => {
    const { tracesUrl } = app.config
    let traceIds: FastifyInstance['traceIds'] = () => undefined
    app.decorate('traceIds', () => traceIds())
    app.decorateRequest('trace', undefined)
    if (tracesUrl === undefined) return
    // Imported only where it is used: it costs memory and time at the start.
    const { startTracing } = await import('../src/tracing/tracing.js')
    const tracing = startTracing(app, tracesUrl)
    traceIds = tracing.currentIds
    app.addHook('onClose', async () => {
      // The log has told of a collector that refuses spans; it does not make the exit a failure.
      const flushed = tracing.close().catch(() => undefined)
      await Promise.race([flushed, delay(LONGEST_FLUSH_MS, undefined, { ref: false })])
    })
  },
  { name: 'tracing', dependencies: ['request-end'] },
)
