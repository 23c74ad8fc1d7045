import { hash } from 'node:crypto'
import type { RedisClient } from '../redis/client.js'
import { RedisScript } from '../redis/script.js'
import { LocalCounts, type Count } from './local-counts.js'

const WINDOW_MS = 60_000
/** New identities that get a count of their own within a window; those beyond share some. So memory is bounded. */
const NEWCOMERS_PER_WINDOW = 20_000
const SHARED_COUNTS = 1024

/** Requests a minute per identity, counted in Redis for all replicas, or in memory where there is no Redis or it does not answer. */
export class RateLimit {
  readonly perMinute: number
  readonly #name: string
  readonly #redis: RedisClient | undefined
  readonly #now: () => number
  readonly #local: LocalCounts
  #newcomers = 0
  #countedSince: number

  /** @param name of the kind of count: two kinds never share one. */
  constructor(
    name: string,
    perMinute: number,
    redis: RedisClient | undefined,
    now = () => performance.now(),
  ) {
    this.perMinute = perMinute
    this.#name = name
    this.#redis = redis
    this.#now = now
    this.#local = new LocalCounts(WINDOW_MS, now)
    this.#countedSince = now()
  }

  /** Counts one request. Every request does this, so it gives a promise only where Redis has to be waited for. */
  spend(identity: string): Standing | Promise<Standing> {
    if (this.#redis?.connected) return this.#spendShared(this.#redis, identity)
    return this.#standing(this.#spendHere(identity))
  }

  #spendHere(identity: string): Count {
    const count = this.#local.spend(identity)
    if (count.spent > 1 || !this.#isCrowded()) return count
    this.#local.forget(identity)
    return this.#local.spend(sharedKey(identity))
  }

  async #spendShared(redis: RedisClient, identity: string): Promise<Standing> {
    // Redis is a place where others can look: no names and addresses there.
    const key = `${this.#name}:${hash('sha256', identity, 'base64url')}`
    let count = await this.#countIn(redis, key)
    if (count?.spent === 1 && this.#isCrowded()) {
      await redis.run(FORGET, key, [])
      count = await this.#countIn(redis, `${this.#name}:${sharedKey(identity)}`)
    }
    return this.#standing(count ?? this.#spendHere(identity))
  }

  /** Undefined where Redis does not answer. */
  async #countIn(redis: RedisClient, key: string): Promise<Count | undefined> {
    const reply = await redis.run(COUNT, key, [WINDOW_MS])
    if (!Array.isArray(reply)) return undefined
    const [spent = 1, resetMs = WINDOW_MS] = reply.map(Number)
    return { spent, resetMs }
  }

  #isCrowded(): boolean {
    const now = this.#now()
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

function sharedKey(identity: string): string {
  return `shared-${hash('sha256', identity, 'buffer').readUInt32BE() % SHARED_COUNTS}`
}
