import underPressure from '@fastify/under-pressure'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems/problem.js'

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
    let isLate = () => false
    // In a context of its own, where it samples and nothing more: its hook makes the options of the route anew each time.
    await app.register(async (sampler) => {
      await sampler.register(underPressure, {
        maxEventLoopDelay: LONGEST_LOOP_DELAY_MS,
        sampleInterval: SAMPLE_MS,
      })
      isLate = () => sampler.isUnderPressure()
    })
    let lateSince = 0
    let lastLate = 0

    const overloaded = () => {
      if (!isLate()) return undefined
      const now = performance.now()
      if (now - lastLate > 1.5 * SAMPLE_MS) lateSince = now
      lastLate = now
      const lasts = now - lateSince > 1.5 * SAMPLE_MS
      return lasts ? new Problem('service-unavailable', { retryAfter: 2 }) : undefined
    }

    app.decorate('checkLoad', () => {
      const problem = overloaded()
      if (problem) throw problem
    })
    app.addHook('onRequest', (request, _reply, next) => {
      next(isLate() && !request.routeOptions.config.always ? overloaded() : undefined)
    })
  },
  { name: 'overload' },
)
