import type { RedisClient } from '../redis/client.js'
import { Problem } from '../problems/problem.js'
import { networkOf } from './network.js'
import { RateLimit, type Standing } from './rate-limit.js'
import type { WrongCredential } from './wrong-credential.js'

/** Wrong credentials a minute from one address; further ones are answered with 429. */
const ATTEMPTS_PER_MINUTE = 10
/** For an address above that: an honest caller may share it, so its new tokens are still verified, but only so many. */
const SIGNATURES_PER_SECOND = 10
/** Addresses remembered as being above the limit. */
const MOST_SLOWED = 10_000

/** Wrong credentials by the address that they came from. */
export class FailedAttempts {
  readonly #limit: RateLimit
  readonly #now: () => number
  /** Addresses above the limit, as far as this replica knows. */
  readonly #slowed = new Map<string, Slowed>()

  constructor(redis: RedisClient | undefined, now = () => performance.now()) {
    this.#limit = new RateLimit('failed', ATTEMPTS_PER_MINUTE, redis, now)
    this.#now = now
  }

  /** What to answer: the refusal itself, or that too many wrong credentials came from this address. */
  count(refusal: WrongCredential, ip: string): Problem | Promise<Problem> {
    const network = networkOf(ip)
    const standing = this.#limit.spend(network)
    return standing instanceof Promise
      ? standing.then((shared) => this.#answer(shared, network, refusal))
      : this.#answer(standing, network, refusal)
  }

  /**
   * To be asked before signatures are computed, since a forged token costs its sender nothing.
   * @throws {Problem} `caller-rate-limited` where the address is above the limit and has used up its signatures.
   */
  allowSignatures(ip: string, signatures: number): void {
    if (this.#slowed.size === 0) return
    const network = networkOf(ip)
    const slowed = this.#slowed.get(network)
    const now = this.#now()
    if (!slowed || now >= slowed.until) return
    if (now - slowed.since >= 1000) Object.assign(slowed, { since: now, signatures: 0 })
    slowed.signatures += signatures
    if (slowed.signatures > SIGNATURES_PER_SECOND) throw tooMany(1, 'too-many-failed-attempts')
  }

  #answer(
    { allowed, remaining, resetSeconds }: Standing,
    network: string,
    refusal: WrongCredential,
  ): Problem {
    if (remaining === 0) this.#slow(network, resetSeconds)
    return allowed ? refusal : tooMany(resetSeconds, refusal.reason)
  }

  #slow(network: string, seconds: number): void {
    const now = this.#now()
    if (now < (this.#slowed.get(network)?.until ?? 0)) return
    const [oldest] = this.#slowed.keys()
    if (oldest !== undefined && this.#slowed.size >= MOST_SLOWED) this.#slowed.delete(oldest)
    this.#slowed.set(network, { until: now + seconds * 1000, since: now, signatures: 0 })
  }
}

interface Slowed {
  /** On the clock of `now`; the limit starts afresh then. */
  until: number
  /** When the second began in which signatures are counted. */
  since: number
  signatures: number
}

function tooMany(retryAfter: number, reason: string): Problem {
  const detail = 'Too many wrong credentials came from your address. Correct yours.'
  return new Problem('caller-rate-limited', { retryAfter, detail, logged: { reason } })
}
