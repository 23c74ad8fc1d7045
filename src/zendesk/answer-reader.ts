import { gunzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { Answer } from './judge.js'

/** What Zendesk may send at most, in octets, counted before and after decompression. A renewal has some 120. */
const BODY_LIMIT = 256 * 1024
/** Enough of a refusal to tell who refuses. */
const EXCERPT_LIMIT = 16 * 1024
/** How long a body that hardly matters may take. */
const ASIDE_MS = 250

/** Reads one answer for undici, within bounds and as far as its body matters. */
export class AnswerReader implements Dispatcher.DispatchHandler {
  /** Rejected with what kept the answer from coming. */
  readonly answer: Promise<Answer>
  /** Resolves when nothing more comes: true where the connection can be used again. */
  readonly ended: Promise<boolean>
  readonly #startedAt = performance.now()
  readonly #watch: AnswerWatch
  #give: (answer: Answer) => void = () => undefined
  #fail: (error: Error) => void = () => undefined
  #end: (usable: boolean) => void = () => undefined
  #head: Pick<Answer, 'status' | 'headers'> | undefined
  #wants: 'whole' | 'excerpt' | 'nothing' = 'whole'
  readonly #chunks: Buffer[] = []
  #length = 0
  #timer: NodeJS.Timeout | undefined

  constructor(watch: AnswerWatch) {
    this.#watch = watch
    this.answer = new Promise((resolve, reject) => {
      this.#give = resolve
      this.#fail = reject
    })
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  onRequestStart(): void {
    this.#watch.sent()
  }

  onResponseStart(_controller: unknown, status: number, headers: Answer['headers']): void {
    // RFC 9110, section 15.2: an interim response; the final one follows.
    if (status < 200) return
    trim(headers)
    const error = this.#watch.head(status, headers)
    if (error) {
      this.#abandon(error)
      return
    }
    this.#head = { status, headers }
    this.#wants = wantedBody(status)
    if (this.#wants === 'whole' && Number(headers['content-length']) > BODY_LIMIT) this.#giveUp()
    if (this.#wants === 'nothing') this.#settle(undefined)
    // Nobody waits long for what hardly matters; the connection is not used again then.
    if (this.#wants !== 'whole')
      this.#timer = setTimeout(() => {
        this.#giveUp()
      }, ASIDE_MS)
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#length += chunk.length
    if (this.#length > BODY_LIMIT) this.#giveUp()
    if (this.#wants === 'nothing') return
    this.#chunks.push(chunk)
    if (this.#wants === 'excerpt' && this.#length >= EXCERPT_LIMIT) this.#settle(this.#received())
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer)
    this.#settle(this.#received())
    this.#end(true)
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#head) this.#giveUp()
    else this.#abandon(error)
  }

  /** The body takes too long or too much, or was cut off: of a refusal, what has come is enough. */
  #giveUp(): void {
    clearTimeout(this.#timer)
    this.#settle(this.#wants === 'excerpt' ? this.#received() : undefined)
    this.#end(false)
  }

  #abandon(error: Error): void {
    this.#fail(error)
    this.#end(false)
  }

  #received(): Buffer | undefined {
    return this.#head && this.#wants !== 'nothing'
      ? decode(Buffer.concat(this.#chunks), this.#head.headers)
      : undefined
  }

  #settle(body: Answer['body']): void {
    this.#wants = 'nothing'
    if (this.#head) this.#give({ ...this.#head, body, zendeskMs: performance.now() - this.#startedAt })
  }
}

interface AnswerWatch {
  /** The request is about to be written. */
  sent(): void
  /** The head has come; gives an error where it is not Zendesk's answer to this request. */
  head(status: number, headers: Answer['headers']): Error | undefined
}

/** A success holds the token, and a 404 tells whether there is an account at all; a 403, who refuses. Others speak for themselves. */
function wantedBody(status: number): 'whole' | 'excerpt' | 'nothing' {
  if ((status >= 200 && status <= 299) || status === 404) return 'whole'
  return status === 403 ? 'excerpt' : 'nothing'
}

/** RFC 9110, section 5.5: blanks around a field value are not part of it. In place, since hardly any value has some. */
function trim(headers: Answer['headers']): void {
  for (const name in headers) {
    const value = headers[name]
    headers[name] = typeof value === 'string' ? value.trim() : value?.map((one) => one.trim())
  }
}

function decode(bytes: Buffer, headers: Answer['headers']): Buffer | undefined {
  // RFC 9110, section 8.4.1: the names of content codings are case-insensitive.
  const coding = String(headers['content-encoding'] ?? 'identity').toLowerCase()
  if (coding === 'identity') return bytes
  if (coding !== 'gzip' && coding !== 'x-gzip') return undefined
  try {
    return gunzipSync(bytes, { maxOutputLength: BODY_LIMIT })
  } catch {
    return undefined
  }
}
