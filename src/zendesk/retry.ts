import type { Problem } from '../problems/problem.js'

const MOST_TRIES = 3
const BASE_MS = 200
const CAP_MS = 2_000

/**
 * Milliseconds to wait before another try, or undefined where there should be none: full jitter (Brooker, "Exponential
 * Backoff And Jitter"), but never earlier than Zendesk asked for.
 */
export function waitBeforeRetry(problem: Problem, tries: number): number | undefined {
  if (tries >= MOST_TRIES || !problem.isTransient) return undefined
  const jittered = Math.random() * Math.min(BASE_MS * 2 ** tries, CAP_MS)
  return Math.max(jittered, (problem.retryAfter ?? 0) * 1000)
}
