import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { errorCode } from './error-place.js'

/** Octets written at once. */
const CHUNK = 64 * 1024
/** A UTF-16 code unit becomes at most this many bytes of UTF-8. */
const WIDEST = 3
/** How long a line may wait for others to be written together with it, in milliseconds. */
const LONGEST_WAIT_MS = 10
/** Octets that may wait for a destination that takes nothing. Further lines are dropped. */
const LONGEST_QUEUE = 4 * 1024 * 1024
/** When to try again after the destination took nothing, in milliseconds. */
const RETRY_MS = 50

/**
 * A log destination that can fail without harm. Where the disk is full, the reader is gone or does not read, a bounded
 * amount waits, further lines are dropped and counted, nothing blocks, and no error leaves this class. (sonic-boom retries
 * a full disk for ever in a blocking loop, and grows without bound behind a stalled reader.)
 *
 * Lines that come close together are written together, as bytes: kept as text, the garbage collector would copy them.
 */
export class LineBuffer {
  /** Lines that were dropped so far. */
  dropped = 0
  readonly #descriptor: number
  readonly #observer: LossObserver
  #chunk: Buffer = Buffer.allocUnsafe(CHUNK)
  #used = 0
  /** Full chunks; the first one is written next. */
  readonly #queue: Buffer[] = []
  #queued = 0
  #isWriting = false
  /** Lines dropped since the destination last took everything. */
  #lost = 0
  #failure: string | undefined
  /** Whether the observer knows that the destination fails. */
  #isTold = false
  #waiting: (() => void)[] = []
  readonly #timer: NodeJS.Timeout

  constructor(observer: LossObserver, descriptor = nonBlocking(1)) {
    this.#observer = observer
    this.#descriptor = descriptor
    this.#timer = setTimeout(this.#handOver, LONGEST_WAIT_MS).unref()
    process.once('exit', this.#writeRest)
  }

  write(line: string): void {
    const octets = line.length * WIDEST
    if (this.#used + octets > CHUNK) this.#handOver()
    if (this.#queued + this.#used + octets > LONGEST_QUEUE) {
      this.#drop()
    } else if (octets > CHUNK) {
      this.#enqueue(Buffer.from(line))
    } else {
      if (this.#used === 0) this.#timer.refresh()
      this.#used += this.#chunk.write(line, this.#used)
    }
  }

  /** Calls back when all lines so far are written, or cannot be. (pino's `flush`.) */
  flush(done: () => void): void {
    this.#handOver()
    if (this.#queue.length === 0) done()
    else this.#waiting.push(done)
  }

  /** pino calls it after a fatal line. It does not block; what waits is written at the exit. */
  flushSync(): void {
    this.#handOver()
  }

  readonly #handOver = (): void => {
    if (this.#used === 0) return
    const bytes = this.#chunk.subarray(0, this.#used)
    this.#chunk = Buffer.allocUnsafe(CHUNK)
    this.#used = 0
    this.#enqueue(bytes)
  }

  #enqueue(bytes: Buffer): void {
    this.#queued += bytes.length
    if (this.#queue.push(bytes) === 1) this.#writeNext()
  }

  readonly #writeNext = (): void => {
    const [bytes] = this.#queue
    this.#isWriting = bytes !== undefined
    if (bytes) write(this.#descriptor, bytes, this.#written)
    else this.#allWritten()
  }

  readonly #written = (error: NodeJS.ErrnoException | null, octets: number): void => {
    this.#isWriting = false
    if (error) {
      this.#failed(error.code)
      return
    }
    this.#queued -= octets
    const [bytes] = this.#queue
    // The rest of a chunk that was written in part stays, so that no line is torn.
    if (bytes && octets < bytes.length) this.#queue[0] = bytes.subarray(octets)
    else this.#queue.shift()
    this.#writeNext()
  }

  /** EAGAIN: the reader is slow. It may still catch up, so nothing is lost yet. */
  #failed(code: string | undefined): void {
    if (code !== 'EAGAIN') {
      this.#failure ??= code
      this.#tell()
      this.#release()
    }
    // It keeps the process alive while lines wait; the service itself ends by process.exit, within its limits.
    setTimeout(this.#writeNext, RETRY_MS)
  }

  #drop(): void {
    this.dropped += 1
    this.#lost += 1
    this.#tell()
  }

  /** Once, until the destination takes everything again. */
  #tell(): void {
    if (!this.#isTold) this.#observer.failing(this.#failure ?? 'EAGAIN')
    this.#isTold = true
  }

  #allWritten(): void {
    const lost = this.#lost
    this.#lost = 0
    if (lost > 0) this.#observer.lost(lost, this.#failure ?? 'EAGAIN')
    this.#failure = undefined
    this.#isTold = false
    this.#release()
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const done of waiting) done()
  }

  /** At the exit, as far as the destination takes it at once. A chunk that is being written is already on its way. */
  readonly #writeRest = (): void => {
    this.#handOver()
    let rest = Buffer.concat(this.#queue.slice(this.#isWriting ? 1 : 0))
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#descriptor, rest))
    } catch (error) {
      this.#observer.unwritten(rest.toString('latin1').split('\n').length - 1, errorCode(error))
    }
  }
}

export interface LossObserver {
  /** A write failed, or a line was dropped; `reason` is the system's error code, EAGAIN for a reader that does not read. */
  failing(reason: string): void
  /** Everything queued is written; this many lines were dropped before. */
  lost(lines: number, reason: string): void
  /** The process ends, and this many queued lines could not be written. It must not block. */
  unwritten(lines: number, reason: string | undefined): void
}

/** The descriptor, or another one for the same pipe or terminal, that never blocks (open(2), proc(5)). */
export function nonBlocking(descriptor: number): number {
  try {
    const place = fstatSync(descriptor)
    // A socket, such as journald's, cannot be opened again; Node makes it non-blocking when it creates the stream.
    if (place.isSocket()) return descriptor === 1 ? process.stdout.fd : process.stderr.fd
    // A regular file would be opened at its beginning; it does not block anyway.
    if (!place.isFIFO() && !place.isCharacterDevice()) return descriptor
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
    return openSync(`/proc/self/fd/${descriptor}`, flags)
  } catch {
    return descriptor
  }
}
