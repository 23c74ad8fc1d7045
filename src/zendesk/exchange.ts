import { errorCode } from '../log/error-place.js'
import type { ProblemCode } from '../problems/catalogue.js'
import { Problem } from '../problems/problem.js'
import type { Answer } from './judge.js'
import type { Operation, OperationName, Verdict } from './operation.js'
import { rateLimitOf, type RateLimit } from './rate-limit.js'

/** One call to Zendesk, for logs and metrics. */
export interface Exchange {
  operation: OperationName
  outcome: 'ok' | ProblemCode
  status: number | undefined
  /** Under which Zendesk's support finds the call. */
  requestId?: string | undefined
  /** Where the answer tells of the account's limit. */
  rateLimit: RateLimit | undefined
  zendeskMs: number
  /** Seconds for which Zendesk wants no calls. */
  retryAfter?: number | undefined
  /** What the system, TLS or HTTP said where no answer came, e.g. ECONNREFUSED. */
  errorCode?: string | undefined
}

/** What became of a call. The account's limit is told by the API, not by the token endpoint, which has one of its own. */
export function describe(
  { name: operation, path }: Operation<unknown>,
  answer: Answer | Problem,
  verdict: Verdict<unknown>,
): Exchange {
  const answered = answer instanceof Problem ? undefined : answer
  const isApi = path.startsWith('/api/')
  const seen = {
    operation,
    status: answered?.status,
    rateLimit: answered && isApi ? rateLimitOf(answered) : undefined,
    zendeskMs: verdict.zendeskMs ?? 0,
  }
  if (!(verdict instanceof Problem)) return { ...seen, outcome: 'ok' }
  const { code, retryAfter, cause } = verdict
  return { ...seen, outcome: code, retryAfter, errorCode: errorCode(cause) }
}
