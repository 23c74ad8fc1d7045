import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems/problem.js'

/** A delay of the event loop at which no deadline can be kept, in nanoseconds. */
const LONGEST_DELAY_NS = 1_000 * 1e6
const SAMPLE_MS = 1_000
/** A single stall is over by the time it is noticed. */
const LATE_SAMPLES = 2

declare module 'fastify' {
  interface FastifyInstance {
    isOverloaded: () => boolean
    /** Throws `service-unavailable` while overloaded. */
    checkLoad: () => void
  }
}

/** Refuses new work while the event loop stays late. */
export default plugin(
  (app, _options, done) => {
    const delays = monitorEventLoopDelay()
    delays.enable()
    let lateSamples = 0
    const sampler = setInterval(() => {
      lateSamples = delayMet(delays) > LONGEST_DELAY_NS ? lateSamples + 1 : 0
      delays.reset()
    }, SAMPLE_MS).unref()
    app.addHook('onClose', (_instance, closed) => {
      clearInterval(sampler)
      delays.disable()
      closed()
    })

    const isOverloaded = () => lateSamples >= LATE_SAMPLES
    const overloaded = () =>
      isOverloaded() ? new Problem('service-unavailable', { retryAfter: 2 }) : undefined
    app.decorate('isOverloaded', isOverloaded)
    app.decorate('checkLoad', () => {
      const problem = overloaded()
      if (problem) throw problem
    })
    app.addCheck((request) => (request.routeOptions.config.always ? undefined : overloaded()))
    done()
  },
  { name: 'overload', dependencies: ['checks'] },
)

/**
 * The delay that a request meets on average. Each delay counts for as long as it lasts, since so many more requests arrive
 * in it: E[d²]/E[d]. A plain mean would hide one long stall among many short samples, a maximum would ignore the idle time.
 */
function delayMet({ mean, stddev }: IntervalHistogram): number {
  return mean > 0 ? mean + (stddev * stddev) / mean : 0
}
