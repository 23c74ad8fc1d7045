const SECONDS = 60

/** How many of something there were within the last 60 seconds. */
export class LastMinute {
  readonly #now: () => number
  /** One count for each second. */
  readonly #counts = Array.from({ length: SECONDS }, () => 0)
  #second: number

  /** @param now milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#second = this.#currentSecond()
  }

  add(amount = 1): void {
    this.#forgetOld()
    const index = this.#second % SECONDS
    this.#counts[index] = (this.#counts[index] ?? 0) + amount
  }

  get total(): number {
    this.#forgetOld()
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  #forgetOld(): void {
    const second = this.#currentSecond()
    const stale = Math.min(second - this.#second, SECONDS)
    for (let age = 0; age < stale; age++) this.#counts[(second - age) % SECONDS] = 0
    this.#second = second
  }

  #currentSecond(): number {
    return Math.floor(this.#now() / 1000)
  }
}
