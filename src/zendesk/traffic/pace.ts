import { Problem } from '../../problems/problem.js'
import { systemClock, type Clock } from '../clock.js'
import type { Deadline } from '../deadline.js'
import type { Call, Send, Step, Verdict } from '../operation.js'
import type { Schedule, Slot } from './schedule.js'

/** A call gets at least this many milliseconds; if a wait leaves less of the deadline, it is not waited out. */
const SHORTEST_CALL_MS = 50

/** Holds each call to Zendesk back until its slot, and pauses all calls after a 429. */
export class Pace implements Step {
  readonly #schedule: Schedule
  readonly #observe: (wait: Wait) => void
  readonly #clock: Pick<Clock, 'now'>
  /** What the last call that succeeded took, in milliseconds. The next one is given twice as much. */
  #callMs = 0

  constructor(
    schedule: Schedule,
    observe: (wait: Wait) => void = () => undefined,
    clock: Pick<Clock, 'now'> = systemClock,
  ) {
    this.#schedule = schedule
    this.#observe = observe
    this.#clock = clock
  }

  /** Makes one call when its slot comes; gives `zendesk-rate-limited` at once where the wait does not fit the deadline. */
  async run<T>(call: Call<T>, next: Send): Promise<Verdict<T>> {
    const slot = await this.#slot(call.deadline)
    if (slot instanceof Problem) return slot
    const { probe } = slot
    let answered = false
    try {
      const verdict = await next(call)
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
    // Cap the reserve: one slow call must not stop later calls from queueing.
    const callMs = Math.max(Math.min(this.#callMs * 2, deadline.totalMs / 2), SHORTEST_CALL_MS)
    return Math.max(deadline.remainingMs() - callMs, 0)
  }

  async #slot(deadline: Deadline): Promise<Slot | Problem> {
    const startedAt = this.#clock.now()
    let last: Pick<Slot, 'reason' | 'reserved'> = { reason: 'none', reserved: false }
    for (;;) {
      const longestWaitMs = this.longestWaitMs(deadline)
      const remainingMs = deadline.remainingMs()
      const slot = await this.#schedule.take({ longestWaitMs, remainingMs, reserved: last.reserved })
      const waitedMs = this.#clock.now() - startedAt
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
  return new Problem('zendesk-rate-limited', {
    retryAfter: Math.ceil(waitMs / 1000),
    waitsFor: reason === 'none' ? undefined : reason,
  })
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
