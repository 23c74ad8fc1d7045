/** Counts in the memory of this replica; each starts afresh a window after its first request. */
export class LocalCounts {
  readonly #windowMs: number
  readonly #now: () => number
  /** In the order in which they end, since all last equally long. */
  readonly #counts = new Map<string, { spent: number; endsAt: number }>()

  constructor(windowMs: number, now: () => number) {
    this.#windowMs = windowMs
    this.#now = now
  }

  get size(): number {
    return this.#counts.size
  }

  spend(key: string): Count {
    const now = this.#now()
    const count = this.#counts.get(key)
    if (count && now < count.endsAt) {
      count.spent += 1
      return { spent: count.spent, resetMs: count.endsAt - now }
    }
    this.#forgetEnded(now)
    this.#counts.set(key, { spent: 1, endsAt: now + this.#windowMs })
    return { spent: 1, resetMs: this.#windowMs }
  }

  forget(key: string): void {
    this.#counts.delete(key)
  }

  #forgetEnded(now: number): void {
    for (const [key, { endsAt }] of this.#counts) {
      if (now < endsAt) return
      this.#counts.delete(key)
    }
  }
}

export interface Count {
  spent: number
  resetMs: number
}
