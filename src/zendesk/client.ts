import { Problem } from '../problems/problem.js'
import { systemClock, type Clock } from './clock.js'
import type { Credentials } from './credentials.js'
import { Deadline } from './deadline.js'
import type { ZendeskEvents } from './events.js'
import { compose, RENEW, type Operation, type Send, type Verdict } from './operation.js'
import type { RateLimit } from './rate-limit.js'
import { RenewCredential, type CredentialsState } from './renew-credential.js'
import type { AccountShare } from './traffic/account-share.js'
import { CircuitBreaker, type BreakerState } from './traffic/circuit-breaker.js'
import type { Pace } from './traffic/pace.js'
import { Refusals } from './traffic/refusals.js'
import { Retry } from './traffic/retry.js'
import { SingleFlight } from './traffic/single-flight.js'
import type { Transport } from './transport.js'

/** Zendesk, as far as this service needs it: one method per operation. Every failure is thrown as a `Problem`. */
export class ZendeskClient {
  readonly events: ZendeskEvents
  readonly #parts: ZendeskParts
  readonly #clock: Clock
  readonly #breaker: CircuitBreaker
  readonly #credential: RenewCredential
  readonly #send: Send
  readonly #renewal: SingleFlight<Result<string>>

  constructor(parts: ZendeskParts) {
    const { credentials, pace, transport, events, clock = systemClock } = parts
    this.#parts = parts
    this.#clock = clock
    this.events = events
    this.#breaker = new CircuitBreaker((state) => events.emit('breaker', state), clock)
    this.#credential = new RenewCredential(credentials, pace, new Refusals(clock))
    // What an operation passes, in this order, after its single flight. Each try counts for the breaker, so retry comes first.
    this.#send = compose(
      [new Retry(this.#breaker, pace), this.#breaker, this.#credential, pace],
      // Which has the answer judged.
      (call) => transport.exchange(call),
    )
    this.#renewal = this.#flightOf(RENEW)
  }

  /** A fresh session token. */
  renewSession(deadline?: Deadline): Promise<Result<string>> {
    return this.#share(this.#renewal, deadline)
  }

  /**
   * Fetches the access token before the first caller asks, so that wrong credentials show in the outlook. Other failures are
   * left to the first caller's tries.
   */
  async prepare(): Promise<void> {
    const deadline = new Deadline(this.#parts.timeoutMs, this.#clock)
    try {
      await this.#credential.prepare(deadline)
    } finally {
      deadline.end()
    }
  }

  /** How Zendesk looks from here. */
  outlook(): Outlook {
    return {
      credentials: this.#credential.state,
      breaker: this.#breaker.state,
      pausedForSeconds: this.#parts.pace.pausedForSeconds,
    }
  }

  /** What Zendesk told last of the limit of the whole account; undefined before it has told. */
  rateLimit(): RateLimit | undefined {
    return this.#parts.account.latest
  }

  /** To be called when the secret has changed: it is tried at once. */
  secretChanged(): void {
    this.#credential.secretChanged()
  }

  async close(): Promise<void> {
    await this.#parts.transport.close()
  }

  /** A caller whose own deadline ends first gets `zendesk-timeout` alone; the flight goes on for the others. */
  async #share<T>(flight: SingleFlight<T>, deadline: Deadline | undefined): Promise<T> {
    deadline?.check()
    // Nobody waits for the probe of somebody else.
    const refusal = this.#breaker.refusal()
    if (refusal) throw refusal
    const result = flight.join()
    return deadline ? deadline.bound(result) : result
  }

  #flightOf<T>(operation: Operation<T>): SingleFlight<Result<T>> {
    return new SingleFlight(
      () => this.#run(operation),
      (callers) => this.events.emit('settled', operation.name, callers),
    )
  }

  async #run<T>(operation: Operation<T>): Promise<Result<T>> {
    this.events.emit('started', operation.name)
    const deadline = new Deadline(this.#parts.timeoutMs, this.#clock)
    try {
      const verdict = await this.#send({ operation, deadline })
      if (verdict instanceof Problem) throw verdict
      return verdict
    } finally {
      deadline.end()
    }
  }
}

export interface ZendeskParts {
  transport: Pick<Transport, 'exchange' | 'close'>
  credentials: Credentials
  pace: Pace
  account: AccountShare
  /** Where the parts tell what happens. */
  events: ZendeskEvents
  /** The one limit of an operation, in milliseconds: queueing, token, tries and waits together. */
  timeoutMs: number
  clock?: Clock
}

/** What Zendesk gave, and how long it took for the call that succeeded, in milliseconds. */
export type Result<T> = Exclude<Verdict<T>, Problem>

export interface Outlook {
  credentials: CredentialsState
  breaker: BreakerState
  pausedForSeconds: number
}
