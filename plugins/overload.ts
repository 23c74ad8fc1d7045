import underPressure from '@fastify/under-pressure'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems.js'

/** An event loop that is late by so many milliseconds cannot keep any promise: what comes now is refused at once. */
const LONGEST_LOOP_DELAY_MS = 1_000

declare module 'fastify' {
  interface FastifyInstance {
    /** Throws `service-unavailable` while overloaded. */
    checkLoad: () => void
  }
}

export default plugin(
  async (app) => {
    await app.register(underPressure, {
      maxEventLoopDelay: LONGEST_LOOP_DELAY_MS,
      pressureHandler: (request) => {
        if (!request.routeOptions.config.always) throw overloaded()
      },
    })
    app.decorate('checkLoad', () => {
      if (app.isUnderPressure()) throw overloaded()
    })
  },
  { name: 'overload' },
)

function overloaded(): Problem {
  return new Problem('service-unavailable', { retryAfter: 2 })
}
