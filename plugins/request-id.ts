import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import plugin from 'fastify-plugin'
import { looksLikeKey } from '../src/callers/keys.js'
import { echoes } from '../src/zendesk/secret-echo.js'

/** The caller's own request id where it is safe to repeat, else a new one. */
export function chooseRequestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  const isSafe = typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given)
  // An id that is a key, or a part of the credential, would put it into the log.
  return isSafe && !looksLikeKey(given) && !isPartOf(given, headers.authorization) ? given : randomUUID()
}

function isPartOf(id: string, authorization = ''): boolean {
  if (id.length < 8 || authorization === '') return false
  const credential = authorization.slice(authorization.indexOf(' ') + 1)
  const pair = Buffer.from(credential, 'base64').toString()
  if (credential.includes(id) || pair.includes(id)) return true
  // Usual ids are hexadecimal, which no other encoding of a key looks like.
  return !/^[\da-f-]+$/i.test(id) && echoes(id, [credential, pair.slice(pair.indexOf(':') + 1)])
}

/** The headers that every answer carries, set before anything can refuse the request. */
export default plugin(
  (app, _options, done) => {
    app.addCheck((request, reply) => {
      reply.headers(app.answerHeaders(request.id))
      return undefined
    })
    done()
  },
  { name: 'request-id', dependencies: ['checks'] },
)
