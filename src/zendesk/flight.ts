/**
 * One operation for all who ask while it is under way. It belongs to nobody: a caller who leaves neither ends it nor
 * holds it up, and once it has landed nothing of it is kept.
 */
export class Flight<T> {
  readonly #depart: () => Promise<T>
  readonly #landed: (callers: number) => void
  #underWay: Promise<T> | undefined
  #callers = 0

  /** @param landed is told how many shared a flight that is over. */
  constructor(depart: () => Promise<T>, landed: (callers: number) => void = () => undefined) {
    this.#depart = depart
    this.#landed = landed
  }

  join(): Promise<T> {
    this.#callers += 1
    this.#underWay ??= this.#depart().finally(() => {
      this.#landed(this.#callers)
      this.#underWay = undefined
      this.#callers = 0
    })
    return this.#underWay
  }
}
