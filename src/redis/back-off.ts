import { setTimeout as delay } from 'node:timers/promises'

const FIRST_MS = 100
const LONGEST_MS = 1_000
/** A connection that lasted this long shows that the failure before it is over. */
const STABLE_MS = 5_000

/** The waits between attempts to connect: twice as long each time, at random so that replicas do not arrive together. */
export class BackOff {
  #failures = 0
  #connectedAt = Infinity

  connected(): void {
    this.#connectedAt = performance.now()
  }

  /** Resolves when the next attempt may start, or when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#connectedAt > STABLE_MS) this.#failures = 0
    this.#connectedAt = Infinity
    const most = Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS)
    this.#failures += 1
    await delay(most * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined)
  }
}
