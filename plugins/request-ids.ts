import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import plugin from 'fastify-plugin'
import { looksLikeKey } from '../src/callers/keys.js'
import { echoes } from '../src/zendesk/secret-echo.js'

/** The caller's own id where it is harmless, else a new one. */
export function requestId({ headers }: IncomingMessage): string {
  const theirs = headers['x-request-id']
  const harmless = typeof theirs === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(theirs)
  // One that is a key, or a part of their credential, would bring it into the log.
  return harmless && !looksLikeKey(theirs) && !isPartOf(theirs, headers.authorization) ? theirs : randomUUID()
}

function isPartOf(id: string, authorization = ''): boolean {
  if (id.length < 8 || authorization === '') return false
  const credential = authorization.slice(authorization.indexOf(' ') + 1)
  const pair = Buffer.from(credential, 'base64').toString()
  if (credential.includes(id) || pair.includes(id)) return true
  // The usual ids are hexadecimal, and cannot hold a key in another encoding.
  return !/^[\da-f-]+$/i.test(id) && echoes(id, [credential, pair.slice(pair.indexOf(':') + 1)])
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
