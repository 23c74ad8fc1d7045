/**
 * One run of an operation for all who ask while it is under way. It belongs to no caller: one who leaves neither ends nor
 * delays it, and nothing is kept once it has settled.
 */
export class SingleFlight<T> {
  readonly #start: () => Promise<T>
  readonly #settled: (callers: number) => void
  #underWay: Promise<T> | undefined
  #callers = 0

  /** @param settled is told how many shared a flight that is over. */
  constructor(start: () => Promise<T>, settled: (callers: number) => void = () => undefined) {
    this.#start = start
    this.#settled = settled
  }

  join(): Promise<T> {
    this.#callers += 1
    this.#underWay ??= this.#start().finally(() => {
      this.#settled(this.#callers)
      this.#underWay = undefined
      this.#callers = 0
    })
    return this.#underWay
  }
}
