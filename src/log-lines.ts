import { pino } from 'pino'

/** Octets handed over at once at the most, but for a single line that is longer. */
const CHUNK = 64 * 1024
/** A character of JavaScript's has at most so many octets in UTF-8. */
const WIDEST = 3
/** How long a line may wait for company, in milliseconds. */
const LONGEST_WAIT_MS = 10

export class LogLines {
  #chunk = Buffer.allocUnsafe(CHUNK)
  #used = 0
  readonly #output

  constructor() {
    // Before pino's own listener, which writes what it has.
    process.once('exit', this.#handOver)
    this.#output = pino.destination({ sync: false, contentMode: 'buffer' })
  }

  write(line: string): void {
    if (this.#used + line.length * WIDEST > CHUNK) this.#handOver()
    if (line.length * WIDEST > CHUNK) {
      this.#output.write(Buffer.from(line) as never)
      return
    }
    if (this.#used === 0) setTimeout(this.#handOver, LONGEST_WAIT_MS)
    this.#used += this.#chunk.write(line, this.#used)
  }

  /** pino asks for it after a fatal line. */
  flushSync(): void {
    this.#handOver()
    this.#output.flushSync()
  }

  readonly #handOver = (): void => {
    if (this.#used === 0) return
    this.#output.write(this.#chunk.subarray(0, this.#used) as never)
    this.#chunk = Buffer.allocUnsafe(CHUNK)
    this.#used = 0
  }
}
