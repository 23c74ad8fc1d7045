import { Problem } from '../../problems/problem.js'
import type { Call, Send, Step, Verdict } from '../operation.js'
import type { CircuitBreaker } from './circuit-breaker.js'
import type { Pace } from './pace.js'

const MOST_TRIES = 3
const BASE_MS = 200
const CAP_MS = 2_000

/** Tries again what may pass by itself, while there is time and Zendesk does not keep failing. */
export class Retry implements Step {
  readonly #breaker: Pick<CircuitBreaker, 'state'>
  readonly #pace: Pick<Pace, 'longestWaitMs'>

  constructor(breaker: Pick<CircuitBreaker, 'state'>, pace: Pick<Pace, 'longestWaitMs'>) {
    this.#breaker = breaker
    this.#pace = pace
  }

  async run<T>(call: Call<T>, next: Send): Promise<Verdict<T>> {
    let previous: Problem | undefined
    for (let tries = 1; ; tries++) {
      const verdict = await next(call)
      if (!(verdict instanceof Problem)) return verdict
      // Prefer Zendesk's own error to "no budget for a retry", unless another answer (the cause) has come since.
      if (verdict.waitsFor && !verdict.cause && previous) return previous
      const waitMs = waitBeforeRetry(verdict, tries)
      const longestWaitMs = this.#pace.longestWaitMs(call.deadline)
      if (waitMs === undefined || waitMs > longestWaitMs || this.#breaker.state !== 'closed') return verdict
      previous = verdict
      await call.deadline.sleep(waitMs)
    }
  }
}

/** Undefined where there should be no other try. Full jitter (Brooker, "Exponential Backoff And Jitter"), but never earlier than asked. */
function waitBeforeRetry(problem: Problem, tries: number): number | undefined {
  if (tries >= MOST_TRIES || !problem.isTransient) return undefined
  const jittered = Math.random() * Math.min(BASE_MS * 2 ** tries, CAP_MS)
  return Math.max(jittered, (problem.retryAfter ?? 0) * 1000)
}
