/**
 * When calls to Zendesk may go. They are spread over the minute so that any 60 seconds hold at most the budget (a
 * virtual-scheduling leaky bucket, ITU-T I.371, known as GCRA); nothing goes during a pause, and after one a single call
 * goes ahead to see.
 */
export interface Schedule {
  /** A turn to go now, or why and for how long to wait before asking again. */
  take(request: TurnRequest): Turn | Promise<Turn>
  /** Stops all calls for so many seconds; a longer pause that is under way stays. */
  pause(seconds: number): void
  /** To be told of the call that went ahead. */
  landed(scout: number, answered: boolean): void
  /** Whole seconds, 0 when not paused. */
  readonly pausedForSeconds: number
}

export interface TurnRequest {
  /** What is left of the deadline, in milliseconds: a turn that comes later is not taken, and a scout is missed after it. */
  remainingMs: number
  /** Whether the wait is over for which a turn was reserved. */
  reserved: boolean
}

export interface Turn {
  /** 0 = go. */
  waitMs: number
  /** What the wait is for; a pause lasts until the call that goes ahead has landed. */
  reason: 'none' | 'budget' | 'pause'
  /** The turn is ours when the wait is over, unless a pause comes between. */
  reserved: boolean
  /** Set where this call is the one that goes ahead after a pause: what to call it when it has landed. */
  scout?: number
}

/** How often those who wait for the call that goes ahead look whether it has landed, in milliseconds. */
export const LOOK_EVERY_MS = 50

/** The schedule of this process alone. */
export class LocalSchedule implements Schedule {
  readonly #spread: Spread
  readonly #now: () => number
  #dueAt = 0
  #pausedUntil = 0
  /** From a pause until a call has got an answer. */
  #inDoubt = false
  #scoutUntil = 0

  /** @param now milliseconds of a clock that never goes back. */
  constructor(spread: Spread, now: () => number = () => performance.now()) {
    this.#spread = spread
    this.#now = now
  }

  take({ remainingMs, reserved }: TurnRequest): Turn {
    const now = this.#now()
    const { intervalMs, toleranceMs } = this.#spread
    if (now < this.#pausedUntil) return wait('pause', this.#pausedUntil - now)
    if (this.#inDoubt && now < this.#scoutUntil)
      return wait('pause', Math.min(this.#scoutUntil - now, LOOK_EVERY_MS))
    if (!reserved) {
      const waitMs = this.#dueAt - toleranceMs - now
      if (waitMs > remainingMs) return wait('budget', waitMs)
      this.#dueAt = Math.max(this.#dueAt, now) + intervalMs
      if (waitMs > 0) return { ...wait('budget', waitMs), reserved: true }
    }
    if (!this.#inDoubt) return GO
    this.#scoutUntil = now + remainingMs
    return { ...GO, scout: this.#scoutUntil }
  }

  pause(seconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#now() + seconds * 1000)
    this.#inDoubt = true
    this.#scoutUntil = 0
  }

  landed(scout: number, answered: boolean): void {
    // A call that went before a newer pause proves nothing.
    if (scout !== this.#scoutUntil) return
    this.#inDoubt = !answered
    this.#scoutUntil = 0
  }

  /** Counts a turn that was taken elsewhere. */
  count(): void {
    this.#dueAt = Math.max(this.#dueAt, this.#now()) + this.#spread.intervalMs
  }

  /** How far the turns taken so far reach into the future, in milliseconds. */
  get dueInMs(): number {
    return Math.max(this.#dueAt - this.#now(), 0)
  }

  get pausedForSeconds(): number {
    return Math.ceil(Math.max(this.#pausedUntil - this.#now(), 0) / 1000)
  }
}

/** How a budget is spread over the minute, in milliseconds. */
export interface Spread {
  intervalMs: number
  /** How far calls may run ahead of the interval: the burst. */
  toleranceMs: number
}

/** A minute, and room for calls that are held up on their way. */
const WINDOW_MS = 61_000

/** @param perMinute calls; 0 = no budget, pauses only. */
export function spreadOf(perMinute: number): Spread {
  if (perMinute === 0) return { intervalMs: 0, toleranceMs: 0 }
  const burst = Math.max(1, Math.min(5, Math.floor(perMinute / 10)))
  // A burst at the start and a call per interval after it must still fit into one minute.
  const intervalMs = WINDOW_MS / (perMinute - burst + 1)
  return { intervalMs, toleranceMs: intervalMs * (burst - 1) }
}

const GO: Turn = { reason: 'none', waitMs: 0, reserved: false }

function wait(reason: 'budget' | 'pause', waitMs: number): Turn {
  return { reason, waitMs, reserved: false }
}
