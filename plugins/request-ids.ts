import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import plugin from 'fastify-plugin'

/** The caller's own id where it is harmless, else a new one. */
export function requestId(request: IncomingMessage): string {
  const theirs = request.headers['x-request-id']
  return typeof theirs === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(theirs) ? theirs : randomUUID()
}

/** What every answer carries, whatever becomes of the request; so it comes before everything that can refuse. */
export default plugin(
  (app, _options, done) => {
    app.addHook('onRequest', (request, reply, next) => {
      reply
        .header('x-request-id', request.id)
        .header('x-content-type-options', 'nosniff')
        .header('cache-control', 'no-store')
      next()
    })
    done()
  },
  { name: 'request-ids' },
)
