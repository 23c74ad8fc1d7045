import underPressure from '@fastify/under-pressure'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems.js'

/** The event loop is late by this much when it cannot keep any promise, in milliseconds. */
const LONGEST_LOOP_DELAY_MS = 1_000
/** How often its lateness is sampled, in milliseconds. */
const SAMPLE_MS = 1_000

declare module 'fastify' {
  interface FastifyInstance {
    /** Throws `service-unavailable` while overloaded. */
    checkLoad: () => void
  }
}

/** Refuses new work while the event loop is late, and has been so for more than one sample: a single stall is over by then. */
export default plugin(
  async (app) => {
    let lateSince = 0
    let lastLate = 0

    app.decorate('checkLoad', () => {
      if (!app.isUnderPressure()) return
      const now = performance.now()
      if (now - lastLate > 1.5 * SAMPLE_MS) lateSince = now
      lastLate = now
      if (now - lateSince > 1.5 * SAMPLE_MS) throw new Problem('service-unavailable', { retryAfter: 2 })
    })
    await app.register(underPressure, {
      maxEventLoopDelay: LONGEST_LOOP_DELAY_MS,
      sampleInterval: SAMPLE_MS,
      pressureHandler: (request) => {
        if (!request.routeOptions.config.always) app.checkLoad()
      },
    })
  },
  { name: 'overload' },
)
