import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** How long Zendesk took for the token handed out, in milliseconds; for the log. */
    zendeskMs: number | undefined
  }
}

/** The renewal, at our own path and at Zendesk's. HEAD is left out: it would spend a call for nothing. */
export default plugin(
  (app, _options, done) => {
    app.decorateRequest('zendeskMs', undefined)
    const renewal = {
      exposeHeadRoute: false,
      config: { costsCall: true },
      onRequest: [app.authenticateCaller, app.limitCaller],
      schema: { response: { 200: { $ref: 'openapi#/components/schemas/Session' } } },
      handler: renew,
    }
    app.route({ method: ['GET', 'POST'], url: '/session/renew', ...renewal })
    app.route({ method: 'GET', url: '/api/v2/users/me/session/renew', ...renewal })
    done()
  },
  { name: 'session', dependencies: ['caller-auth', 'caller-limits', 'contract', 'zendesk'] },
)

async function renew(this: FastifyInstance, request: FastifyRequest) {
  const { value, zendeskMs } = await this.zendesk.renewSession(request.deadline)
  request.zendeskMs = zendeskMs
  return { authenticity_token: value }
}
