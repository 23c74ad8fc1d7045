import type { Answer, Lost } from './callers.js'
import { brokenPromise, type Owed } from './owed.js'
import { Tally } from './tally.js'
import type { Check } from './verdict.js'

const EXAMPLES = 5

/** All outcomes of a run, and those callers who did not get what they are owed. */
export class Grievances {
  readonly tally = new Tally()
  readonly #reasons = new Map<string, number>()
  readonly #withinMs: number
  #broken = 0

  constructor(withinMs: number) {
    this.#withinMs = withinMs
  }

  hear(outcome: Answer | Lost, owed: Owed): void {
    const reason = brokenPromise(this.tally.add(outcome), owed)
    if (reason === undefined) return
    this.#broken += 1
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
  }

  /** That all went well although much did not. */
  checks(): Check[] {
    const { asked, tokens, lost, worstMs } = this.tally
    const examples = [...this.#reasons].slice(0, EXAMPLES).map(([reason, count]) => `${reason} ×${count}`)
    return [
      {
        expected: `every caller gets a token or a true problem within ${this.#withinMs} ms`,
        found:
          this.#broken === 0
            ? `${asked} did, the slowest after ${worstMs.toFixed(0)} ms`
            : examples.join('; '),
        kept: this.#broken === 0,
      },
      { expected: 'no caller is lost', found: `${lost} of ${asked}`, kept: lost === 0 },
      { expected: 'some callers get a token', found: this.tally.summary(), kept: tokens > 0 },
    ]
  }

  /** That every single caller got a token. */
  flawlessCheck(when: string): Check {
    const { asked, tokens } = this.tally
    return {
      expected: `${when}, every caller gets a token`,
      found: this.tally.summary(),
      kept: tokens === asked,
    }
  }
}
