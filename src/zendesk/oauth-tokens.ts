import { inspect } from 'node:util'
import { Problem } from '../problems/problem.js'
import { systemClock, type Clock } from './clock.js'
import type { Credentials, Remedy } from './credentials.js'
import type { Deadline } from './deadline.js'
import type { Send } from './operation.js'
import { LIFETIME_SECONDS, TokenEndpoint, type Grant, type OAuthClient } from './token-endpoint.js'
import { SingleFlight } from './traffic/single-flight.js'

/** Earlier access tokens that may still be good, so that they must not come back in an answer either. */
const REMEMBERED = 8
/** After a renewal in the background failed, the next one waits this long, twice as long after each further failure. */
const RENEWAL_COOLDOWN_MS = 10_000
const LONGEST_RENEWAL_COOLDOWN_MS = 60_000
/** Zendesk may need this long until all its servers know a new access token. */
const NEW_FOR_MS = 30_000
/** Between two tokens that are fetched because Zendesk refused the one before. */
const REPLACEMENT_COOLDOWN_MS = 10_000

/**
 * OAuth client credentials: one fetch for all callers, a fresh token in the background once four fifths of the lifetime are
 * over, and no use of a token that is known to be expired.
 */
export class OAuthTokens implements Credentials {
  readonly #secret: OAuthClient['secret']
  readonly #clock: Clock
  readonly #fetch: SingleFlight<HeldToken | Problem>
  #held: HeldToken | undefined
  #renewalCooldownMs = RENEWAL_COOLDOWN_MS
  #mayReplaceAt = 0
  /** After a token that Zendesk never accepted, the next one is given no time to become known. */
  #trustsNewTokens = true
  readonly #issued: string[] = []

  /** @param send to the token endpoint, which has a limit of its own. */
  constructor(send: Send, client: OAuthClient, clock: Clock = systemClock) {
    const endpoint = new TokenEndpoint(send, client, clock)
    this.#secret = client.secret
    this.#clock = clock
    this.#fetch = new SingleFlight(async () => this.#keep(await endpoint.fetch()))
  }

  [inspect.custom](): string {
    return '[Zendesk credentials]'
  }

  async authorization(deadline: Deadline): Promise<string | Problem> {
    const held = this.#held
    const now = this.#clock.now()
    if (held && now < held.expiresAt) {
      if (now >= held.renewAt) this.#renewInBackground(held)
      return held.authorization
    }
    const fetched = await this.#wait(deadline)
    return fetched instanceof Problem ? fetched : fetched.authorization
  }

  accepted(authorization: string): void {
    const held = this.#heldAs(authorization)
    if (!held) return
    held.isAccepted = true
    this.#trustsNewTokens = true
  }

  refused(authorization: string): Remedy {
    this.#secret.refresh()
    const held = this.#heldAs(authorization)
    if (!held) return 'another'
    const now = this.#clock.now()
    const hasNewSecret = held.secret !== this.#secret.reveal()
    const isNew = this.#trustsNewTokens && !held.isAccepted && now - held.fetchedAt < NEW_FOR_MS
    if (!hasNewSecret && (isNew || now < this.#mayReplaceAt)) return this.#trustsNewTokens ? 'new' : 'none'
    this.#trustsNewTokens = hasNewSecret || held.isAccepted
    this.#mayReplaceAt = now + REPLACEMENT_COOLDOWN_MS
    this.#held = undefined
    return 'another'
  }

  secrets(): string[] {
    return [...this.#secret.known(), ...this.#issued]
  }

  #heldAs(authorization: string): HeldToken | undefined {
    return authorization === this.#held?.authorization ? this.#held : undefined
  }

  #renewInBackground(held: HeldToken): void {
    held.renewAt = this.#clock.now() + this.#renewalCooldownMs
    this.#renewalCooldownMs = Math.min(this.#renewalCooldownMs * 2, LONGEST_RENEWAL_COOLDOWN_MS)
    this.#fetch.join().catch(() => undefined)
  }

  async #wait(deadline: Deadline): Promise<HeldToken | Problem> {
    try {
      return await deadline.bound(this.#fetch.join())
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
  }

  #keep(grant: Grant | Problem): HeldToken | Problem {
    if (grant instanceof Problem) return grant
    this.#held = hold(grant, this.#clock.now())
    this.#renewalCooldownMs = RENEWAL_COOLDOWN_MS
    this.#issued.push(grant.token.value)
    if (this.#issued.length > REMEMBERED) this.#issued.shift()
    return this.#held
  }
}

interface HeldToken {
  /** The value of the Authorization header. */
  authorization: string
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
function hold({ token, secret }: Grant, now: number): HeldToken {
  const plannedMs = (token.lifetimeSeconds ?? LIFETIME_SECONDS) * 1000
  // A margin for the way to Zendesk: a token that expires while it travels is refused like an expired one.
  const marginMs = Math.min(plannedMs / 10, 5_000)
  return {
    authorization: `Bearer ${token.value}`,
    secret,
    isAccepted: false,
    fetchedAt: now,
    renewAt: now + plannedMs * 0.8,
    expiresAt: now + plannedMs - marginMs,
  }
}
