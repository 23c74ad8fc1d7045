import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import plugin from 'fastify-plugin'
import type { CallerKeys } from '../src/config/callers.js'
import { Problem } from '../src/problems.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** An onRequest hook for routes that only known callers may use; sets `request.caller`. */
    authenticateCaller: onRequestHookHandler
  }
  interface FastifyRequest {
    /** Who asks, by configured name; 'anonymous' in open mode. Undefined until known. */
    caller: string | undefined
  }
}

/** Tells who asks, from one Authorization header: a key as Bearer, or name and key as Basic. */
export default plugin(
  (app, _options, done) => {
    const { callerKeys } = app.config
    const open = callerKeys === undefined

    app.decorateRequest('caller', undefined)
    app.decorate('authenticateCaller', (request, _reply, next) => {
      refuseTwoCredentials(request)
      request.caller = open ? 'anonymous' : callerOfKey(presentedKey(request), callerKeys.reveal())
      next()
    })
    done()
  },
  { name: 'caller-auth', dependencies: ['error-handler'] },
)

/** Node keeps the first of two Authorization headers; which one a proxy in front looked at is unknown. */
function refuseTwoCredentials({ raw }: FastifyRequest): void {
  const { rawHeaders } = raw
  let seen = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') seen += 1
  }
  if (seen > 1)
    throw new Problem('malformed-request', { detail: 'Send one Authorization header, not several.' })
}

interface PresentedKey {
  key: string
  /** The name that Basic authentication carries; undefined for a bearer, who need not tell it. */
  name: string | undefined
}

function presentedKey(request: FastifyRequest): PresentedKey {
  const { authorization = '' } = request.headers
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(authorization) ?? []
  if (scheme.toLowerCase() === 'bearer') return { key: value, name: undefined }
  if (scheme.toLowerCase() === 'basic') {
    const pair = Buffer.from(value, 'base64').toString('utf8')
    const colon = pair.indexOf(':')
    if (colon !== -1) return { key: pair.slice(colon + 1), name: pair.slice(0, colon) }
  }
  throw new Problem('caller-not-authenticated')
}

/** Compares with every key, each in constant time, so that the time tells neither which nor how many. */
function callerOfKey({ key, name }: PresentedKey, keys: CallerKeys): string {
  const digest = hash('sha256', key, 'buffer')
  let caller: string | undefined
  for (const known of keys) {
    if (timingSafeEqual(known.digest, digest)) caller = known.name
  }
  if (caller === undefined || (name !== undefined && name !== caller))
    throw new Problem('caller-not-authenticated')
  return caller
}
