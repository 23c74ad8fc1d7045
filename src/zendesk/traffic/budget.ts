import { AccountShare } from './account-share.js'

/**
 * So many calls a minute, spread so that any 60 seconds hold at most that many: a small burst, then a steady rate (a
 * virtual-scheduling leaky bucket, ITU-T I.371, known as GCRA). All that goes to the account is spent from one budget, with a
 * gap between calls while others use the account too.
 */
export class Budget {
  readonly perMinute: number
  readonly spread: Spread
  readonly account: AccountShare
  #dueAt = 0
  /** When the call with the latest slot starts. */
  #lastAt = -Infinity

  /** @param perMinute calls; 0 = no budget. */
  constructor(perMinute: number, account = new AccountShare(perMinute)) {
    this.perMinute = perMinute
    this.spread = spreadOf(perMinute)
    this.account = account
  }

  /** Milliseconds until a call may go; 0 = now. The gap alone never makes it longer than what can be waited. */
  waitMs(now: number, longestWaitMs = Infinity): number {
    const { ms, validMs } = this.account.gap()
    const gapMs = validMs > 0 ? this.#lastAt + ms - now : 0
    return Math.max(this.#dueAt - this.spread.toleranceMs - now, Math.min(gapMs, longestWaitMs), 0)
  }

  /** Counts a call that starts after this wait. */
  spend(now: number, waitMs = 0): void {
    this.#dueAt = Math.max(this.#dueAt, now) + this.spread.intervalMs
    this.#lastAt = now + waitMs
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
