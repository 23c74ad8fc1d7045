import { setTimeout as delay } from 'node:timers/promises'

export interface LoadOptions {
  perSecond: number
  seconds: number
  /** Ends the load early. */
  signal?: AbortSignal
  onSecond?: (second: number) => void
}

const TICK_MS = 5

/**
 * Callers who come at a steady rate whether or not those before them have been served, as real ones do. Resolves
 * when the last has been; `ask` must not reject.
 */
export async function steadyLoad(options: LoadOptions, ask: (index: number) => Promise<void>): Promise<void> {
  const { perSecond, seconds, signal, onSecond } = options
  const asking = new Set<Promise<void>>()
  const startedAt = performance.now()
  const total = Math.round(perSecond * seconds)
  let second = 0
  for (let asked = 0; asked < total && !signal?.aborted;) {
    const elapsed = (performance.now() - startedAt) / 1000
    for (const due = Math.min(total, Math.floor(elapsed * perSecond) + 1); asked < due; asked++) {
      const one = ask(asked).finally(() => asking.delete(one))
      asking.add(one)
    }
    if (elapsed >= second + 1) onSecond?.((second = Math.floor(elapsed)))
    await delay(TICK_MS)
  }
  await Promise.all(asking)
}
