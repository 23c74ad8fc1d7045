import { pino } from 'pino'

/** Octets handed over at once: what a pipe takes in one piece (pipe(7)), so that the last chunk is whole at an exit. */
const CHUNK = 64 * 1024
/** A UTF-16 unit of a line becomes so many octets of UTF-8 at the most. */
const WIDEST = 3
/** How long a line may wait for company, in milliseconds. */
const LONGEST_WAIT_MS = 10

/**
 * Standard output for a log. Lines that come close together go out together, and whoever reads slowly holds nobody up. (Line
 * by line, pino's destination measures all that is waiting again for each line: a quarter of the work of a busy service.
 * Kept as text, lines are some forty pieces each, which the garbage collector would copy again and again.)
 */
export class LogLines {
  #chunk: Buffer = Buffer.allocUnsafe(CHUNK)
  #used = 0
  /** The chunk that was handed over last, until all is written. */
  #sent: Buffer | undefined
  /** A chunk that was written, to be filled again. */
  #spare: Buffer | undefined
  #isIdle = true
  readonly #timer: NodeJS.Timeout
  readonly #output

  constructor() {
    // Before pino's own listener, which writes what it has.
    process.once('exit', this.#handOver)
    this.#output = pino.destination({ sync: false, contentMode: 'buffer' })
    this.#output.on('drain', () => {
      this.#isIdle = true
      this.#spare = this.#sent ?? this.#spare
      this.#sent = undefined
    })
    this.#timer = setTimeout(this.#handOver, LONGEST_WAIT_MS)
  }

  write(line: string): void {
    const octets = line.length * WIDEST
    if (this.#used + octets > CHUNK) this.#handOver()
    if (octets > CHUNK) {
      this.#send(Buffer.from(line))
      return
    }
    if (this.#used === 0) this.#timer.refresh()
    this.#used += this.#chunk.write(line, this.#used)
  }

  /** Calls back when everything written so far is out. (pino's `flush`.) */
  flush(done: () => void): void {
    this.#handOver()
    if (this.#isIdle) done()
    else this.#output.once('drain', done)
  }

  /** pino asks for it after a fatal line. */
  flushSync(): void {
    this.#handOver()
    this.#output.flushSync()
  }

  readonly #handOver = (): void => {
    if (this.#used === 0) return
    const bytes = this.#chunk.subarray(0, this.#used)
    this.#sent = this.#chunk
    this.#chunk = this.#spare ?? Buffer.allocUnsafe(CHUNK)
    this.#spare = undefined
    this.#used = 0
    this.#send(bytes)
  }

  #send(bytes: Buffer): void {
    this.#isIdle = false
    // Its type knows texts only, although it was asked to take bytes.
    this.#output.write(bytes as unknown as string)
  }
}
