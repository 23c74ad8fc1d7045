import { hash } from 'node:crypto'
import type { Redis } from 'ioredis'
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible'

/** New identities that get a count of their own within a minute; those beyond share some. So memory is bounded. */
const NEWCOMERS_A_MINUTE = 20_000
const SHARED_COUNTS = 1024

/**
 * So many requests a minute for each identity, counted in Redis for all replicas, or in memory where there is none or while
 * it is away.
 */
export class Allowance {
  readonly perMinute: number
  readonly #limiter: RateLimiterAbstract
  readonly #shared: boolean
  #newcomers = 0
  #countedSince = performance.now()

  /** @param name of the kind of count: two kinds never share one. */
  constructor(name: string, perMinute: number, redis: Redis | undefined) {
    const options = { points: perMinute, duration: 60, keyPrefix: `zendesk-session-proxy:${name}` }
    const memory = new RateLimiterMemory(options)
    this.perMinute = perMinute
    this.#shared = redis !== undefined
    this.#limiter = redis
      ? new RateLimiterRedis({
          ...options,
          storeClient: redis,
          insuranceLimiter: memory,
          rejectIfRedisNotReady: true,
        })
      : memory
  }

  async spend(identity: string): Promise<Standing> {
    // Redis is a place where others can look: no names and addresses there.
    const key = this.#shared ? hash('sha256', identity, 'base64url') : identity
    const count = await this.#consume(key)
    if (!count.isFirstInDuration || !this.#isCrowded()) return this.#standing(count)
    await this.#limiter.delete(key)
    return this.#standing(await this.#consume(sharedKey(identity)))
  }

  /** An allowance that is used up is no error here, although the library rejects with it. */
  async #consume(key: string): Promise<RateLimiterRes> {
    try {
      return await this.#limiter.consume(key)
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return refusal
      throw refusal
    }
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

function sharedKey(identity: string): string {
  return `shared-${hash('sha256', identity, 'buffer').readUInt32BE() % SHARED_COUNTS}`
}
