import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../problems/problem.js'

/** The one time limit of an operation. Everything done under it waits through it, so that nothing can outlast it. */
export class Deadline {
  readonly signal: AbortSignal
  /** How long it was at the beginning. */
  readonly totalMs: number
  readonly #endsAt: number
  readonly #timer: NodeJS.Timeout

  constructor(milliseconds: number) {
    this.totalMs = milliseconds
    const controller = new AbortController()
    this.signal = controller.signal
    this.#endsAt = performance.now() + milliseconds
    this.#timer = setTimeout(() => {
      controller.abort(new Problem('zendesk-timeout'))
    }, milliseconds)
  }

  remainingMs(): number {
    return Math.max(this.#endsAt - performance.now(), 0)
  }

  /** Throws `zendesk-timeout` when the deadline passes first. */
  async sleep(milliseconds: number): Promise<void> {
    try {
      await delay(milliseconds, undefined, { signal: this.signal })
    } catch {
      throw this.signal.reason
    }
  }

  /** What the promise gives, or `zendesk-timeout` when the deadline passes first; the promise itself goes on. */
  async bound<T>(promise: Promise<T>): Promise<T> {
    let stop: (() => void) | undefined
    const passed = new Promise<never>((_, reject) => {
      stop = () => {
        reject(this.signal.reason as Problem)
      }
      this.signal.addEventListener('abort', stop, { once: true })
      if (this.signal.aborted) stop()
    })
    try {
      return await Promise.race([promise, passed])
    } finally {
      if (stop) this.signal.removeEventListener('abort', stop)
    }
  }

  /** To be called when the operation is over: frees the timer. */
  end(): void {
    clearTimeout(this.#timer)
  }
}
