import { Problem } from '../problems/problem.js'
import { Breaker } from './breaker.js'
import type { Credentials } from './credentials.js'
import { Deadline } from './deadline.js'
import type { ZendeskEvents } from './events.js'
import { Flight } from './flight.js'
import { judgeRenewal, type Answer } from './judge.js'
import type { Pace } from './pace.js'
import { waitBeforeRetry } from './retry.js'
import { Refusals } from './traffic/refusals.js'
import type { Operation, Transport, Verdict } from './transport.js'

/** Zendesk, as far as this service needs it: one method per operation. Every failure is thrown as a `Problem`. */
export class ZendeskClient {
  readonly events: ZendeskEvents
  readonly #parts: ZendeskParts
  readonly #breaker: Breaker
  readonly #renewal = new Flight(
    () => this.#renew(),
    (callers) => this.events.emit('settled', callers),
  )
  readonly #refusals = new Refusals()
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

  /**
   * Fetches the access token before the first caller asks, so that wrong credentials show in the outlook. Other failures are
   * left to the first caller's tries.
   */
  async prepare(): Promise<void> {
    const deadline = new Deadline(this.#parts.timeoutMs)
    try {
      const authorization = await this.#parts.credentials.authorization(deadline)
      // A caller who waited for the same fetch may have counted its refusal already.
      if (!isRejection(authorization) || this.#refusals.waitMs > 0) return
      this.#refusals.refused(false)
      this.#accepted = 'rejected'
    } finally {
      deadline.end()
    }
  }

  /** How Zendesk looks from here. */
  outlook(): Outlook {
    return {
      credentials: this.#accepted,
      breaker: this.#breaker.state,
      pausedForSeconds: this.#parts.pace.pausedForSeconds,
    }
  }

  /** Told that the secret has changed: it is tried at once, whatever Zendesk said to the one before. */
  secretChanged(): void {
    this.#refusals.reset()
  }

  async close(): Promise<void> {
    await this.#parts.transport.close()
  }

  async #renew(): Promise<Renewal> {
    this.events.emit('started')
    const { value, zendeskMs } = await this.#call(RENEW, judgeRenewal)
    return { token: value, zendeskMs }
  }

  /** One operation within its deadline: tries, and waits between them. */
  async #call<T>(call: Call, judge: Judge<T>): Promise<Exclude<Verdict<T>, Problem>> {
    const deadline = new Deadline(this.#parts.timeoutMs)
    const attempts: Attempts<T> = { call, judge, deadline, said: undefined }
    try {
      for (let tries = 1; ; tries++) {
        const verdict = await this.#breaker.run(() => this.#try(attempts))
        if (!(verdict instanceof Problem)) return verdict
        // Prefer Zendesk's own error to "no budget for a retry".
        if (verdict.waitsFor && attempts.said) throw attempts.said
        const wait = waitBeforeRetry(verdict, tries)
        const longestWait = this.#parts.pace.longestWaitMs(deadline)
        if (wait === undefined || wait > longestWait || this.#breaker.state !== 'closed') throw verdict
        attempts.said = verdict
        await deadline.sleep(wait)
      }
    } finally {
      deadline.end()
    }
  }

  /** One call, and more of them where Zendesk refuses the credential at hand and the same or another one may still do. */
  async #try<T>(attempts: Attempts<T>): Promise<Verdict<T>> {
    const { credentials, pace } = this.#parts
    const { deadline } = attempts
    let refusal: Problem | undefined
    for (;;) {
      const { waitMs, mayPass } = this.#refusals
      if (waitMs > 0 && !(mayPass && waitMs <= pace.longestWaitMs(deadline)))
        return refusal ?? stillRefused(waitMs, mayPass)
      if (waitMs > 0) await deadline.sleep(waitMs)
      const authorization = await credentials.authorization(deadline)
      const verdict =
        authorization instanceof Problem ? authorization : await this.#send(attempts, authorization)
      if (!isRejection(verdict)) return this.#settle(verdict, authorization, refusal)
      refusal = verdict
      // What it said before, such as an outage, is out of date.
      attempts.said = undefined
      const remedy = authorization instanceof Problem ? 'none' : credentials.refused(authorization)
      if (remedy === 'another') continue
      this.#refusals.refused(remedy === 'new')
      this.#accepted = 'rejected'
      if (remedy === 'none') return verdict
    }
  }

  #settle<T>(verdict: Verdict<T>, authorization: string | Problem, refusal: Problem | undefined): Verdict<T> {
    if (!(verdict instanceof Problem)) {
      if (typeof authorization === 'string') this.#parts.credentials.accepted(authorization)
      this.#refusals.reset()
      this.#accepted = 'ok'
    } else if (verdict.waitsFor && refusal) {
      // The call with another credential has to wait. If the refused one was good before, that says nothing against it yet.
      if (this.#accepted !== 'ok') return refusal
      this.#accepted = 'unverified'
    }
    return verdict
  }

  async #send<T>({ call, judge, deadline }: Attempts<T>, authorization: string): Promise<Verdict<T>> {
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

/** One operation: the state that its attempts share. */
interface Attempts<T> {
  call: Call
  judge: Judge<T>
  deadline: Deadline
  /** The latest problem that Zendesk reported and that still holds. */
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

/** The answer while no call is made. A retry-after only where time alone may help. */
function stillRefused(waitMs: number, mayPass: boolean): Problem {
  const problem = new Problem('zendesk-credentials-rejected', {
    retryAfter: mayPass ? Math.ceil(waitMs / 1000) : undefined,
  })
  problem.waitsFor = 'credentials'
  return problem
}

function isRejection(verdict: unknown): verdict is Problem {
  return verdict instanceof Problem && verdict.code === 'zendesk-credentials-rejected'
}
