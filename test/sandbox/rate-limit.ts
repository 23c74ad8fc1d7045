const WINDOW_MS = 60_000

export interface Quota {
  limit: number
  remaining: number
  /** Whole seconds until the window ends, at least one. */
  resetSeconds: number
}

/** The account's requests a minute, all integrations together, in windows that start with their first request. */
export class AccountLimit {
  /** Of the other integration: its requests, and those of them that were refused. */
  readonly other = { requests: 0, refused: 0 }
  readonly #limit: number
  readonly #otherEveryMs: number
  readonly #now: () => number
  #otherNextAt: number
  #used = 0
  #endsAt = -Infinity

  /** @param otherPerMinute requests of another integration, spread evenly. */
  constructor(limit: number, otherPerMinute = 0, now = () => Date.now()) {
    for (const number of [limit, otherPerMinute])
      if (!Number.isInteger(number) || number < 0)
        throw new RangeError('limits and rates are whole numbers, zero or more')
    this.#limit = limit
    this.#otherEveryMs = WINDOW_MS / otherPerMinute
    this.#otherNextAt = now()
    this.#now = now
  }

  /** Counts one request; false if it is one too many. */
  take(): boolean {
    this.#countOther()
    return this.#count(this.#now())
  }

  quota(): Quota {
    this.#countOther()
    const left = this.#endsAt - this.#now()
    return {
      limit: this.#limit,
      remaining: left > 0 ? Math.max(0, this.#limit - this.#used) : this.#limit,
      resetSeconds: left > 0 ? Math.ceil(left / 1000) : WINDOW_MS / 1000,
    }
  }

  #count(at: number): boolean {
    if (at >= this.#endsAt) {
      this.#endsAt = at + WINDOW_MS
      this.#used = 0
    }
    this.#used += 1
    return this.#used <= this.#limit
  }

  /** The requests of the other integration that have been due since the last look. */
  #countOther(): void {
    if (this.#otherEveryMs === Infinity) return
    for (; this.#otherNextAt <= this.#now(); this.#otherNextAt += this.#otherEveryMs) {
      this.other.requests += 1
      if (!this.#count(this.#otherNextAt)) this.other.refused += 1
    }
  }
}
