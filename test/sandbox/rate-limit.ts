const WINDOW_MS = 60_000

export interface Quota {
  limit: number
  remaining: number
  /** Whole seconds until the window ends, at least one. */
  resetSeconds: number
}

/** The account's requests a minute, all integrations together, in windows that start with their first request. */
export class AccountLimit {
  readonly #limit: number
  #used = 0
  #endsAt = 0

  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 0)
      throw new RangeError('the limit is a whole number, zero or more')
    this.#limit = limit
  }

  /** Counts one request; false if it is one too many. */
  take(): boolean {
    if (Date.now() >= this.#endsAt) {
      this.#endsAt = Date.now() + WINDOW_MS
      this.#used = 0
    }
    this.#used += 1
    return this.#used <= this.#limit
  }

  quota(): Quota {
    const left = this.#endsAt - Date.now()
    return {
      limit: this.#limit,
      remaining: left > 0 ? Math.max(0, this.#limit - this.#used) : this.#limit,
      resetSeconds: left > 0 ? Math.ceil(left / 1000) : WINDOW_MS / 1000,
    }
  }
}
