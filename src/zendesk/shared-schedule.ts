import { createHash } from 'node:crypto'
import { LocalSchedule, LOOK_EVERY_MS, type Schedule, type Spread } from './schedule.js'
import type { Turn, TurnRequest } from './schedule.js'
import { SCHEDULE_SCRIPT } from './schedule-script.js'
import type { SharedStore } from './shared-store.js'

/**
 * The schedule of all replicas that use the same Redis. While Redis is away or slow this replica goes by its own, which
 * has counted along; nothing fails for it.
 */
export class SharedSchedule implements Schedule {
  readonly #store: SharedStore
  readonly #key: string
  readonly #spread: Spread
  readonly #local: LocalSchedule

  /** @param name of what is scheduled; each has a key of its own. */
  constructor(store: SharedStore, origin: string, name: string, spread: Spread) {
    this.#store = store
    this.#key = keyOf(origin, name)
    this.#spread = spread
    this.#local = new LocalSchedule(spread)
  }

  async take(request: TurnRequest): Promise<Turn> {
    if (this.pausedForSeconds > 0) return this.#local.take(request)
    const { intervalMs, toleranceMs } = this.#spread
    const { remainingMs, reserved } = request
    const values = ['take', remainingMs, reserved ? 1 : 0, intervalMs, toleranceMs, this.#local.dueInMs]
    const reply = await this.#store.ask(SCHEDULE_SCRIPT, this.#key, values)
    return reply ? this.#turn(reply, request) : this.#local.take(request)
  }

  pause(seconds: number): void {
    this.#local.pause(seconds)
    this.#store.tell(SCHEDULE_SCRIPT, this.#key, ['pause', seconds * 1000])
  }

  landed(scout: number, answered: boolean): void {
    this.#local.landed(scout, answered)
    this.#store.tell(SCHEDULE_SCRIPT, this.#key, ['landed', scout, answered ? 1 : 0])
  }

  get pausedForSeconds(): number {
    return this.#local.pausedForSeconds
  }

  #turn([state, milliseconds, more]: string[], request: TurnRequest): Turn {
    const waitMs = Number(milliseconds)
    switch (state) {
      case 'pause':
        // Known here too from now on, so that it holds though Redis may go away.
        this.#local.pause(waitMs / 1000)
        return { reason: 'pause', waitMs, reserved: false }
      case 'scout':
        return { reason: 'pause', waitMs: Math.min(waitMs, LOOK_EVERY_MS), reserved: false }
      case 'budget':
        if (more === '1') this.#local.count()
        return { reason: 'budget', waitMs, reserved: more === '1' }
      default:
        if (!request.reserved) this.#local.count()
        return { reason: 'none', waitMs: 0, reserved: false, ...(more && { scout: Number(more) }) }
    }
  }
}

/** Replicas that ask the same Zendesk share; the braces keep its keys in one slot of a cluster. */
function keyOf(origin: string, name: string): string {
  const digest = createHash('sha256').update(origin).digest('hex').slice(0, 16)
  return `zendesk-session-proxy:{${digest}}:${name}`
}
