import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../src/zendesk/clock.js'

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #now = 0
  #timers = new Map<number, { at: number; act: () => void }>()
  #count = 0

  now(): number {
    return this.#now
  }

  setTimeout(act: () => void, milliseconds: number): number {
    this.#timers.set((this.#count += 1), { at: this.#now + milliseconds, act })
    return this.#count
  }

  clearTimeout(timer: NodeJS.Timeout | number | undefined): void {
    if (typeof timer === 'number') this.#timers.delete(timer)
  }

  /** Lets this long pass: timers run when they are due, and what they cause runs before the next. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds
    await settle()
    for (let next = this.#next(); next && next.at <= until; next = this.#next()) await this.#run(next)
    this.#now = Math.max(this.#now, until)
    await settle()
  }

  /** Lets time pass, from timer to timer, until the promise has settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    const pending = new Set([promise])
    const done = () => pending.delete(promise)
    promise.then(done, done)
    await settle()
    while (pending.size > 0) {
      const next = this.#next()
      if (!next) throw new Error('nothing is left that could settle it')
      await this.#run(next)
    }
    return promise
  }

  #next() {
    const [first] = [...this.#timers].sort(([a, one], [b, other]) => one.at - other.at || a - b)
    return first && { id: first[0], ...first[1] }
  }

  async #run({ id, at, act }: { id: number; at: number; act: () => void }): Promise<void> {
    this.#timers.delete(id)
    this.#now = Math.max(this.#now, at)
    act()
    await settle()
  }
}

/** Long enough for every promise that can settle without time to do so. */
async function settle(): Promise<void> {
  await turn()
}
