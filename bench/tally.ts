import { createHistogram } from 'node:perf_hooks'
import type { Answer, Lost } from './callers.js'

/** What became of callers, in bounded memory. */
export class Tally {
  asked = 0
  tokens = 0
  lost = 0
  /** The slowest answer, less what our own event loop was late. */
  worstMs = 0
  readonly #kinds = new Map<string, number>()
  readonly #microseconds = createHistogram()

  /** Gives the outcome back, to be judged. */
  add<T extends Answer | Lost>(outcome: T): T {
    this.asked += 1
    if ('lost' in outcome) this.lost += outcome.lost === 'left' ? 0 : 1
    else {
      if (outcome.status === 200) this.tokens += 1
      this.worstMs = Math.max(this.worstMs, outcome.tookMs - outcome.lagMs)
      this.#microseconds.record(Math.max(1, Math.round(outcome.tookMs * 1000)))
    }
    const kind = kindOf(outcome)
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1)
    return outcome
  }

  /** Of those who got an answer. */
  quantileMs(share: number): number {
    return this.#microseconds.percentile(share * 100) / 1000
  }

  /** Like `200 ×4711, 503 zendesk-unavailable ×3`, the most frequent first. */
  summary(): string {
    const sorted = [...this.#kinds].sort(([, a], [, b]) => b - a)
    return sorted.map(([kind, count]) => `${kind} ×${count}`).join(', ')
  }
}

function kindOf(outcome: Answer | Lost): string {
  if ('lost' in outcome) return outcome.lost === 'left' ? 'left' : `LOST ${outcome.lost}`
  const [, code] = /"code":"([a-z-]+)"/.exec(outcome.status === 200 ? '' : outcome.body) ?? []
  return code === undefined ? String(outcome.status) : `${outcome.status} ${code}`
}
