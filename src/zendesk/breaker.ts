import { Problem } from '../problems/problem.js'

const FAILURES_TO_OPEN = 5
const OPEN_MS = 2_000

/**
 * Leaves Zendesk alone while it keeps failing: after five failures in a row nothing passes for two seconds, then one
 * trial at a time, until one succeeds. (Nygard's circuit breaker; ours because it must tell the wait that is left.)
 */
export class Breaker {
  readonly #observe: (state: 'open' | 'closed') => void
  #failures = 0
  #opensUntil = 0
  #trial = false

  /** @param observe is told when it begins to keep calls away, and when it lets them pass again. */
  constructor(observe: (state: 'open' | 'closed') => void = () => undefined) {
    this.#observe = observe
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#failures < FAILURES_TO_OPEN) return 'closed'
    return this.#trial || performance.now() >= this.#opensUntil ? 'half-open' : 'open'
  }

  /** Throws `zendesk-unavailable` with the wait while open, and while somebody else's trial is under way. */
  admit(): void {
    if (this.state === 'closed') return
    if (this.state === 'open' || this.#trial) {
      throw new Problem('zendesk-unavailable', { retryAfter: this.#retryAfter() })
    }
  }

  /** Runs one call; its verdict decides whether it counts as a failure. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.#trial = this.state === 'half-open'
    try {
      const verdict = await call()
      if (isFailure(verdict)) this.#failed()
      else if (wasAsked(verdict)) this.#succeeded()
      return verdict
    } finally {
      this.#trial = false
    }
  }

  #failed(): void {
    this.#failures += 1
    this.#opensUntil = performance.now() + OPEN_MS
    if (this.#failures === FAILURES_TO_OPEN) this.#observe('open')
  }

  #succeeded(): void {
    if (this.#failures >= FAILURES_TO_OPEN) this.#observe('closed')
    this.#failures = 0
  }

  #retryAfter(): number {
    return Math.max(Math.ceil((this.#opensUntil - performance.now()) / 1000), 1)
  }
}

/** Timeouts, connection failures and 5xx; an answer that refuses us shows that Zendesk is alive. */
function isFailure(verdict: unknown): boolean {
  return verdict instanceof Problem && verdict.isOutage
}

/** A call that was not made proves nothing. */
function wasAsked(verdict: unknown): boolean {
  return !(verdict instanceof Problem && verdict.waitsFor)
}
