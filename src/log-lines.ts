import { pino } from 'pino'

/**
 * Standard output for a log. Lines that come in one turn of the event loop go out together, and whoever reads slowly holds
 * nobody up. (Line by line, pino's destination measures all that is waiting again for each line: a quarter of the work of a
 * busy service.)
 */
export class LogLines {
  #waiting = ''
  readonly #output

  constructor() {
    // Before pino's own listener, which writes what it has.
    process.once('exit', this.#handOver)
    this.#output = pino.destination({ sync: false })
  }

  write(line: string): void {
    if (this.#waiting === '') setImmediate(this.#handOver)
    this.#waiting += line
  }

  /** pino asks for it after a fatal line. */
  flushSync(): void {
    this.#handOver()
    this.#output.flushSync()
  }

  readonly #handOver = (): void => {
    if (this.#waiting !== '') this.#output.write(this.#waiting)
    this.#waiting = ''
  }
}
