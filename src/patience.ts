const LEAVE_ALONE = 5

/** With Redis: after a failure it is left alone for so many times as long as that took, lest a slow one holds up every call. */
export class Patience {
  static readonly #all = new WeakMap<object, Patience>()
  #askAgainAt = 0

  /** The one patience of all who use this client. */
  static with(redis: object): Patience {
    const patience = Patience.#all.get(redis) ?? new Patience()
    Patience.#all.set(redis, patience)
    return patience
  }

  isOver(): boolean {
    return performance.now() < this.#askAgainAt
  }

  /** @param startedAt when that was asked which has failed now, on the clock of performance.now(). */
  lose(startedAt: number): void {
    const failedAt = performance.now()
    this.#askAgainAt = failedAt + (failedAt - startedAt) * LEAVE_ALONE
  }
}
