import type { FastifyBaseLogger } from 'fastify'
import { errorCode } from '../log/error-place.js'

const ONE_LINE_PER_MS = 10_000

/** Logs failed TLS handshakes: the first of each code at once, then one line with their number every ten seconds at most. */
export class HandshakeFailures {
  readonly #log: FastifyBaseLogger
  readonly #now: () => number
  readonly #codes = new Map<string, { loggedAt: number; since: number }>()

  constructor(log: FastifyBaseLogger, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  /** @param authorizationError why the certificate of a client was not accepted. */
  add(error: Error, authorizationError: unknown): void {
    const code = codeOf(authorizationError) ?? errorCode(error) ?? 'unknown'
    const known = this.#codes.get(code) ?? { loggedAt: -Infinity, since: 0 }
    known.since += 1
    if (this.#now() - known.loggedAt >= ONE_LINE_PER_MS) {
      // Load balancers and port scanners connect and leave.
      const level = code === 'ECONNRESET' ? 'debug' : 'warn'
      this.#log[level]({ errorCode: code, count: known.since }, 'tls handshake failed')
      known.loggedAt = this.#now()
      known.since = 0
    }
    this.#codes.set(code, known)
  }
}

/** A code such as UNABLE_TO_VERIFY_LEAF_SIGNATURE: what Node's types call an Error. */
function codeOf(authorizationError: unknown): string | undefined {
  return typeof authorizationError === 'string' ? authorizationError : undefined
}
