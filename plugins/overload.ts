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
        if (!request.routeOptions.config.always) app.checkLoad()
      },
    })
    app.decorate('checkLoad', () => {
      // Infinite where a whole interval passed without a sample: one long stall, as at the start, and over by now.
      if (app.isUnderPressure() && Number.isFinite(app.memoryUsage().eventLoopDelay)) throw overloaded()
    })
  },
  { name: 'overload' },
)

function overloaded(): Problem {
  return new Problem('service-unavailable', { retryAfter: 2 })
}
