import { hash } from 'node:crypto'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { RedisClient } from '../redis/client.js'
import { RedisScript } from '../redis/script.js'

const WINDOW_MS = 60_000
/** New identities that get a count of their own within a window; those beyond share some. So memory is bounded. */
const NEWCOMERS_PER_WINDOW = 20_000
const SHARED_COUNTS = 1024

/** Requests a minute per identity, counted in Redis for all replicas, or in memory where there is no Redis or it does not answer. */
export class RateLimit {
  readonly perMinute: number
  readonly #name: string
  readonly #memory: RateLimiterMemory
  readonly #redis: RedisClient | undefined
  #newcomers = 0
  #countedSince = performance.now()

  /** @param name of the kind of count: two kinds never share one. */
  constructor(name: string, perMinute: number, redis: RedisClient | undefined) {
    this.perMinute = perMinute
    this.#name = name
    this.#memory = new RateLimiterMemory({ points: perMinute, duration: WINDOW_MS / 1000, keyPrefix: name })
    this.#redis = redis
  }

  /** Runs for every request, so promises are made only where there is something to wait for. */
  spend(identity: string): Promise<Standing> {
    // Redis is a place where others can look: no names and addresses there.
    const key = this.#redis ? hash('sha256', identity, 'base64url') : identity
    return this.#count(key).then((count) =>
      count.spent === 1 && this.#isCrowded() ? this.#share(identity, key) : this.#standing(count),
    )
  }

  /** Takes the identity's own count away again, and has it share one with others. */
  async #share(identity: string, key: string): Promise<Standing> {
    await this.#memory.delete(key)
    await this.#redis?.run(FORGET, this.#redisKey(key), [])
    return this.#standing(await this.#count(sharedKey(identity)))
  }

  async #count(key: string): Promise<Count> {
    const reply = await this.#redis?.run(COUNT, this.#redisKey(key), [WINDOW_MS])
    if (!Array.isArray(reply)) return this.#countHere(key)
    const [spent, resetMs] = reply.map(Number)
    return { spent: spent ?? 1, resetMs: resetMs ?? WINDOW_MS }
  }

  #countHere(key: string): Promise<Count> {
    return this.#memory.consume(key).then(countOf, (refusal: unknown) => {
      // The library rejects with the count where the limit is reached.
      if (refusal instanceof RateLimiterRes) return countOf(refusal)
      throw refusal
    })
  }

  #redisKey(key: string): string {
    return `${this.#name}:${key}`
  }

  #isCrowded(): boolean {
    const now = performance.now()
    if (now - this.#countedSince > WINDOW_MS) {
      this.#countedSince = now
      this.#newcomers = 0
    }
    this.#newcomers += 1
    return this.#newcomers > NEWCOMERS_PER_WINDOW
  }

  #standing({ spent, resetMs }: Count): Standing {
    return {
      allowed: spent <= this.perMinute,
      remaining: Math.max(this.perMinute - spent, 0),
      resetSeconds: Math.max(Math.ceil(resetMs / 1000), 1),
    }
  }
}

export interface Standing {
  allowed: boolean
  remaining: number
  /** Whole seconds until the count starts afresh, at least 1. */
  resetSeconds: number
}

interface Count {
  spent: number
  resetMs: number
}

/** KEYS[1] a count that lives for ARGV[1] milliseconds; one with a longer life is from before the clock was set back. */
const COUNT = new RedisScript(`
local spent, left = redis.call('INCR', KEYS[1]), redis.call('PTTL', KEYS[1])
local window = tonumber(ARGV[1])
if left < 0 or left > window then
  redis.call('SET', KEYS[1], 1, 'PX', window)
  return { 1, window }
end
return { spent, left }
`)
const FORGET = new RedisScript(`return redis.call('DEL', KEYS[1])`)

function countOf({ consumedPoints, msBeforeNext }: RateLimiterRes): Count {
  return { spent: consumedPoints, resetMs: msBeforeNext }
}

function sharedKey(identity: string): string {
  return `shared-${hash('sha256', identity, 'buffer').readUInt32BE() % SHARED_COUNTS}`
}
