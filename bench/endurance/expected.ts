import { catalogue, type ProblemCode } from '../../src/problems/catalogue.js'
import type { Answer, Unanswered } from '../load/callers.js'

export interface Expected {
  withinMs: number
  /** Problems that are accurate for this request; any other one is wrong. */
  problems: ReadonlySet<ProblemCode>
  token: boolean
}

/** Every caller gets a token or an accurate problem, in time. What is wrong with this outcome; undefined where nothing is. */
export function violation(outcome: Answer | Unanswered, expected: Expected): string | undefined {
  if ('unanswered' in outcome)
    return outcome.unanswered === 'left' ? undefined : `no answer: ${outcome.unanswered}`
  if (outcome.ms > expected.withinMs) return `${outcome.status} after ${outcome.ms.toFixed(0)} ms`
  return outcome.status === 200 ? tokenViolation(outcome, expected) : problemViolation(outcome, expected)
}

function tokenViolation({ body, headers }: Answer, { token }: Expected): string | undefined {
  if (!token) return 'a token for a caller who must not get one'
  const { authenticity_token: value, ...rest } = parse(body)
  if (typeof value !== 'string' || value === '' || Object.keys(rest).length > 0)
    return '200 with something other than one token'
  return headers['cache-control'] === 'no-store' ? undefined : 'a token that caches may store'
}

/** RFC 9457, the catalogue, and headers that agree with the body. */
function problemViolation({ status, body, headers }: Answer, { problems }: Expected): string | undefined {
  if (headers['content-type'] !== 'application/problem+json') return `${status} without a problem document`
  const problem = parse(body)
  const { code } = problem
  if (!isCode(code)) return `${status} with the code ${String(code)}, which is not in the catalogue`
  if (!problems.has(code)) return `${code}, which is not accurate here`
  const retryAfter = headers['retry-after']
  const agrees =
    problem['status'] === status &&
    problem['title'] === catalogue[code].title &&
    problem['requestId'] === headers['x-request-id'] &&
    problem['retryAfter'] === (retryAfter === undefined ? undefined : Number(retryAfter))
  return agrees ? undefined : `${code} whose document and headers disagree`
}

function isCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(catalogue, code)
}

function parse(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
