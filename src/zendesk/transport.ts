import type { ForwardProxies } from '../network/forward-proxies.js'
import { answerOfProxy, plainProxy } from '../network/outbound.js'
import { Problem } from '../problems/problem.js'
import { AnswerReader } from './answer-reader.js'
import { connectionProblem } from './connection-problem.js'
import { Connections, type Connection } from './connections.js'
import type { Deadline } from './deadline.js'
import { describe, type Exchange } from './exchange.js'
import { judgeEcho, requestIdOf, type Answer } from './judge.js'
import type { Call, Verdict } from './operation.js'
import { SecretForms } from './secret-echo.js'

/** Gets bytes from Zendesk within bounds; what they mean is for the judge. Sends these headers and no others. */
export class Transport {
  readonly #connections: Connections
  readonly #headers: Record<string, string>
  readonly #observe: Observer
  readonly #proxies: ForwardProxies
  readonly #forms = new SecretForms()
  readonly #answersMayBeOfProxy: boolean
  /** What the last call that succeeded took, in milliseconds. */
  #usualMs = 0

  constructor(
    { origin, userAgent, proxies, timeoutMs }: TransportSettings,
    observe: Observer = () => undefined,
  ) {
    this.#observe = observe
    this.#headers = {
      accept: 'application/json',
      // Some 120 octets, which gzip would only make longer. An answer in gzip is understood all the same.
      'accept-encoding': 'identity',
      'user-agent': userAgent,
    }
    this.#proxies = proxies
    this.#answersMayBeOfProxy = plainProxy(proxies, origin) !== undefined
    // Short of the deadline, so that it can still be told what could not be reached.
    this.#connections = new Connections(origin, proxies, Math.min(timeoutMs * 0.8, 10_000))
  }

  /** Asks Zendesk and has the answer judged. */
  async exchange<T>(call: Call<T>): Promise<Verdict<T>> {
    const connection = this.#connections.take()
    const { answer, ended } = await this.#send(connection, call)
    const verdict = answer instanceof Problem ? answer : this.#judge(call, answer)
    this.#settle(connection, verdict, ended)
    if (!(verdict instanceof Problem)) this.#usualMs = verdict.zendeskMs
    const requestId =
      answer instanceof Problem ? undefined : requestIdOf(answer, this.#secretsOf(call), this.#forms)
    this.#observe({ ...describe(call.operation, answer, verdict), requestId })
    return verdict
  }

  /** From the next call on, connections are new. */
  discardIdle(): void {
    this.#connections.discardIdle()
  }

  close(): Promise<void> {
    this.#connections.close()
    return Promise.resolve()
  }

  #secretsOf({ secrets = [] }: Call<unknown>): string[] {
    return [...secrets, ...this.#proxies.secrets()]
  }

  /** Whatever the operation hands on is checked here for what must not come back. */
  #judge<T>(call: Call<T>, answer: Answer): Verdict<T> {
    const judged = judgeEcho(call.operation.judge(answer), answer, this.#secretsOf(call), this.#forms)
    return judged instanceof Problem ? judged : { value: judged, zendeskMs: answer.zendeskMs }
  }

  /** The answer, or the problem that kept it from coming, and whether the connection can be used again once it has ended. */
  async #send<T>(connection: Connection, call: Call<T>): Promise<Sent> {
    const { operation, deadline, headers, body = null } = call
    const silence = connection.isReused ? this.#endSilence(connection, deadline) : undefined
    let readBefore = Infinity
    const reader = new AnswerReader({
      sent: () => (readBefore = connection.bytesRead),
      head: (status, received) => {
        clearTimeout(silence)
        if (status === 408 && connection.isReused) {
          // RFC 9110, section 15.5.9: a server closes an idle connection with it; this request was not even read.
          readBefore = Infinity
          return new StaleConnection()
        }
        return this.#answersMayBeOfProxy ? answerOfProxy(status, received) : undefined
      },
    })
    const startedAt = performance.now()
    try {
      const { method, path } = operation
      connection.dispatch({ method, path, headers: { ...this.#headers, ...headers }, body }, reader)
      return { answer: await deadline.bound(reader.answer), ended: reader.ended }
    } catch (error) {
      const zendeskMs = performance.now() - startedAt
      const answer = deadline.hasPassed
        ? new Problem('zendesk-timeout', { zendeskMs })
        : connectionProblem(error, connection.bytesRead > readBefore, zendeskMs)
      return { answer, ended: NOT_USABLE }
    } finally {
      clearTimeout(silence)
    }
  }

  /**
   * A connection may have died without a word since its last call, as behind a firewall that forgot it. It is given up while there
   * is time for a new one, but not before Zendesk has had three times what it took lately.
   */
  #endSilence(connection: Connection, deadline: Deadline): NodeJS.Timeout {
    const remainingMs = deadline.remainingMs()
    const limitMs = Math.max(remainingMs / 2, Math.min(this.#usualMs * 3, remainingMs * 0.8))
    return setTimeout(() => {
      connection.destroy(new StaleConnection())
    }, limitMs)
  }

  /** Zendesk's name may have moved to another address while the old one answers with errors. */
  #settle(connection: Connection, verdict: unknown, ended: Promise<boolean>): void {
    if (verdict instanceof Problem && verdict.isOutage) {
      this.#connections.discardIdle()
      this.#connections.discard(connection)
      return
    }
    void ended.then((usable) => {
      if (usable) this.#connections.keep(connection)
      else this.#connections.discard(connection)
    })
  }
}

export interface TransportSettings {
  origin: string
  userAgent: string
  proxies: ForwardProxies
  /** How long an operation may take, in milliseconds. */
  timeoutMs: number
}

type Observer = (exchange: Exchange) => void

/** Thrown where a connection that had carried a call before gave no answer to this one. */
class StaleConnection extends Error {
  readonly code = 'STALE_CONNECTION'
}

interface Sent {
  answer: Answer | Problem
  ended: Promise<boolean>
}

const NOT_USABLE = Promise.resolve(false)
