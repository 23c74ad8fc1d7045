import { setTimeout as delay } from 'node:timers/promises'
import plugin from 'fastify-plugin'

/** At the end, spans that nobody takes must not hold up the exit. */
const LONGEST_FLUSH_MS = 2_000

/** OpenTelemetry traces of requests and of what they cause at Zendesk. Nothing of it without an endpoint to send them to. */
export default plugin(
  async (app) => {
    const { tracesUrl } = app.config
    if (tracesUrl === undefined) return
    // Imported only where it is used: it costs memory and time at the start.
    const { startTracing } = await import('../src/tracing/tracing.js')
    const provider = startTracing(app, tracesUrl)
    app.addHook('onClose', async () => {
      // The log has told of a collector that refuses spans; it does not make the exit a failure.
      const flushed = provider.shutdown().catch(() => undefined)
      await Promise.race([flushed, delay(LONGEST_FLUSH_MS, undefined, { ref: false })])
    })
  },
  { name: 'tracing', dependencies: ['request-end'] },
)
