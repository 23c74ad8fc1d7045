import { quantile } from '../spread.js'

/** How requests ended. */
export class Tally {
  readonly #codes = new Map<string, number>()
  readonly #answeredMs: number[] = []

  add({ code, status = 0, ms = 0 }: { code: string; status?: number; ms?: number }): void {
    if (status > 0) this.#answeredMs.push(ms)
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1)
  }

  get tokens(): number {
    return this.#codes.get('token') ?? 0
  }

  get all(): number {
    return [...this.#codes.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Of those who were answered. */
  quantileMs(share: number): number {
    return quantile(this.#answeredMs, share)
  }

  /** Such as `token ×4711, zendesk-unavailable ×3`, the most frequent first. */
  summary(): string {
    const sorted = [...this.#codes].sort(([, a], [, b]) => b - a)
    return sorted.map(([code, count]) => `${code} ×${count}`).join(', ')
  }
}
