import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems.js'

/** Octets; RFC 9110, section 4.1, recommends to take at least 8000. */
const LONGEST_URL = 8000

/** The caller's own id where it is harmless, else a new one. */
export function requestId(request: IncomingMessage): string {
  const theirs = request.headers['x-request-id']
  return typeof theirs === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(theirs) ? theirs : randomUUID()
}

/** What every answer carries, whatever becomes of the request; so it comes before everything that can refuse. */
export default plugin(
  (app, _options, done) => {
    app.addHook('onRequest', (request, reply, next) => {
      reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
      const tooLong = (request.raw.url?.length ?? 0) > LONGEST_URL
      next(tooLong ? new Problem('request-too-large', { status: 414 }) : undefined)
    })
    done()
  },
  { name: 'request-ids' },
)
