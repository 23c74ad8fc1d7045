import type { onRequestHookHandler } from 'fastify'
import plugin from 'fastify-plugin'
import { RateLimit, type Standing } from '../src/callers/rate-limit.js'
import { networkOf } from '../src/callers/network.js'
import { Problem } from '../src/problems/problem.js'

/** Wrong credentials a minute from one address; then they are no longer looked into. */
const FAILED_ATTEMPTS_PER_MINUTE = 10

declare module 'fastify' {
  interface FastifyInstance {
    /** An onRequest hook, after authentication: throws `caller-rate-limited` where a caller asks too often. */
    limitCaller: onRequestHookHandler
    /** Counts a wrong credential against the address it came from; resolves to a problem where there were too many. */
    countFailedAttempt: (request: FastifyRequest) => Promise<Problem | undefined>
  }
}

/** The rate limit of each caller, counted by its name, or by its address where it has none. */
export default plugin(
  (app, _options, done) => {
    const { CALLER_RATE_PER_MINUTE: perMinute, callerKeys, jwt } = app.config
    const open = !callerKeys && !jwt
    const asked = new RateLimit('asked', perMinute, app.redis)
    const failed = new RateLimit('failed', FAILED_ATTEMPTS_PER_MINUTE, app.redis)

    app.decorate('limitCaller', (request, reply, next) => {
      if (perMinute === 0) {
        next()
        return
      }
      const identity = open ? networkOf(request.ip) : (request.caller ?? '')
      asked.spend(identity).then((standing) => {
        reply
          .header('ratelimit-limit', perMinute)
          .header('ratelimit-remaining', standing.remaining)
          .header('ratelimit-reset', standing.resetSeconds)
        next(tooOften(standing))
      }, next)
    })
    app.decorate('countFailedAttempt', async ({ ip }) =>
      tooOften(
        await failed.spend(networkOf(ip)),
        'Too many wrong credentials came from your address. Correct yours.',
      ),
    )
    done()
  },
  { name: 'caller-limits', dependencies: ['error-handler', 'redis'] },
)

function tooOften({ allowed, resetSeconds }: Standing, detail?: string): Problem | undefined {
  if (allowed) return undefined
  return new Problem('caller-rate-limited', {
    retryAfter: resetSeconds,
    ...(detail !== undefined && { detail }),
  })
}
