import { hash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { BackOff } from '../redis/back-off.js'

/** New identities that get a count of their own within a minute; those beyond share some. So memory is bounded. */
const NEWCOMERS_A_MINUTE = 20_000
const SHARED_COUNTS = 1024

/**
 * Requests a minute per identity, counted in Redis for all replicas, or in memory without Redis and while it does not
 * answer.
 */
export class RateLimit {
  readonly perMinute: number
  readonly #memory: RateLimiterMemory
  readonly #redis: RateLimiterRedis | undefined
  readonly #backOff: BackOff | undefined
  #newcomers = 0
  #countedSince = performance.now()

  /** @param name of the kind of count: two kinds never share one. */
  constructor(name: string, perMinute: number, redis: Redis | undefined) {
    const options = { points: perMinute, duration: 60, keyPrefix: `zendesk-session-proxy:${name}` }
    this.perMinute = perMinute
    this.#memory = new RateLimiterMemory(options)
    this.#backOff = redis && BackOff.of(redis)
    this.#redis =
      redis && new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true })
  }

  /** Runs for every request, so promises are made only where there is something to wait for. */
  spend(identity: string): Promise<Standing> {
    // Redis is a place where others can look: no names and addresses there.
    const key = this.#redis ? hash('sha256', identity, 'base64url') : identity
    const settle = (count: RateLimiterRes) =>
      count.isFirstInDuration && this.#isCrowded() ? this.#share(identity, key) : this.#standing(count)
    return this.#consume(key).then(settle, (refusal: unknown) => settle(countOf(refusal)))
  }

  /** Takes the identity's own count away again, and has it share one with others. */
  async #share(identity: string, key: string): Promise<Standing> {
    await this.#forget(key)
    return this.#standing(await this.#consume(sharedKey(identity)).catch(countOf))
  }

  /** Rejects with the count where the limit is used up, as the library does. */
  #consume(key: string): Promise<RateLimiterRes> {
    return this.#redis && !this.#backOff?.active
      ? this.#consumeShared(this.#redis, key)
      : this.#memory.consume(key)
  }

  /** In memory where Redis fails, and for a while after that: a slow one must not hold up every request. */
  async #consumeShared(redis: RateLimiterRedis, key: string): Promise<RateLimiterRes> {
    const startedAt = performance.now()
    try {
      return await redis.consume(key)
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return refusal
      this.#backOff?.failed(startedAt)
      return this.#memory.consume(key)
    }
  }

  async #forget(key: string): Promise<void> {
    await this.#memory.delete(key)
    await this.#redis?.delete(key).catch(() => undefined)
  }

  #isCrowded(): boolean {
    const now = performance.now()
    if (now - this.#countedSince > 60_000) {
      this.#countedSince = now
      this.#newcomers = 0
    }
    this.#newcomers += 1
    return this.#newcomers > NEWCOMERS_A_MINUTE
  }

  #standing({ consumedPoints, remainingPoints, msBeforeNext }: RateLimiterRes): Standing {
    return {
      allowed: consumedPoints <= this.perMinute,
      remaining: remainingPoints,
      resetSeconds: Math.max(Math.ceil(msBeforeNext / 1000), 1),
    }
  }
}

export interface Standing {
  allowed: boolean
  remaining: number
  /** Whole seconds until the count starts afresh, at least 1. */
  resetSeconds: number
}

/** An limit that is used up is no error here. */
function countOf(refusal: unknown): RateLimiterRes {
  if (refusal instanceof RateLimiterRes) return refusal
  throw refusal
}

function sharedKey(identity: string): string {
  return `shared-${hash('sha256', identity, 'buffer').readUInt32BE() % SHARED_COUNTS}`
}
