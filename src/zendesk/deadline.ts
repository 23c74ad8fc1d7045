import { Problem } from '../problems/problem.js'
import { systemClock, type Clock, type Timer } from './clock.js'

/** The one time limit of an operation. Everything done under it waits through it, so that nothing can outlast it. */
export class Deadline {
  /** How long it was at the beginning, in milliseconds. */
  readonly totalMs: number
  readonly #clock: Clock
  readonly #endsAt: number
  readonly #timer: Timer
  readonly #observers = new Set<(problem: Problem) => void>()
  #problem: Problem | undefined
  #controller: AbortController | undefined

  constructor(milliseconds: number, clock: Clock = systemClock) {
    this.totalMs = milliseconds
    this.#clock = clock
    this.#endsAt = clock.now() + milliseconds
    this.#timer = clock.setTimeout(() => {
      this.#pass()
    }, milliseconds)
  }

  remainingMs(): number {
    return Math.max(this.#endsAt - this.#clock.now(), 0)
  }

  get hasPassed(): boolean {
    return this.#problem !== undefined
  }

  /** Throws `zendesk-timeout` once it has passed. */
  check(): void {
    if (this.#problem) throw this.#problem
  }

  /** For libraries that take a signal; made only when asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#problem) this.#controller.abort(this.#problem)
    return this.#controller.signal
  }

  /** Calls back when it passes, unless `forget` comes first. */
  observe(act: (problem: Problem) => void): void {
    if (this.#problem) act(this.#problem)
    else this.#observers.add(act)
  }

  forget(act: (problem: Problem) => void): void {
    this.#observers.delete(act)
  }

  /** Throws `zendesk-timeout` when the deadline passes first. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (problem: Problem) => {
        this.#clock.clearTimeout(timer)
        reject(problem)
      }
      const timer = this.#clock.setTimeout(() => {
        this.forget(stop)
        resolve()
      }, milliseconds)
      this.observe(stop)
    })
  }

  /** What the promise gives, or `zendesk-timeout` when the deadline passes first; the promise itself goes on. */
  bound<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.observe(reject)
      const settle = () => {
        this.forget(reject)
        resolve(promise)
      }
      promise.then(settle, settle)
    })
  }

  /** To be called when the operation is over: frees the timer. */
  end(): void {
    this.#clock.clearTimeout(this.#timer)
  }

  #pass(): void {
    const problem = new Problem('zendesk-timeout')
    this.#problem = problem
    this.#controller?.abort(problem)
    for (const act of this.#observers) act(problem)
    this.#observers.clear()
  }
}
