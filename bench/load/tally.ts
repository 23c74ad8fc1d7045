import { createHistogram } from 'node:perf_hooks'
import type { Answer, Unanswered } from './callers.js'

/** How requests ended, in bounded memory. */
export class Tally {
  asked = 0
  tokens = 0
  unanswered = 0
  readonly #kinds = new Map<string, number>()
  readonly #microseconds = createHistogram()

  add(outcome: Answer | Unanswered): void {
    this.asked += 1
    if ('unanswered' in outcome) this.unanswered += outcome.unanswered === 'left' ? 0 : 1
    else {
      if (outcome.status === 200) this.tokens += 1
      this.#microseconds.record(Math.max(1, Math.round(outcome.ms * 1000)))
    }
    const kind = kindOf(outcome)
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1)
  }

  /** Of those who were answered. */
  quantileMs(share: number): number {
    return this.#microseconds.percentile(share * 100) / 1000
  }

  /** Such as `200 ×4711, 503 zendesk-unavailable ×3`, the most frequent first. */
  summary(): string {
    const sorted = [...this.#kinds].sort(([, a], [, b]) => b - a)
    return sorted.map(([kind, count]) => `${kind} ×${count}`).join(', ')
  }
}

function kindOf(outcome: Answer | Unanswered): string {
  if ('unanswered' in outcome)
    return outcome.unanswered === 'left' ? 'left' : `UNANSWERED ${outcome.unanswered}`
  const [, code] = /"code":"([a-z-]+)"/.exec(outcome.status === 200 ? '' : outcome.body) ?? []
  return code === undefined ? String(outcome.status) : `${outcome.status} ${code}`
}
