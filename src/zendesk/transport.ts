import { gunzipSync } from 'node:zlib'
import { Pool, type Dispatcher } from 'undici'
import type { ProblemCode } from '../problems/catalogue.js'
import { placeOf } from '../error-place.js'
import { lookup } from '../network/lookup.js'
import { Problem } from '../problems/problem.js'
import { connectionProblem } from './connection-problem.js'
import type { Deadline } from './deadline.js'
import { judgeEcho, type Answer } from './judge.js'

/** What Zendesk may send us at the most, in bytes, counted before and after decompression. A renewal has some 120. */
const BODY_LIMIT = 256 * 1024
const DUMP_MS = 250

/** Gets bytes from Zendesk within bounds; what they mean is for the judge. Sends these headers and no others. */
export class Transport {
  readonly #pool: Pool
  readonly #userAgent: string
  readonly #observe: (exchange: Exchange) => void

  constructor(origin: string, userAgent: string, observe: (exchange: Exchange) => void) {
    this.#observe = observe
    this.#userAgent = userAgent
    this.#pool = new Pool(origin, {
      connections: 8,
      allowH2: false,
      keepAliveTimeout: 10_000,
      // Backstops only: the deadline of the operation comes first.
      headersTimeout: 120_000,
      bodyTimeout: 120_000,
      connect: { rejectUnauthorized: true, timeout: 10_000, lookup },
    })
  }

  /** Asks Zendesk and has the answer judged. */
  async exchange<T>(
    request: ZendeskRequest,
    judge: (answer: Answer) => T | Problem,
    deadline: Deadline,
  ): Promise<Verdict<T>> {
    const startedAt = performance.now()
    const answer = await this.#send(request, deadline)
    const verdict = answer instanceof Problem ? answer : judgeEcho(judge(answer), answer, request.secrets)
    const zendeskMs = performance.now() - startedAt
    const status = answer instanceof Problem ? undefined : answer.status
    if (verdict instanceof Problem) {
      verdict.zendeskMs = zendeskMs
      const { code, retryAfter, cause } = verdict
      const { errorCode } = placeOf(cause)
      this.#observe({ operation: request.operation, outcome: code, status, zendeskMs, retryAfter, errorCode })
      return verdict
    }
    this.#observe({ operation: request.operation, outcome: 'ok', status, zendeskMs })
    return { value: verdict, zendeskMs }
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  /** The answer, or the problem that kept it from coming. */
  async #send(request: ZendeskRequest, deadline: Deadline): Promise<Answer | Problem> {
    const { signal } = deadline
    let answered = false
    try {
      // undici notices an abort only once there is a connection.
      const response = await deadline.bound(
        this.#pool.request({
          method: request.method,
          path: request.path,
          headers: {
            accept: 'application/json',
            // Some 120 octets, which gzip would only make longer. Who sends it all the same is understood.
            'accept-encoding': 'identity',
            'user-agent': this.#userAgent,
            ...request.headers,
          },
          body: request.body ?? null,
          signal,
        }),
      )
      answered = true
      return await receive(response, signal)
    } catch (error) {
      if (signal.aborted) return signal.reason as Problem
      return connectionProblem(error, answered)
    }
  }
}

/** What an exchange gave and how long Zendesk took, in milliseconds. */
export type Verdict<T> = { value: T; zendeskMs: number } | Problem

/** One call to Zendesk, for logs and metrics. */
export interface Exchange {
  operation: Operation
  outcome: 'ok' | ProblemCode
  status: number | undefined
  zendeskMs: number
  /** Seconds for which Zendesk wants to be left alone. */
  retryAfter?: number | undefined
  /** What the system, TLS or HTTP said where no answer came, e.g. ECONNREFUSED. */
  errorCode?: string | undefined
}

export type Operation = 'renew' | 'identify' | 'token'

export interface ZendeskRequest {
  operation: Operation
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: string
  /** What this request carries, in clear, that must not come back. */
  secrets: string[]
}

async function receive(response: Dispatcher.ResponseData, signal: AbortSignal): Promise<Answer> {
  const { statusCode: status, headers } = response
  if (!bodyMatters(status)) {
    // Read to its end where it is short and quick, so that the connection can be used again; nobody waits for it.
    response.body.dump({ limit: BODY_LIMIT, signal: AbortSignal.timeout(DUMP_MS) }).catch(() => undefined)
    return { status, headers, body: undefined }
  }
  const bytes = await readBounded(response)
  signal.throwIfAborted()
  return { status, headers, body: bytes && decode(bytes, headers['content-encoding']) }
}

/** A success holds the token, and a 404 tells whether there is an account at all. Other statuses speak for themselves. */
function bodyMatters(status: number): boolean {
  return (status >= 200 && status <= 299) || status === 404
}

/** Undefined where the body is longer than the limit, by its own word or by count, or was cut off. */
async function readBounded({ headers, body }: Dispatcher.ResponseData): Promise<Buffer | undefined> {
  body.on('error', () => undefined)
  if (Number(headers['content-length']) > BODY_LIMIT) {
    body.destroy()
    return undefined
  }
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > BODY_LIMIT) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Buffer, encoding: string | string[] | undefined): Buffer | undefined {
  // RFC 9110, section 8.4.1: content codings are told apart without regard to case.
  const coding = String(encoding ?? 'identity').toLowerCase()
  if (coding === 'identity') return bytes
  if (coding !== 'gzip' && coding !== 'x-gzip') return undefined
  try {
    return gunzipSync(bytes, { maxOutputLength: BODY_LIMIT })
  } catch {
    return undefined
  }
}
