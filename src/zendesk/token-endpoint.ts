import { Problem } from '../problems/problem.js'
import type { Secret } from '../secret.js'
import { Deadline } from './deadline.js'
import { systemClock, type Clock } from './clock.js'
import { judgeToken, type AccessToken } from './judge.js'
import type { Operation, Send, Verdict } from './operation.js'

const TOKEN: Operation<AccessToken> = {
  name: 'token',
  method: 'POST',
  path: '/oauth/tokens',
  judge: judgeToken,
}

/** Asked for with each token: without it, tokens of older clients never end, and each renewal would leave a valid one behind. */
export const LIFETIME_SECONDS = 1800

/** Gets access tokens for an OAuth client (RFC 6749, section 4.4). */
export class TokenEndpoint {
  readonly #send: Send
  readonly #client: OAuthClient
  readonly #clock: Clock

  constructor(send: Send, client: OAuthClient, clock: Clock = systemClock) {
    this.#send = send
    this.#client = client
    this.#clock = clock
  }

  async fetch(): Promise<Grant | Problem> {
    // Ends shortly before the callers' own deadlines, so that nobody joins a fetch that is about to fail.
    const deadline = new Deadline(this.#client.timeoutMs * 0.95, this.#clock)
    try {
      return await this.#fetch(deadline)
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    } finally {
      deadline.end()
    }
  }

  async #fetch(deadline: Deadline): Promise<Grant | Problem> {
    const { secret } = this.#client
    const used = secret.reveal()
    const verdict = await this.#ask(deadline)
    if (!(verdict instanceof Problem)) return { token: verdict.value, secret: used }
    secret.refresh()
    // The secret may have been rotated a moment ago.
    const isOutdated = verdict.code === 'zendesk-credentials-rejected' && secret.reveal() !== used
    return isOutdated ? this.#fetch(deadline) : verdict
  }

  #ask(deadline: Deadline): Promise<Verdict<AccessToken>> {
    const { id, secret, scope } = this.#client
    return this.#send({
      operation: TOKEN,
      deadline,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        grant_type: 'client_credentials',
        client_id: id,
        client_secret: secret.reveal(),
        scope,
        expires_in: LIFETIME_SECONDS,
      }),
      // Not the tokens issued before: an endpoint may give the same one again while it is valid.
      secrets: secret.known(),
    })
  }
}

export interface OAuthClient {
  id: string
  secret: Secret
  scope: string
  /** The limit of one token request, in milliseconds. */
  timeoutMs: number
}

/** A token, and the client secret for which it was given. */
export interface Grant {
  token: AccessToken
  secret: string
}
