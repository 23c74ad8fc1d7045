import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import plugin from 'fastify-plugin'
import type { Caller } from '../src/callers/caller.js'
import { credentialFrom } from '../src/callers/credential.js'
import { FailedAttempts } from '../src/callers/failed-attempts.js'
import { networkOf } from '../src/callers/network.js'
import { RateLimit, type Standing } from '../src/callers/rate-limit.js'
import { startSchemes } from '../src/callers/schemes.js'
import { WrongCredential } from '../src/callers/wrong-credential.js'
import { Problem } from '../src/problems/problem.js'
import { Deadline } from '../src/zendesk/deadline.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** An onRequest hook for routes that not everybody may use: who asks, and whether not too often. */
    admitCaller: onRequestHookHandler
  }
  interface FastifyRequest {
    /** Undefined until known. */
    caller: Caller | undefined
    /** What is left of the time of this request; undefined where no time has been spent yet. */
    deadline: Deadline | undefined
  }
}

const ANONYMOUS: Caller = { name: 'anonymous' }

/** Admits callers by their credentials, and each only so often. Waits only for Redis and for the keys of an issuer. */
export default plugin(
  async (app) => {
    const { access, callerSchemes, forwardProxies: proxies } = app.config
    const { CALLER_RATE_PER_MINUTE: perMinute, ZENDESK_TIMEOUT_MS: timeoutMs } = app.config
    const asked = new RateLimit('asked', perMinute, app.redis)
    const attempts = new FailedAttempts(app.redis)
    const onClose = (stop: () => void | Promise<void>) => {
      app.addHook('onClose', stop)
    }
    const identify = await startSchemes(callerSchemes, { proxies, log: app.log, attempts, onClose })

    app.decorateRequest('caller', undefined)
    app.decorateRequest('deadline', undefined)
    app.decorate('admitCaller', (request, reply, next) => {
      let caller
      try {
        caller = access === 'known' ? identify(request) : anonymous(request)
      } catch (refusal) {
        refuse(refusal, request, next)
        return
      }
      if (!(caller instanceof Promise)) {
        limit(caller, request, reply, next)
        return
      }
      // Checking a new token may need its issuer, and counts towards the time of the request.
      const deadline = new Deadline(timeoutMs)
      request.deadline = deadline
      reply.raw.once('close', () => {
        deadline.end()
      })
      deadline.bound(caller).then(
        (known) => {
          limit(known, request, reply, next)
        },
        (refusal: unknown) => {
          refuse(deadline.signal.aborted ? issuerTooSlow(refusal) : refusal, request, next)
        },
      )
    })

    function limit(caller: Caller, request: FastifyRequest, reply: FastifyReply, next: Next): void {
      request.caller = caller
      if (perMinute === 0) {
        next()
        return
      }
      const standing = asked.spend(access === 'known' ? caller.name : networkOf(request.ip))
      const tell = (counted: Standing) => {
        reply.headers(headersOf(counted, perMinute))
        next(counted.allowed ? undefined : tooOften(counted))
      }
      if (standing instanceof Promise) standing.then(tell, next)
      else tell(standing)
    }

    function refuse(refusal: unknown, { ip }: FastifyRequest, next: Next): void {
      const answer = refusal instanceof WrongCredential ? attempts.count(refusal, ip) : (refusal as Error)
      if (answer instanceof Promise) answer.then(next, next)
      else next(answer)
    }
  },
  { name: 'callers', dependencies: ['error-handler', 'redis'] },
)

/** Two credentials are malformed also where none is asked for. */
function anonymous({ raw }: FastifyRequest): Caller {
  credentialFrom(raw)
  return ANONYMOUS
}

type Next = (error?: Error) => void

function headersOf({ remaining, resetSeconds }: Standing, perMinute: number): Record<string, number> {
  return {
    'ratelimit-limit': perMinute,
    'ratelimit-remaining': remaining,
    'ratelimit-reset': resetSeconds,
  }
}

function tooOften({ resetSeconds }: Standing): Problem {
  return new Problem('caller-rate-limited', { retryAfter: resetSeconds, logged: { reason: 'rate-limit' } })
}

function issuerTooSlow(cause: unknown): Problem {
  const logged = { reason: 'issuer-unavailable' }
  return new Problem('identity-provider-unavailable', { cause, retryAfter: 1, logged })
}
