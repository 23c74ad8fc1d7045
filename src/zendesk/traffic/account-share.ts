import { systemClock, type Clock } from '../clock.js'
import type { RateLimit } from '../rate-limit.js'

const WINDOW_SECONDS = 60
/** Of what is left while others use the account too. With more, a busy integration meets the limit before it is reset. */
const OUR_PART = 1 / 5
/** Calls that may be counted although our budget has not given them yet: a burst, and a second for rounded times. */
const BURST = 5
const ROUNDING_SECONDS = 1
const LONGEST_GAP_MS = 2_500

/**
 * Leaves the other integrations of the account their part of its rate limit: once more of it is used than our budget
 * explains, calls keep a gap. It makes us slower, never faster.
 */
export class AccountShare {
  readonly #perMinute: number
  readonly #longestGapMs: number
  readonly #clock: Pick<Clock, 'now'>
  #latest: RateLimit | undefined
  #toldAt = 0

  /**
   * @param perMinute our budget; 0 = none, and nothing is held back.
   * @param timeoutMs the deadline of an operation, which may need a slot for a token before its own.
   */
  constructor(perMinute: number, timeoutMs = Infinity, clock: Pick<Clock, 'now'> = systemClock) {
    this.#perMinute = perMinute
    this.#longestGapMs = Math.min(timeoutMs / 3, LONGEST_GAP_MS)
    this.#clock = clock
  }

  /** What Zendesk told last. */
  get latest(): RateLimit | undefined {
    return this.#latest
  }

  told(rateLimit: RateLimit): void {
    this.#latest = rateLimit
    this.#toldAt = this.#clock.now()
  }

  /** Between the start of one call and the next. */
  gap(): Gap {
    if (!this.#latest || this.#perMinute === 0) return NONE
    const { limit, remaining, resetSeconds = WINDOW_SECONDS } = this.#latest
    const leftMs = Math.min(resetSeconds, WINDOW_SECONDS) * 1000
    const ageMs = this.#clock.now() - this.#toldAt
    const validMs = Math.max(leftMs - ageMs, 0)
    if (limit - remaining <= this.#oursAtMost(this.#latest)) return { ms: 0, validMs, ageMs }
    return { ms: Math.min(leftMs / Math.max(remaining * OUR_PART, 1), this.#longestGapMs), validMs, ageMs }
  }

  /** What we alone may have used of this minute; without the time of the reset, as if it were over. */
  #oursAtMost({ resetSeconds = 0 }: RateLimit): number {
    const elapsedSeconds = Math.max(WINDOW_SECONDS - resetSeconds, 0) + ROUNDING_SECONDS
    return (this.#perMinute * elapsedSeconds) / WINDOW_SECONDS + BURST
  }
}

/** In milliseconds. */
export interface Gap {
  ms: number
  /** How long it holds. */
  validMs: number
  /** How old the news is that it follows from; undefined without any. */
  ageMs: number | undefined
}

const NONE: Gap = { ms: 0, validMs: 0, ageMs: undefined }
