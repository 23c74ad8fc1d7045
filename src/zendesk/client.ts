import { Problem } from '../problems/problem.js'
import { Breaker } from './breaker.js'
import type { Credentials } from './credentials.js'
import { Deadline } from './deadline.js'
import type { ZendeskEvents } from './events.js'
import { Flight } from './flight.js'
import { judgeRenewal, type Answer } from './judge.js'
import type { Pace } from './pace.js'
import { waitBeforeRetry } from './retry.js'
import type { Operation, Transport, Verdict } from './transport.js'

/** Zendesk, as far as this service needs it: one method per operation. Every failure is thrown as a `Problem`. */
export class ZendeskClient {
  readonly events: ZendeskEvents
  readonly #parts: ZendeskParts
  readonly #breaker: Breaker
  readonly #renewal = new Flight(
    () => this.#renew(),
    (callers) => this.events.emit('landing', callers),
  )
  #accepted: Outlook['credentials'] = 'unverified'

  constructor(parts: ZendeskParts) {
    this.#parts = parts
    this.events = parts.events
    this.#breaker = new Breaker((state) => this.events.emit('breaker', state))
  }

  /**
   * A fresh token, shared by all who ask while the call is under way. A caller whose own deadline ends first gets
   * `zendesk-timeout` alone; the call goes on for the others.
   */
  async renewSession(deadline?: Deadline): Promise<Renewal> {
    deadline?.signal.throwIfAborted()
    this.#breaker.admit()
    const renewal = this.#renewal.join()
    return deadline ? deadline.bound(renewal) : renewal
  }

  /** How Zendesk looks from here. */
  outlook(): Outlook {
    return {
      credentials: this.#accepted,
      breaker: this.#breaker.state,
      pausedForSeconds: this.#parts.pace.pausedForSeconds,
    }
  }

  async close(): Promise<void> {
    await this.#parts.transport.close()
  }

  async #renew(): Promise<Renewal> {
    this.events.emit('departure')
    const { value, zendeskMs } = await this.#call(RENEW, judgeRenewal)
    return { token: value, zendeskMs }
  }

  /** One operation within its deadline: tries, and waits between them. */
  async #call<T>(call: Call, judge: Judge<T>): Promise<Exclude<Verdict<T>, Problem>> {
    const deadline = new Deadline(this.#parts.timeoutMs)
    const errand: Errand<T> = { call, judge, deadline, mayRenewCredential: true, said: undefined }
    try {
      for (let tries = 1; ; tries++) {
        const verdict = await this.#breaker.run(() => this.#try(errand))
        if (!(verdict instanceof Problem)) return verdict
        // That another try would have to wait too long says less than what Zendesk has said.
        if (verdict.waitsFor && errand.said) throw errand.said
        const wait = waitBeforeRetry(verdict, tries)
        const patience = this.#parts.pace.longestWaitMs(deadline)
        if (wait === undefined || wait > patience || this.#breaker.state !== 'closed') throw verdict
        errand.said = verdict
        await deadline.sleep(wait)
      }
    } finally {
      deadline.end()
    }
  }

  async #try<T>(errand: Errand<T>): Promise<Verdict<T>> {
    const verdict = await this.#ask(errand)
    if (isRejection(verdict)) this.#accepted = 'rejected'
    else if (!(verdict instanceof Problem)) this.#accepted = 'ok'
    return verdict
  }

  /** One call; once per errand another one with a fresh credential, where Zendesk refuses the one at hand. */
  async #ask<T>(errand: Errand<T>): Promise<Verdict<T>> {
    const { credentials } = this.#parts
    const authorization = await credentials.authorization(errand.deadline)
    if (authorization instanceof Problem) return authorization
    const verdict = await this.#send(errand, authorization)
    if (!isRejection(verdict) || !credentials.refused(authorization) || !errand.mayRenewCredential)
      return verdict
    errand.mayRenewCredential = false
    const renewed = await credentials.authorization(errand.deadline)
    const second = renewed instanceof Problem ? renewed : await this.#send(errand, renewed)
    if (!(second instanceof Problem && second.waitsFor)) return second
    if (this.#accepted !== 'ok') return verdict
    // One that was good has come to its end, and the next one has to wait: that says nothing against it yet.
    this.#accepted = 'unverified'
    this.#breaker.answered()
    errand.said = undefined
    return second
  }

  async #send<T>({ call, judge, deadline }: Errand<T>, authorization: string): Promise<Verdict<T>> {
    const { credentials, pace, transport } = this.#parts
    const request = {
      ...call,
      headers: { authorization },
      secrets: [authorization, bare(authorization), ...credentials.secrets()],
    }
    return pace.run(deadline, () => transport.exchange(request, judge, deadline))
  }
}

export interface ZendeskParts {
  transport: Transport
  credentials: Credentials
  pace: Pace
  /** Where the parts tell what happens. */
  events: ZendeskEvents
  /** The one limit of an operation, in milliseconds: queueing, token, tries and waits together. */
  timeoutMs: number
}

export interface Renewal {
  token: string
  /** How long Zendesk took for the call that succeeded, in milliseconds. */
  zendeskMs: number
}

export interface Outlook {
  credentials: 'ok' | 'rejected' | 'unverified'
  breaker: 'closed' | 'open' | 'half-open'
  pausedForSeconds: number
}

type Judge<T> = (answer: Answer) => T | Problem

/** One operation on its way. */
interface Errand<T> {
  call: Call
  judge: Judge<T>
  deadline: Deadline
  mayRenewCredential: boolean
  /** What Zendesk has said last, and what still holds. */
  said: Problem | undefined
}

export interface Call {
  operation: Operation
  method: 'GET'
  path: string
}

export const RENEW: Call = { operation: 'renew', method: 'GET', path: '/api/v2/users/me/session/renew' }
export const IDENTIFY: Call = { operation: 'identify', method: 'GET', path: '/api/v2/users/me.json' }

/** Without its scheme. */
function bare(authorization: string): string {
  return authorization.slice(authorization.indexOf(' ') + 1)
}

function isRejection(verdict: unknown): verdict is Problem {
  return verdict instanceof Problem && verdict.code === 'zendesk-credentials-rejected'
}
