import { Problem } from '../../problems/problem.js'
import { systemClock, type Clock } from '../clock.js'
import type { Call, Send, Step, Verdict } from '../operation.js'

const FAILURES_TO_OPEN = 5
const OPEN_MS = 2_000

/**
 * Stops calls while Zendesk keeps failing: after five failures in a row none is made for two seconds, then one probe at a
 * time until one succeeds. (Nygard's circuit breaker; ours because callers are told how long it stays open.)
 */
export class CircuitBreaker implements Step {
  readonly #clock: Pick<Clock, 'now'>
  readonly #observe: (state: 'open' | 'closed') => void
  #failures = 0
  #opensUntil = 0
  #isProbing = false

  /** @param observe is told when it opens and when it closes again. */
  constructor(
    observe: (state: 'open' | 'closed') => void = () => undefined,
    clock: Pick<Clock, 'now'> = systemClock,
  ) {
    this.#observe = observe
    this.#clock = clock
  }

  get state(): BreakerState {
    if (this.#failures < FAILURES_TO_OPEN) return 'closed'
    return this.#isProbing || this.#clock.now() >= this.#opensUntil ? 'half-open' : 'open'
  }

  /** Why no call may be made now: it is open, or the one probe is under way. */
  refusal(): Problem | undefined {
    const { state } = this
    if (state === 'closed' || (state === 'half-open' && !this.#isProbing)) return undefined
    const seconds = Math.ceil((this.#opensUntil - this.#clock.now()) / 1000)
    return new Problem('zendesk-unavailable', { retryAfter: Math.max(seconds, 1), waitsFor: 'breaker' })
  }

  async run<T>(call: Call<T>, next: Send): Promise<Verdict<T>> {
    const refusal = this.refusal()
    if (refusal) return refusal
    this.#isProbing = this.state === 'half-open'
    try {
      const verdict = await next(call)
      if (isFailure(verdict)) this.#failed()
      else if (wasMade(verdict)) this.#succeeded()
      return verdict
    } finally {
      this.#isProbing = false
    }
  }

  #failed(): void {
    this.#failures += 1
    this.#opensUntil = this.#clock.now() + OPEN_MS
    if (this.#failures === FAILURES_TO_OPEN) this.#observe('open')
  }

  #succeeded(): void {
    if (this.#failures >= FAILURES_TO_OPEN) this.#observe('closed')
    this.#failures = 0
  }
}

export type BreakerState = 'closed' | 'open' | 'half-open'

/** Timeouts, connection failures and 5xx; an answer that refuses us shows that Zendesk is alive. */
function isFailure(verdict: unknown): boolean {
  return verdict instanceof Problem && verdict.isOutage
}

/** A call that was not made proves nothing. */
function wasMade(verdict: unknown): boolean {
  return !(verdict instanceof Problem && verdict.waitsFor)
}
