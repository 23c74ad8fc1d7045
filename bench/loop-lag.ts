const EVERY_MS = 10

/** How late our own event loop has been in all, in milliseconds; a promise of so many milliseconds is judged without it. */
export class LoopLag {
  totalMs = 0
  worstMs = 0
  readonly #timer: NodeJS.Timeout
  #expectedAt = performance.now() + EVERY_MS

  constructor() {
    this.#timer = setInterval(() => {
      // Timers are a millisecond or two late by nature.
      const late = Math.max(0, performance.now() - this.#expectedAt - 2)
      this.totalMs += late
      this.worstMs = Math.max(this.worstMs, late)
      this.#expectedAt = performance.now() + EVERY_MS
    }, EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
