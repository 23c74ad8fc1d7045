import { inspect } from 'node:util'
import { Problem } from '../problems/problem.js'
import type { Secret } from '../secret.js'
import type { Credentials, Remedy } from './credentials.js'
import { Deadline } from './deadline.js'
import { Flight } from './flight.js'
import { judgeToken, type AccessToken } from './judge.js'
import type { Pace } from './pace.js'
import type { Transport, Verdict } from './transport.js'

/** Asked for with each token: without it, tokens of older clients never end, and one more would stay good with each renewal. */
const LIFETIME_SECONDS = 1800
/** Access tokens of the past that may still be good, so that they must not come back in an answer either. */
const REMEMBERED = 8
/** After a renewal in the background failed, the next one waits so long, twice as long after each further failure. */
const RENEWAL_COOLDOWN_MS = 10_000
const LONGEST_RENEWAL_COOLDOWN_MS = 60_000
/** Zendesk may need this long until all its parts know a new access token. */
const NEW_FOR_MS = 30_000
/** Between two tokens that are fetched because Zendesk refused the one before. */
const REPLACEMENT_COOLDOWN_MS = 10_000

/**
 * OAuth client credentials (RFC 6749, section 4.4): one fetch for all, a fresh token in the background once four fifths
 * of the lifetime are over, and no use of a token that is known to be expired.
 */
export class OAuthTokens implements Credentials {
  readonly #transport: Pick<Transport, 'exchange'>
  readonly #client: OAuthClient
  readonly #pace: Pace
  readonly #fetch = new Flight(() => this.#fetchToken())
  #held: HeldToken | undefined
  #renewalCooldownMs = RENEWAL_COOLDOWN_MS
  #mayReplaceAt = 0
  /** After a token that Zendesk never accepted, the next one is given no time to become known. */
  #trustsNewTokens = true
  readonly #issued: string[] = []

  readonly #now: () => number

  /**
   * @param pace of the token endpoint, which has a limit of its own.
   * @param now milliseconds of a clock that never goes back.
   */
  constructor(
    transport: Pick<Transport, 'exchange'>,
    client: OAuthClient,
    pace: Pace,
    now = () => performance.now(),
  ) {
    this.#transport = transport
    this.#client = client
    this.#pace = pace
    this.#now = now
  }

  [inspect.custom](): string {
    return '[Zendesk credentials]'
  }

  async authorization(deadline: Deadline): Promise<string | Problem> {
    const held = this.#held
    const now = this.#now()
    if (held && now < held.expiresAt) {
      if (now >= held.renewAt) this.#renewInBackground(held)
      return `Bearer ${held.value}`
    }
    const fetched = await this.#wait(deadline)
    return fetched instanceof Problem ? fetched : `Bearer ${fetched.value}`
  }

  accepted(authorization: string): void {
    const held = this.#heldAs(authorization)
    if (!held) return
    held.isAccepted = true
    this.#trustsNewTokens = true
  }

  refused(authorization: string): Remedy {
    const { secret } = this.#client
    secret.refresh()
    const held = this.#heldAs(authorization)
    if (!held) return 'another'
    const now = this.#now()
    const hasNewSecret = held.secret !== secret.reveal()
    const isNew = this.#trustsNewTokens && !held.isAccepted && now - held.fetchedAt < NEW_FOR_MS
    if (!hasNewSecret && (isNew || now < this.#mayReplaceAt)) return this.#trustsNewTokens ? 'new' : 'none'
    this.#trustsNewTokens = hasNewSecret || held.isAccepted
    this.#mayReplaceAt = now + REPLACEMENT_COOLDOWN_MS
    this.#held = undefined
    return 'another'
  }

  secrets(): string[] {
    return [...this.#client.secret.known(), ...this.#issued]
  }

  #heldAs(authorization: string): HeldToken | undefined {
    return authorization === `Bearer ${this.#held?.value ?? ''}` ? this.#held : undefined
  }

  #renewInBackground(held: HeldToken): void {
    held.renewAt = this.#now() + this.#renewalCooldownMs
    this.#renewalCooldownMs = Math.min(this.#renewalCooldownMs * 2, LONGEST_RENEWAL_COOLDOWN_MS)
    this.#fetch.join().catch(() => undefined)
  }

  async #wait(deadline: Deadline): Promise<AccessToken | Problem> {
    try {
      return await deadline.bound(this.#fetch.join())
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
  }

  async #fetchToken(): Promise<AccessToken | Problem> {
    // A little before those who wait for it give up, so that nobody joins a fetch that is as good as over.
    const deadline = new Deadline(this.#client.timeoutMs * 0.95)
    try {
      return await this.#ask(deadline)
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    } finally {
      deadline.end()
    }
  }

  async #ask(deadline: Deadline): Promise<AccessToken | Problem> {
    const { secret } = this.#client
    const used = secret.reveal()
    const verdict = await this.#askOnce(deadline)
    if (!(verdict instanceof Problem)) return this.#keep(verdict.value, used)
    secret.refresh()
    // The secret may have been rotated a moment ago.
    const isOutdated = verdict.code === 'zendesk-credentials-rejected' && secret.reveal() !== used
    return isOutdated ? this.#ask(deadline) : verdict
  }

  #keep(token: AccessToken, secret: string): AccessToken {
    this.#held = hold(token, secret, this.#now())
    this.#renewalCooldownMs = RENEWAL_COOLDOWN_MS
    this.#issued.push(token.value)
    if (this.#issued.length > REMEMBERED) this.#issued.shift()
    return token
  }

  #askOnce(deadline: Deadline): Promise<Verdict<AccessToken>> {
    return this.#pace.run(deadline, () => this.#send(deadline))
  }

  #send(deadline: Deadline): Promise<Verdict<AccessToken>> {
    const body = JSON.stringify({
      grant_type: 'client_credentials',
      client_id: this.#client.id,
      client_secret: this.#client.secret.reveal(),
      scope: this.#client.scope,
      expires_in: LIFETIME_SECONDS,
    })
    const headers = { 'content-type': 'application/json' }
    // Not the tokens issued before: an endpoint may give the same one again while it is valid.
    const secrets = this.#client.secret.known()
    return this.#transport.exchange(
      { operation: 'token', method: 'POST', path: '/oauth/tokens', headers, body, secrets },
      judgeToken,
      deadline,
    )
  }
}

export interface OAuthClient {
  id: string
  secret: Secret
  scope: string
  /** The limit of one token request, in milliseconds. */
  timeoutMs: number
}

interface HeldToken {
  value: string
  /** The client secret for which it was given. */
  secret: string
  /** Whether Zendesk has accepted it in a call. */
  isAccepted: boolean
  /** Times in milliseconds. */
  fetchedAt: number
  renewAt: number
  expiresAt: number
}

/** Where the answer does not tell the lifetime, the one that was asked for holds. */
function hold({ value, lifetimeSeconds }: AccessToken, secret: string, now: number): HeldToken {
  const planned = (lifetimeSeconds ?? LIFETIME_SECONDS) * 1000
  // A margin for the way to Zendesk: a token that expires while it travels is refused like an expired one.
  const margin = Math.min(planned / 10, 5_000)
  return {
    value,
    secret,
    isAccepted: false,
    fetchedAt: now,
    renewAt: now + planned * 0.8,
    expiresAt: now + planned - margin,
  }
}
