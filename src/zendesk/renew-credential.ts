import { Problem } from '../problems/problem.js'
import type { Credentials } from './credentials.js'
import type { Call, Send, Step, Verdict } from './operation.js'
import type { Pace } from './traffic/pace.js'
import type { Refusals } from './traffic/refusals.js'

/**
 * Gives each call its credential. Where Zendesk refuses it, the call is made again as soon as there is another credential
 * or the same one may be accepted; else calls become rarer.
 */
export class RenewCredential implements Step {
  readonly #credentials: Credentials
  readonly #pace: Pick<Pace, 'longestWaitMs'>
  readonly #refusals: Refusals
  #state: CredentialsState = 'unverified'

  constructor(credentials: Credentials, pace: Pick<Pace, 'longestWaitMs'>, refusals: Refusals) {
    this.#credentials = credentials
    this.#pace = pace
    this.#refusals = refusals
  }

  /** What Zendesk thinks of the credentials, as far as it has said. */
  get state(): CredentialsState {
    return this.#state
  }

  async run<T>(call: Call<T>, next: Send): Promise<Verdict<T>> {
    const { deadline } = call
    let refusal: Problem | undefined
    for (;;) {
      const { waitMs, mayPass } = this.#refusals
      if (waitMs > 0 && !(mayPass && waitMs <= this.#pace.longestWaitMs(deadline)))
        return refusal ?? stillRefused(waitMs, mayPass)
      if (waitMs > 0) await deadline.sleep(waitMs)
      const authorization = await this.#credentials.authorization(deadline)
      const verdict =
        authorization instanceof Problem ? authorization : await next(this.#carrying(call, authorization))
      if (!isRejection(verdict)) return this.#settle(verdict, authorization, refusal)
      refusal = verdict
      const remedy = authorization instanceof Problem ? 'none' : this.#credentials.refused(authorization)
      if (remedy === 'another') continue
      this.#rejected(remedy === 'new')
      if (remedy === 'none') return verdict
    }
  }

  /** Fetches a credential that has to be fetched, before the first call needs it. */
  async prepare(deadline: Call<unknown>['deadline']): Promise<void> {
    const authorization = await this.#credentials.authorization(deadline)
    // A call that waited for the same fetch may have counted its refusal already.
    if (isRejection(authorization) && this.#refusals.waitMs === 0) this.#rejected(false)
  }

  /** To be called when the secret has changed: it is tried at once, whatever Zendesk said to the one before. */
  secretChanged(): void {
    this.#refusals.reset()
  }

  #carrying<T>(call: Call<T>, authorization: string): Call<T> {
    const bare = authorization.slice(authorization.indexOf(' ') + 1)
    const secrets = [authorization, bare, ...this.#credentials.secrets()]
    return { ...call, headers: { authorization }, secrets }
  }

  #rejected(isNew: boolean): void {
    this.#refusals.refused(isNew)
    this.#state = 'rejected'
  }

  #settle<T>(verdict: Verdict<T>, authorization: string | Problem, refusal: Problem | undefined): Verdict<T> {
    if (!(verdict instanceof Problem)) {
      if (typeof authorization === 'string') this.#credentials.accepted(authorization)
      this.#refusals.reset()
      this.#state = 'ok'
    } else if (verdict.waitsFor && refusal) {
      // The call with another credential has to wait. If the refused one was good before, that says nothing against it yet.
      if (this.#state !== 'ok') return refusal
      this.#state = 'unverified'
      const { code, retryAfter, waitsFor } = verdict
      return new Problem(code, { retryAfter, waitsFor, cause: refusal })
    }
    return verdict
  }
}

export type CredentialsState = 'ok' | 'rejected' | 'unverified'

/** The answer while no call is made. A retry-after only where time alone may help. */
function stillRefused(waitMs: number, mayPass: boolean): Problem {
  return new Problem('zendesk-credentials-rejected', {
    retryAfter: mayPass ? Math.ceil(waitMs / 1000) : undefined,
    waitsFor: 'credentials',
  })
}

function isRejection(verdict: unknown): verdict is Problem {
  return verdict instanceof Problem && verdict.code === 'zendesk-credentials-rejected'
}
