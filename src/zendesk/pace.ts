import { Problem } from '../problems/problem.js'
import type { Deadline } from './deadline.js'
import type { Schedule, Slot } from './traffic/schedule.js'
import type { Verdict } from './transport.js'

/** A call is given at least so many milliseconds; what leaves less of the deadline is not worth waiting for. */
const SHORTEST_CALL_MS = 50

/** Holds each call to Zendesk back until its slot, and pauses all calls after a 429. */
export class Pace {
  readonly #schedule: Schedule
  readonly #observe: (wait: Wait) => void
  /** What the last call that succeeded took, in milliseconds. The next one is given twice as much. */
  #callMs = 0

  constructor(schedule: Schedule, observe: (wait: Wait) => void = () => undefined) {
    this.#schedule = schedule
    this.#observe = observe
  }

  /** Runs one call when it may go; gives `zendesk-rate-limited` at once where the wait does not fit the deadline. */
  async run<T>(deadline: Deadline, call: () => Promise<Verdict<T>>): Promise<Verdict<T>> {
    const slot = await this.#slot(deadline)
    if (slot instanceof Problem) return slot
    const { probe } = slot
    let answered = false
    try {
      const verdict = await call()
      if (!(verdict instanceof Problem)) this.#callMs = verdict.zendeskMs
      if (isRateLimit(verdict)) this.#schedule.pause((verdict.retryAfter ?? 0) * 1000)
      else answered = !(verdict instanceof Problem) || verdict.zendesk !== undefined
      return verdict
    } finally {
      if (probe !== undefined) this.#schedule.settled(probe, answered)
    }
  }

  /** Whole seconds, 0 when not paused. */
  get pausedForSeconds(): number {
    return Math.ceil(this.#schedule.pausedForMs / 1000)
  }

  /** How long may be waited under this deadline so that there is still time for a call, in milliseconds. */
  longestWaitMs(deadline: Deadline): number {
    // One that was very slow must not keep the next from waiting at all.
    const callMs = Math.max(Math.min(this.#callMs * 2, deadline.totalMs / 2), SHORTEST_CALL_MS)
    return Math.max(deadline.remainingMs() - callMs, 0)
  }

  async #slot(deadline: Deadline): Promise<Slot | Problem> {
    const startedAt = performance.now()
    let last: Pick<Slot, 'reason' | 'reserved'> = { reason: 'none', reserved: false }
    for (;;) {
      const longestWaitMs = this.longestWaitMs(deadline)
      const remainingMs = deadline.remainingMs()
      const slot = await this.#schedule.take({ longestWaitMs, remainingMs, reserved: last.reserved })
      const waitedMs = performance.now() - startedAt
      if (slot.waitMs === 0) {
        this.#observe({ reason: last.reason, waitedMs, refused: false })
        return slot
      }
      if (slot.waitMs > longestWaitMs) {
        this.#observe({ reason: slot.reason, waitedMs, refused: true })
        return tooLate(slot)
      }
      await deadline.sleep(slot.waitMs)
      last = slot
    }
  }
}

function tooLate({ waitMs, reason }: Slot): Problem {
  const problem = new Problem('zendesk-rate-limited', { retryAfter: Math.ceil(waitMs / 1000) })
  problem.waitsFor = reason
  return problem
}

/** How a slot came, or was refused because it would have come too late. */
export interface Wait {
  reason: Slot['reason']
  waitedMs: number
  refused: boolean
}

function isRateLimit(verdict: unknown): verdict is Problem {
  return verdict instanceof Problem && verdict.code === 'zendesk-rate-limited'
}
