/**
 * One operation for all who ask while it is under way. It belongs to nobody: a caller who leaves neither ends it nor
 * holds it up, and once it has landed nothing of it is kept.
 */
export class Flight<T> {
  readonly #depart: () => Promise<T>
  #underWay: Promise<T> | undefined

  constructor(depart: () => Promise<T>) {
    this.#depart = depart
  }

  join(): Promise<T> {
    this.#underWay ??= this.#depart().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }
}
