import { Problem } from '../problems.js'
import type { Deadline } from './deadline.js'

/**
 * When the next call to Zendesk may go: calls are spread over the minute so that any 60 seconds hold at most `perMinute`
 * of them (a virtual-scheduling leaky bucket, ITU-T I.371, known as GCRA), and nothing goes during a pause.
 */
export class Pace {
  readonly #intervalMs: number
  readonly #toleranceMs: number
  #nextDueAt = 0
  #pausedUntil = 0

  /** @param perMinute calls; 0 = no budget, pauses only. */
  constructor(perMinute: number) {
    const burst = Math.max(1, Math.min(5, Math.floor(perMinute / 10)))
    // A burst at the start and a call per interval after it must still fit into one minute.
    this.#intervalMs = perMinute === 0 ? 0 : 60_000 / (perMinute - burst + 1)
    this.#toleranceMs = this.#intervalMs * (burst - 1)
  }

  /** Waits for our turn and takes it; throws `zendesk-rate-limited` at once where the wait does not fit the deadline. */
  async turn(deadline: Deadline): Promise<void> {
    for (let wait = this.#waitMs(); wait > 0; wait = this.#waitMs()) {
      if (wait > deadline.remainingMs())
        throw new Problem('zendesk-rate-limited', { retryAfter: toSeconds(wait) })
      await deadline.sleep(wait)
    }
    this.#nextDueAt = Math.max(this.#nextDueAt, performance.now()) + this.#intervalMs
  }

  /** Stops all calls for so many seconds; a longer pause that is under way stays. */
  pause(seconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + seconds * 1000)
  }

  /** Whole seconds, 0 when not paused. */
  get pausedForSeconds(): number {
    return toSeconds(Math.max(this.#pausedUntil - performance.now(), 0))
  }

  #waitMs(): number {
    return Math.max(this.#pausedUntil, this.#nextDueAt - this.#toleranceMs) - performance.now()
  }
}

function toSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
