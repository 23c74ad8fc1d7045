import { stderr } from 'node:process'

/** One line on standard error that says what is going on: rewritten in a terminal, once per step elsewhere. */
export function progress(text: string): void {
  if (!stderr.isTTY) stderr.write(`${text}\n`)
  else stderr.write(`\r\u001b[K${text.slice(0, stderr.columns - 1)}`)
}

/** Leaves the line to what comes next. */
export function endProgress(): void {
  if (stderr.isTTY) stderr.write('\r\u001b[K')
}

/** Steps of a whole that is known beforehand. */
export class Steps {
  readonly #total: number
  #done = 0

  constructor(total: number) {
    this.#total = total
  }

  next(text: string): void {
    const width = 24
    const filled = Math.round((this.#done / this.#total) * width)
    progress(`[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${this.#done + 1}/${this.#total} ${text}`)
    this.#done += 1
  }
}
