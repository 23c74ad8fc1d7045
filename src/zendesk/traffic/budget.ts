/**
 * So many calls a minute, spread so that any 60 seconds hold at most that many: a small burst, then a steady rate (a
 * virtual-scheduling leaky bucket, ITU-T I.371, known as GCRA). All that goes to the account is spent from one budget.
 */
export class Budget {
  readonly perMinute: number
  readonly spread: Spread
  #dueAt = 0

  /** @param perMinute calls; 0 = no budget. */
  constructor(perMinute: number) {
    this.perMinute = perMinute
    this.spread = spreadOf(perMinute)
  }

  /** Milliseconds until a call may go; 0 = now. */
  waitMs(now: number): number {
    return Math.max(this.#dueAt - this.spread.toleranceMs - now, 0)
  }

  /** Counts a call: one that goes now, or one whose slot is reserved. */
  spend(now: number): void {
    this.#dueAt = Math.max(this.#dueAt, now) + this.spread.intervalMs
  }

  /** How far the slots taken so far reach into the future, in milliseconds. */
  dueInMs(now: number): number {
    return Math.max(this.#dueAt - now, 0)
  }
}

/** How a budget is spread over the minute, in milliseconds. */
interface Spread {
  intervalMs: number
  /** How far calls may run ahead of the interval: the burst. */
  toleranceMs: number
}

/** A minute, and room for calls that are held up on their way. */
const WINDOW_MS = 61_000

function spreadOf(perMinute: number): Spread {
  if (perMinute === 0) return { intervalMs: 0, toleranceMs: 0 }
  const burst = Math.max(1, Math.min(5, Math.floor(perMinute / 10)))
  // A burst at the start and a call per interval after it must still fit into one minute.
  const intervalMs = WINDOW_MS / (perMinute - burst + 1)
  return { intervalMs, toleranceMs: intervalMs * (burst - 1) }
}
