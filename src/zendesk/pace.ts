import { Problem } from '../problems/problem.js'
import type { Deadline } from './deadline.js'
import type { Schedule, Turn } from './schedule.js'
import type { Verdict } from './transport.js'

/** A call is given at least so many milliseconds; what leaves less of the deadline is not worth waiting for. */
const SHORTEST_CALL_MS = 50

/** Holds calls to Zendesk back until it is their turn, and pauses all of them when Zendesk says that it is too much. */
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
    const turn = await this.#turn(deadline)
    if (turn instanceof Problem) return turn
    const { scout } = turn
    let answered = false
    try {
      const verdict = await call()
      if (!(verdict instanceof Problem)) this.#callMs = verdict.zendeskMs
      if (isRateLimit(verdict)) this.#schedule.pause((verdict.retryAfter ?? 0) * 1000)
      else answered = !(verdict instanceof Problem) || verdict.zendesk !== undefined
      return verdict
    } finally {
      if (scout !== undefined) this.#schedule.landed(scout, answered)
    }
  }

  /** Whole seconds, 0 when not paused. */
  get pausedForSeconds(): number {
    return Math.ceil(this.#schedule.pausedForMs / 1000)
  }

  /** How long may be waited under this deadline so that there is still time for a call, in milliseconds. */
  patienceMs(deadline: Deadline): number {
    // One that was very slow must not keep the next from waiting at all.
    const callMs = Math.max(Math.min(this.#callMs * 2, deadline.totalMs / 2), SHORTEST_CALL_MS)
    return Math.max(deadline.remainingMs() - callMs, 0)
  }

  async #turn(deadline: Deadline): Promise<Turn | Problem> {
    const startedAt = performance.now()
    let last: Pick<Turn, 'reason' | 'reserved'> = { reason: 'none', reserved: false }
    for (;;) {
      const patienceMs = this.patienceMs(deadline)
      const remainingMs = deadline.remainingMs()
      const turn = await this.#schedule.take({ patienceMs, remainingMs, reserved: last.reserved })
      const waitedMs = performance.now() - startedAt
      if (turn.waitMs === 0) {
        this.#observe({ reason: last.reason, waitedMs, refused: false })
        return turn
      }
      if (turn.waitMs > patienceMs) {
        this.#observe({ reason: turn.reason, waitedMs, refused: true })
        return tooLate(turn)
      }
      await deadline.sleep(turn.waitMs)
      last = turn
    }
  }
}

function tooLate({ waitMs, reason }: Turn): Problem {
  const problem = new Problem('zendesk-rate-limited', { retryAfter: Math.ceil(waitMs / 1000) })
  problem.waitsFor = reason
  return problem
}

/** How a turn came, or was refused because it would have come too late. */
export interface Wait {
  reason: Turn['reason']
  waitedMs: number
  refused: boolean
}

function isRateLimit(verdict: unknown): verdict is Problem {
  return verdict instanceof Problem && verdict.code === 'zendesk-rate-limited'
}
