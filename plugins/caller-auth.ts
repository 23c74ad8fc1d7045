import type { FastifyBaseLogger, FastifyRequest, onRequestHookHandler } from 'fastify'
import plugin from 'fastify-plugin'
import { looksLikeJwt, presentedCredential, type Credential } from '../src/callers/credential.js'
import { ownerOfKey } from '../src/callers/keys.js'
import type { ForwardProxies } from '../src/network/forward-proxies.js'
import { WrongCredential } from '../src/callers/refusal.js'
import type { CallerTokens } from '../src/callers/tokens.js'
import type { CallerKeys, JwtConfig } from '../src/config/callers.js'
import { Problem } from '../src/problems/problem.js'
import { Deadline } from '../src/zendesk/deadline.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** An onRequest hook for routes that only known callers may use; sets `request.caller`. */
    authenticateCaller: onRequestHookHandler
  }
  interface FastifyRequest {
    /** Who asks: the configured name, `jwt:` and the subject, or 'anonymous' in open mode. Undefined until known. */
    caller: string | undefined
    /** What is left of the time of this request; undefined where no time has been spent yet. */
    deadline: Deadline | undefined
  }
}

/** Tells who asks, from one Authorization header: a key as Bearer, name and key as Basic, or a JWT as Bearer. */
export default plugin(
  async (app) => {
    const { callerKeys, jwt, ZENDESK_TIMEOUT_MS: timeoutMs } = app.config
    const tokens = jwt && (await trust(jwt, app.config.forwardProxies, app.log))
    const open = !callerKeys && !tokens
    callerKeys?.follow(app.log)
    app.addHook('onClose', async () => {
      callerKeys?.unfollow()
      await tokens?.close()
    })

    app.decorateRequest('caller', undefined)
    app.decorateRequest('deadline', undefined)
    app.decorate('authenticateCaller', (request, reply, next) => {
      let caller
      try {
        const credential = presentedCredential(request.raw)
        caller = open ? 'anonymous' : callerOf(credential, callerKeys?.reveal() ?? [], tokens)
      } catch (refusal) {
        counted(refusal, request).then(next, next)
        return
      }
      if (typeof caller === 'string') {
        request.caller = caller
        next()
        return
      }
      // Checking a new token may need its issuer, and counts towards the time of the request.
      const deadline = new Deadline(timeoutMs)
      request.deadline = deadline
      reply.raw.once('close', () => {
        deadline.end()
      })
      deadline
        .bound(caller)
        .catch((error: unknown) => {
          throw deadline.signal.aborted ? issuerTooSlow(error) : error
        })
        .then(
          (name) => {
            request.caller = name
            return undefined
          },
          (refusal: unknown) => counted(refusal, request),
        )
        .then(next, next)
    })

    /** What to answer: too many wrong credentials from one address are told so. */
    async function counted(refusal: unknown, request: FastifyRequest): Promise<Error> {
      const tooMany = refusal instanceof WrongCredential ? await app.countFailedAttempt(request) : undefined
      return tooMany ?? (refusal as Error)
    }
  },
  { name: 'caller-auth', dependencies: ['error-handler', 'caller-limits'] },
)

async function trust(jwt: JwtConfig, proxies: ForwardProxies, log: FastifyBaseLogger): Promise<CallerTokens> {
  // Imported only where it is used: it costs memory and time at the start.
  const { CallerTokens } = await import('../src/callers/tokens.js')
  return new CallerTokens(jwt, proxies, log)
}

function issuerTooSlow(cause: unknown): Problem {
  return new Problem('identity-provider-unavailable', { cause, retryAfter: 1 })
}

/** By scheme. At once, except for a JWT that is new to us. */
function callerOf(
  credential: Credential | undefined,
  keys: CallerKeys,
  tokens: CallerTokens | undefined,
): string | Promise<string> {
  switch (credential?.scheme) {
    case undefined:
      throw new Problem('caller-not-authenticated')
    case 'bearer':
      if (tokens && looksLikeJwt(credential.value)) return tokens.holderOf(credential.value)
      return callerOfKey(credential.value, undefined, keys)
    case 'basic':
      return callerOfKey(credential.key, credential.name, keys)
    case 'unreadable':
      throw new WrongCredential()
  }
}

/** @param name that Basic carries; a bearer need not tell it. */
function callerOfKey(key: string, name: string | undefined, keys: CallerKeys): string {
  const owner = ownerOfKey(key, keys)
  if (owner === undefined || (name !== undefined && name !== owner)) throw new WrongCredential()
  return owner
}
