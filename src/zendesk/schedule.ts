import type { Budget } from './budget.js'

/**
 * When calls to one endpoint of Zendesk's may go: when the budget has a turn for them, and not during a pause, after which
 * a single call goes ahead to see.
 */
export interface Schedule {
  /** A turn to go now, or why and for how long to wait before asking again. */
  take(request: TurnRequest): Turn | Promise<Turn>
  /** Stops all calls for so long; a longer pause that is under way stays. */
  pause(milliseconds: number): void
  /** To be told of the call that went ahead. */
  landed(scout: number, answered: boolean): void
  /** Milliseconds, 0 when not paused. */
  readonly pausedForMs: number
}

export interface TurnRequest {
  /** How long the turn may be waited for, in milliseconds; one that comes later is not taken. */
  patienceMs: number
  /** What is left of the deadline, in milliseconds: a call that goes ahead is missed after that. */
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
  readonly #budget: Budget
  readonly #now: () => number
  #pausedUntil = 0
  /** From a pause until a call has got an answer. */
  #inDoubt = false
  #scoutUntil = 0

  /** @param now milliseconds of a clock that never goes back. */
  constructor(budget: Budget, now: () => number = () => performance.now()) {
    this.#budget = budget
    this.#now = now
  }

  take({ patienceMs, remainingMs, reserved }: TurnRequest): Turn {
    const now = this.#now()
    if (now < this.#pausedUntil) return wait('pause', this.#pausedUntil - now)
    if (this.#inDoubt && now < this.#scoutUntil)
      return wait('pause', Math.min(this.#scoutUntil - now, LOOK_EVERY_MS))
    if (!reserved) {
      const waitMs = this.#budget.waitMs(now)
      if (waitMs > patienceMs) return wait('budget', waitMs)
      this.#budget.spend(now)
      if (waitMs > 0) return { ...wait('budget', waitMs), reserved: true }
    }
    if (!this.#inDoubt) return GO
    this.#scoutUntil = now + remainingMs
    return { ...GO, scout: this.#scoutUntil }
  }

  pause(milliseconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#now() + milliseconds)
    this.#inDoubt = true
    this.#scoutUntil = 0
  }

  landed(scout: number, answered: boolean): void {
    // A call that went before a newer pause proves nothing.
    if (scout !== this.#scoutUntil) return
    this.#inDoubt = !answered
    this.#scoutUntil = 0
  }

  get pausedForMs(): number {
    return Math.max(this.#pausedUntil - this.#now(), 0)
  }
}

const GO: Turn = { reason: 'none', waitMs: 0, reserved: false }

function wait(reason: 'budget' | 'pause', waitMs: number): Turn {
  return { reason, waitMs, reserved: false }
}
