import { catalogue, type ProblemCode } from '../src/problems/catalogue.js'
import type { Answer, Lost } from './callers.js'

export interface Owed {
  /** In which the answer must be there. */
  withinMs: number
  /** The problems that are true here; any other one is false, whatever it looks like. */
  truths: ReadonlySet<ProblemCode>
  /** Default true: a token is a good answer. */
  token?: boolean
}

/** Every caller is owed a token or a true problem, in time. What is wrong with this outcome; undefined where nothing is. */
export function brokenPromise(outcome: Answer | Lost, owed: Owed): string | undefined {
  if ('lost' in outcome) return outcome.lost === 'left' ? undefined : `no answer: ${outcome.lost}`
  const { tookMs, lagMs, status } = outcome
  if (tookMs - lagMs > owed.withinMs) return `${status} after ${tookMs.toFixed(0)} ms`
  return status === 200 ? notAToken(outcome, owed) : notATrueProblem(outcome, owed)
}

function notAToken({ body, headers }: Answer, { token = true }: Owed): string | undefined {
  if (!token) return 'a token for somebody who must not have one'
  const { authenticity_token: value, ...rest } = parse(body)
  if (typeof value !== 'string' || value === '' || Object.keys(rest).length > 0)
    return '200 without a token alone'
  return headers['cache-control'] === 'no-store' ? undefined : 'a token that may be stored'
}

/** RFC 9457, the catalogue, and headers that agree with the body. */
function notATrueProblem({ status, body, headers }: Answer, { truths }: Owed): string | undefined {
  if (headers['content-type'] !== 'application/problem+json') return `${status} that is no problem document`
  const problem = parse(body)
  const { code } = problem
  if (!isCode(code)) return `${status} with the code ${String(code)}, which is not in the catalogue`
  if (!truths.has(code)) return `${code}, which is not true here`
  const faithful =
    problem['status'] === status &&
    problem['title'] === catalogue[code].title &&
    problem['requestId'] === headers['x-request-id'] &&
    problem['retryAfter'] === seconds(headers['retry-after'])
  return faithful ? undefined : `${code} whose document and headers disagree`
}

function seconds(header: string | string[] | undefined): number | undefined {
  return header === undefined ? undefined : Number(header)
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
