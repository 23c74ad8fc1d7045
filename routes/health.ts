import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'

/** Probes of Kubernetes: alive, and ready for work. An outage of Zendesk makes no replica unready, because it affects all of them. */
export default plugin(
  (app, _options, done) => {
    const probe = { config: { always: true, quiet: true } }
    app.get('/livez', { ...probe, schema: answers('Liveness') }, () => ({ status: 'ok' }))
    app.get('/readyz', { ...probe, schema: answers('Readiness') }, readiness)
    done()
  },
  { name: 'health', dependencies: ['contract', 'lifecycle', 'overload', 'zendesk'] },
)

function readiness(this: FastifyInstance) {
  this.lifecycle.checkReady()
  this.checkLoad()
  return { status: 'ready', ...this.zendesk.outlook() }
}

function answers(schema: string) {
  return { response: { 200: { $ref: `openapi#/components/schemas/${schema}` } } }
}
