import type { Answer } from './judge.js'

/** What Zendesk tells with its answers: the requests a minute of the whole account, all integrations together. */
export interface RateLimit {
  limit: number
  /** Left until the limit is reset. */
  remaining: number
  /** Until it is reset, in seconds; undefined where the answer did not say. */
  resetSeconds: number | undefined
}

/** Under the names of today, of 2024 and of before; undefined where the answer does not tell. */
export function rateLimitOf({ headers }: Pick<Answer, 'headers'>): RateLimit | undefined {
  const limit = count(headers['x-rate-limit'] ?? headers['ratelimit-limit'] ?? headers['rate-limit-limit'])
  const remaining = count(
    headers['x-rate-limit-remaining'] ?? headers['ratelimit-remaining'] ?? headers['rate-limit-remaining'],
  )
  if (limit === undefined || remaining === undefined || limit === 0) return undefined
  const resetSeconds = count(headers['ratelimit-reset'] ?? headers['rate-limit-reset'])
  return { limit, remaining: Math.min(remaining, limit), resetSeconds }
}

/** The first of several values; a structured field has parameters behind a semicolon. */
function count(value: Answer['headers'][string]): number | undefined {
  const digits = /^\s*(\d{1,7})\s*(?:[,;]|$)/.exec([value].flat()[0] ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}
