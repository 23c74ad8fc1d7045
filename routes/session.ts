import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import type { Result } from '../src/zendesk/client.js'

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
      onRequest: app.admitCaller,
      schema: { response: { 200: { $ref: 'openapi#/components/schemas/Session' } } },
      handler: renew,
    }
    app.route({ method: ['GET', 'POST'], url: '/session/renew', ...renewal })
    app.route({ method: 'GET', url: '/api/v2/users/me/session/renew', ...renewal })
    // Zendesk's own clients put .json at the end of every path.
    app.route({ method: 'GET', url: '/api/v2/users/me/session/renew.json', ...renewal })
    done()
  },
  { name: 'session', dependencies: ['callers', 'contract', 'zendesk'] },
)

function renew(this: FastifyInstance, request: FastifyRequest, reply: FastifyReply): void {
  // Without an async function, which would cost each of the callers who share a flight two more promises.
  this.zendesk.renewSession(request.deadline).then(
    (renewal) => {
      request.zendeskMs = renewal.zendeskMs
      reply.header('content-type', JSON_TYPE).send(bodyOf(renewal, reply))
    },
    (problem: unknown) => reply.send(problem),
  )
}

const JSON_TYPE = 'application/json; charset=utf-8'

type Body = ReturnType<FastifyReply['serialize']>

/** Written once for all who share a flight; gone with its result. */
const bodies = new WeakMap<Result<string>, Body>()

function bodyOf(renewal: Result<string>, reply: FastifyReply): Body {
  let body = bodies.get(renewal)
  if (body === undefined) {
    body = reply.serialize({ authenticity_token: renewal.value })
    bodies.set(renewal, body)
  }
  return body
}
