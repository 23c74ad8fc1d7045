const LEAVE_ALONE = 5

/** With Redis: after a failure it is left alone for so many times as long as that took, lest a slow one holds up every call. */
export class Patience {
  #askAgainAt = 0

  isOver(): boolean {
    return performance.now() < this.#askAgainAt
  }

  /** @param startedAt when that was asked which has failed now, on the clock of performance.now(). */
  lose(startedAt: number): void {
    const failedAt = performance.now()
    this.#askAgainAt = failedAt + (failedAt - startedAt) * LEAVE_ALONE
  }
}
