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
/** After a failure Redis is left alone for so many times as long as that took. */
const LEAVE_ALONE = 5

/**
 * So many requests a minute for each identity, counted in Redis for all replicas, or in memory where there is none or while
 * it is away.
 */
export class Allowance {
  readonly perMinute: number
  readonly #memory: RateLimiterMemory
  readonly #redis: RateLimiterRedis | undefined
  #redisFrom = 0
  #newcomers = 0
  #countedSince = performance.now()

  /** @param name of the kind of count: two kinds never share one. */
  constructor(name: string, perMinute: number, redis: Redis | undefined) {
    const options = { points: perMinute, duration: 60, keyPrefix: `zendesk-session-proxy:${name}` }
    this.perMinute = perMinute
    this.#memory = new RateLimiterMemory(options)
    this.#redis =
      redis && new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true })
  }

  async spend(identity: string): Promise<Standing> {
    // Redis is a place where others can look: no names and addresses there.
    const key = this.#redis ? hash('sha256', identity, 'base64url') : identity
    const count = await this.#consume(key)
    if (!count.isFirstInDuration || !this.#isCrowded()) return this.#standing(count)
    await this.#forget(key)
    return this.#standing(await this.#consume(sharedKey(identity)))
  }

  async #consume(key: string): Promise<RateLimiterRes> {
    return (await this.#consumeShared(key)) ?? consume(this.#memory, key)
  }

  /** Undefined where Redis does not answer, or lately did not: a slow one must not hold up every request. */
  async #consumeShared(key: string): Promise<RateLimiterRes | undefined> {
    const startedAt = performance.now()
    if (!this.#redis || startedAt < this.#redisFrom) return undefined
    try {
      return await consume(this.#redis, key)
    } catch {
      const failedAt = performance.now()
      this.#redisFrom = failedAt + (failedAt - startedAt) * LEAVE_ALONE
      return undefined
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

/** An allowance that is used up is no error here, although the library rejects with it. */
async function consume(limiter: RateLimiterAbstract, key: string): Promise<RateLimiterRes> {
  try {
    return await limiter.consume(key)
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return refusal
    throw refusal
  }
}

function sharedKey(identity: string): string {
  return `shared-${hash('sha256', identity, 'buffer').readUInt32BE() % SHARED_COUNTS}`
}
