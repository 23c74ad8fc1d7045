import { createHash } from 'node:crypto'
import type { Budget } from './budget.js'
import { LocalSchedule, LOOK_EVERY_MS, type Schedule } from './schedule.js'
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
  readonly #name: string
  readonly #budget: Budget
  readonly #local: LocalSchedule
  /** Whether the others know of the pause under way: it may have begun while Redis was away. */
  #told = true

  /** @param name of what is scheduled: pauses are its own, the budget is that of the account. */
  constructor(store: SharedStore, origin: string, name: string, budget: Budget) {
    this.#store = store
    this.#key = keyOf(origin)
    this.#name = name
    this.#budget = budget
    this.#local = new LocalSchedule(budget)
  }

  async take(request: TurnRequest): Promise<Turn> {
    if (this.pausedForMs > 0) {
      if (!this.#told) void this.#tellPause()
      return this.#local.take(request)
    }
    const { intervalMs, toleranceMs } = this.#budget.spread
    const { patienceMs, remainingMs, reserved } = request
    const dueInMs = this.#budget.dueInMs(performance.now())
    const turn = [patienceMs, remainingMs, reserved ? 1 : 0]
    const reply = await this.#run('take', ...turn, intervalMs, toleranceMs, dueInMs)
    return reply ? this.#turn(reply, request) : this.#local.take(request)
  }

  pause(milliseconds: number): void {
    this.#local.pause(milliseconds)
    void this.#tellPause()
  }

  landed(scout: number, answered: boolean): void {
    this.#local.landed(scout, answered)
    void this.#run('landed', scout, answered ? 1 : 0)
  }

  get pausedForMs(): number {
    return this.#local.pausedForMs
  }

  async #tellPause(): Promise<void> {
    this.#told = true
    const reply = await this.#run('pause', this.pausedForMs)
    if (!reply) this.#told = false
  }

  #run(what: string, ...numbers: number[]): Promise<string[] | undefined> {
    return this.#store.ask(SCHEDULE_SCRIPT, this.#key, [what, this.#name, ...numbers])
  }

  #turn([state, milliseconds, more]: string[], request: TurnRequest): Turn {
    const waitMs = Number(milliseconds)
    switch (state) {
      case 'pause':
        // Known here too from now on, so that it holds though Redis may go away.
        this.#local.pause(waitMs)
        return { reason: 'pause', waitMs, reserved: false }
      case 'scout':
        return { reason: 'pause', waitMs: Math.min(waitMs, LOOK_EVERY_MS), reserved: false }
      case 'budget':
        if (more === '1') this.#budget.spend(performance.now())
        return { reason: 'budget', waitMs, reserved: more === '1' }
      default:
        if (!request.reserved) this.#budget.spend(performance.now())
        return { reason: 'none', waitMs: 0, reserved: false, ...(more && { scout: Number(more) }) }
    }
  }
}

/** Replicas that ask the same Zendesk share. */
function keyOf(origin: string): string {
  const digest = createHash('sha256').update(origin).digest('hex').slice(0, 16)
  return `zendesk-session-proxy:${digest}:pace`
}
