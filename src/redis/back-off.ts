const SKIP_FACTOR = 5

/** After a failure, skip Redis for five times as long as that took: a slow one must not hold up every call. */
export class BackOff {
  static readonly #all = new WeakMap<object, BackOff>()
  #resumesAt = 0

  /** Shared by everything that uses this client. */
  static of(redis: object): BackOff {
    const backOff = BackOff.#all.get(redis) ?? new BackOff()
    BackOff.#all.set(redis, backOff)
    return backOff
  }

  get active(): boolean {
    return performance.now() < this.#resumesAt
  }

  /** @param startedAt when the failed command was sent, on the clock of performance.now(). */
  failed(startedAt: number): void {
    const failedAt = performance.now()
    this.#resumesAt = failedAt + (failedAt - startedAt) * SKIP_FACTOR
  }
}
