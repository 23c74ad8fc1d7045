import type { RedisClient } from '../../redis/client.js'
import { systemClock, type Clock } from '../clock.js'
import type { Budget } from './budget.js'
import { LocalSchedule, LOOK_EVERY_MS, type Schedule, type Slot, type SlotRequest } from './schedule.js'
import { SCHEDULE_SCRIPT } from './schedule-script.js'

/** Steps of the clock of Redis below this are those of servers that take over from each other. */
const CLOCK_STEP_MS = 1_000

/** The schedule of all replicas that use the same Redis. Without an answer of Redis this replica goes by its own, which has counted along. */
export class RedisSchedule implements Schedule {
  readonly #redis: RedisClient
  readonly #endpoint: string
  readonly #budget: Budget
  readonly #observe: (finding: ScheduleFinding) => void
  readonly #local: LocalSchedule
  readonly #clock: Pick<Clock, 'now'>
  /** Whether the pause under way is in Redis: it may have begun while Redis was unreachable. */
  #published = true

  /** @param endpoint each has its own pauses; all share the budget of the account. */
  constructor(
    redis: RedisClient,
    endpoint: string,
    budget: Budget,
    observe: (finding: ScheduleFinding) => void = () => undefined,
    clock: Pick<Clock, 'now'> = systemClock,
  ) {
    this.#redis = redis
    this.#endpoint = endpoint
    this.#budget = budget
    this.#observe = observe
    this.#clock = clock
    this.#local = new LocalSchedule(budget, clock)
  }

  async take(request: SlotRequest): Promise<Slot> {
    if (this.pausedForMs > 0) {
      if (!this.#published) void this.#publishPause()
      return this.#local.take(request)
    }
    const { perMinute, spread, account } = this.#budget
    const gap = account.gap()
    const { longestWaitMs, remainingMs, reserved } = request
    const dueInMs = this.#budget.dueInMs(this.#clock.now())
    const wanted = [longestWaitMs, remainingMs, reserved ? 1 : 0]
    const reply = await this.#run(
      'take',
      ...wanted,
      spread.intervalMs,
      spread.toleranceMs,
      dueInMs,
      perMinute,
      gap.ms,
      gap.validMs,
      gap.ageMs ?? -1,
    )
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

  async #run(operation: string, ...numbers: number[]): Promise<string[] | undefined> {
    const reply = await this.#redis.run(SCHEDULE_SCRIPT, 'pace', [operation, this.#endpoint, ...numbers])
    return Array.isArray(reply) ? reply.map(String) : undefined
  }

  #slot([state, milliseconds, more, clockBackMs, othersBudget]: string[], request: SlotRequest): Slot {
    this.#report(Number(clockBackMs), othersBudget ?? '')
    const waitMs = Number(milliseconds)
    switch (state) {
      case 'pause':
        // Kept here too, so that it holds if Redis becomes unreachable.
        this.#local.pause(waitMs)
        return { reason: 'pause', waitMs, reserved: false }
      case 'probe':
        return { reason: 'pause', waitMs: Math.min(waitMs, LOOK_EVERY_MS), reserved: false }
      case 'budget':
        if (more === '1') this.#budget.spend(this.#clock.now(), waitMs)
        return { reason: 'budget', waitMs, reserved: more === '1' }
      default:
        if (!request.reserved) this.#budget.spend(this.#clock.now())
        return { reason: 'none', waitMs: 0, reserved: false, ...(more && { probe: Number(more) }) }
    }
  }

  #report(clockBackMs: number, othersBudget: string): void {
    if (clockBackMs >= CLOCK_STEP_MS)
      this.#observe({ kind: 'clock-set-back', seconds: Math.round(clockBackMs / 1000) })
    if (othersBudget !== '' && Number(othersBudget) !== this.#budget.perMinute)
      this.#observe({ kind: 'other-budget', perMinute: Number(othersBudget) })
  }
}

/** What the operator should know about the Redis that is shared. */
export type ScheduleFinding =
  | { kind: 'clock-set-back'; seconds: number }
  /** Another service on this Redis reserved the last slot with a budget that differs from ours. */
  | { kind: 'other-budget'; perMinute: number }
