import Fastify from 'fastify'
import plugin from 'fastify-plugin'
import { Problem, problemDocument, problemHeaders } from '../src/problems.js'

/** Prometheus metrics on a port of their own, which no caller needs to reach. Nothing of it without METRICS_PORT. */
export default plugin(
  async (app) => {
    const { HOST: host, METRICS_PORT: port, publicUrl } = app.config
    if (port === undefined) return
    // Imported only where it is used: it costs memory and time at the start.
    const { startMetrics } = await import('../src/metrics/registry.js')
    const registry = startMetrics(app)

    const listener = Fastify({ logger: false, forceCloseConnections: true })
    listener.get('/metrics', async (_request, reply) => {
      reply.type(registry.contentType)
      return registry.metrics()
    })
    listener.setNotFoundHandler(({ id }, reply) => {
      const problem = new Problem('not-found')
      const body = JSON.stringify(problemDocument(problem, id, publicUrl))
      reply.code(problem.status).headers(problemHeaders(problem)).send(Buffer.from(body))
    })
    app.addHook('onReady', async () => {
      const address = await listener.listen({ host, port })
      app.log.info({ address }, 'serving metrics')
    })
    app.addHook('onClose', async () => {
      await listener.close()
      registry.clear()
    })
  },
  { name: 'metrics', dependencies: ['redis', 'request-ends', 'zendesk'] },
)
