import { createHash } from 'node:crypto'
import type { Budget } from '../budget.js'
import { LocalSchedule, LOOK_EVERY_MS, type Schedule } from './schedule.js'
import type { Slot, SlotRequest } from './schedule.js'
import { SCHEDULE_SCRIPT } from './schedule-script.js'
import type { RedisStore } from './redis-store.js'

/** The schedule of all replicas that use the same Redis. Without an answer of Redis this replica goes by its own, which has counted along. */
export class RedisSchedule implements Schedule {
  readonly #store: RedisStore
  readonly #key: string
  readonly #name: string
  readonly #budget: Budget
  readonly #local: LocalSchedule
  /** Whether the pause under way is in Redis: it may have begun while Redis was unreachable. */
  #published = true

  /** @param name of the endpoint: each has its own pauses, all share the budget of the account. */
  constructor(store: RedisStore, origin: string, name: string, budget: Budget) {
    this.#store = store
    this.#key = keyOf(origin)
    this.#name = name
    this.#budget = budget
    this.#local = new LocalSchedule(budget)
  }

  async take(request: SlotRequest): Promise<Slot> {
    if (this.pausedForMs > 0) {
      if (!this.#published) void this.#publishPause()
      return this.#local.take(request)
    }
    const { intervalMs, toleranceMs } = this.#budget.spread
    const { longestWaitMs, remainingMs, reserved } = request
    const dueInMs = this.#budget.dueInMs(performance.now())
    const slot = [longestWaitMs, remainingMs, reserved ? 1 : 0]
    const reply = await this.#run('take', ...slot, intervalMs, toleranceMs, dueInMs)
    return reply ? this.#slot(reply, request) : this.#local.take(request)
  }

  pause(milliseconds: number): void {
    this.#local.pause(milliseconds)
    void this.#publishPause()
  }

  settled(probe: number, answered: boolean): void {
    this.#local.settled(probe, answered)
    void this.#run('settled', probe, answered ? 1 : 0)
  }

  get pausedForMs(): number {
    return this.#local.pausedForMs
  }

  async #publishPause(): Promise<void> {
    this.#published = true
    const reply = await this.#run('pause', this.pausedForMs)
    if (!reply) this.#published = false
  }

  #run(what: string, ...numbers: number[]): Promise<string[] | undefined> {
    return this.#store.ask(SCHEDULE_SCRIPT, this.#key, [what, this.#name, ...numbers])
  }

  #slot([state, milliseconds, more]: string[], request: SlotRequest): Slot {
    const waitMs = Number(milliseconds)
    switch (state) {
      case 'pause':
        // Kept here too, so that it holds if Redis becomes unreachable.
        this.#local.pause(waitMs)
        return { reason: 'pause', waitMs, reserved: false }
      case 'probe':
        return { reason: 'pause', waitMs: Math.min(waitMs, LOOK_EVERY_MS), reserved: false }
      case 'budget':
        if (more === '1') this.#budget.spend(performance.now())
        return { reason: 'budget', waitMs, reserved: more === '1' }
      default:
        if (!request.reserved) this.#budget.spend(performance.now())
        return { reason: 'none', waitMs: 0, reserved: false, ...(more && { probe: Number(more) }) }
    }
  }
}

/** Replicas that ask the same Zendesk share. */
function keyOf(origin: string): string {
  const digest = createHash('sha256').update(origin).digest('hex').slice(0, 16)
  return `zendesk-session-proxy:${digest}:pace`
}
