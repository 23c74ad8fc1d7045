import { systemClock, type Clock } from '../clock.js'
import type { Budget } from './budget.js'

/** When calls to one endpoint may start: in a slot of the budget and not during a pause, after which one call goes first as a probe. */
export interface Schedule {
  /** A slot now, or why and for how long to wait before asking again. */
  take(request: SlotRequest): Slot | Promise<Slot>
  /** Stops all calls for this long; a longer pause under way stays. */
  pause(milliseconds: number): void
  /** Reports the end of a probe. */
  settled(probe: number, answered: boolean): void
  /** Milliseconds, 0 when not paused. */
  readonly pausedForMs: number
}

export interface SlotRequest {
  /** In milliseconds; a slot that comes later is not reserved. */
  longestWaitMs: number
  /** What is left of the deadline, in milliseconds: a probe counts as lost after that. */
  remainingMs: number
  /** Whether the slot was reserved before and its wait is over. */
  reserved: boolean
}

export interface Slot {
  /** 0 = go. */
  waitMs: number
  /** A pause lasts until its probe has settled. */
  reason: 'none' | 'budget' | 'pause'
  /** The slot is ours when the wait is over, unless a pause begins before. */
  reserved: boolean
  /** Set where this call is the probe after a pause: pass it to `settled`. */
  probe?: number
}

/** How often calls that wait for a probe look whether it has settled, in milliseconds. */
export const LOOK_EVERY_MS = 50

/** The schedule of this process alone. */
export class LocalSchedule implements Schedule {
  readonly #budget: Budget
  readonly #clock: Pick<Clock, 'now'>
  #pausedUntil = 0
  /** From the begin of a pause until a probe got an answer. */
  #awaitingProbe = false
  #probeUntil = 0

  constructor(budget: Budget, clock: Pick<Clock, 'now'> = systemClock) {
    this.#budget = budget
    this.#clock = clock
  }

  take({ longestWaitMs, remainingMs, reserved }: SlotRequest): Slot {
    const now = this.#clock.now()
    if (now < this.#pausedUntil) return wait('pause', this.#pausedUntil - now)
    if (this.#awaitingProbe && now < this.#probeUntil)
      return wait('pause', Math.min(this.#probeUntil - now, LOOK_EVERY_MS))
    if (!reserved) {
      const waitMs = this.#budget.waitMs(now, longestWaitMs)
      if (waitMs > longestWaitMs) return wait('budget', waitMs)
      this.#budget.spend(now, waitMs)
      if (waitMs > 0) return { ...wait('budget', waitMs), reserved: true }
    }
    if (!this.#awaitingProbe) return GO
    this.#probeUntil = now + remainingMs
    return { ...GO, probe: this.#probeUntil }
  }

  pause(milliseconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + milliseconds)
    this.#awaitingProbe = true
    this.#probeUntil = 0
  }

  settled(probe: number, answered: boolean): void {
    // A probe that started before a newer pause proves nothing.
    if (probe !== this.#probeUntil) return
    this.#awaitingProbe = !answered
    this.#probeUntil = 0
  }

  get pausedForMs(): number {
    return Math.max(this.#pausedUntil - this.#clock.now(), 0)
  }
}

const GO: Slot = { reason: 'none', waitMs: 0, reserved: false }

function wait(reason: 'budget' | 'pause', waitMs: number): Slot {
  return { reason, waitMs, reserved: false }
}
