import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import plugin from 'fastify-plugin'

/** The caller's own id where it is harmless, else a new one. */
export function requestId(request: IncomingMessage): string {
  const theirs = request.headers['x-request-id']
  const harmless = typeof theirs === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(theirs)
  // One that is a part of their credential would bring it into the log.
  const secret = harmless && theirs.length >= 8 && request.headers.authorization?.includes(theirs) === true
  return harmless && !secret ? theirs : randomUUID()
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
