import { catalogue, type ProblemCode } from './catalogue.js'
import type { ProblemType } from './problem-type.js'

/** The only error class of this service. The error handler alone turns it into an answer. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly retryAfter: number | undefined
  readonly zendesk: ZendeskReply | undefined
  readonly allow: string | undefined
  readonly challenge: Challenge | undefined
  /** Only for the log line of the request, such as why its caller was refused. */
  readonly logged: Readonly<Record<string, string>> | undefined
  /** Whether it may pass by itself within moments, so that this service tries again. */
  readonly isTransient: boolean
  /** Whether Zendesk is down or cannot be reached, as opposed to refusing us. */
  readonly isOutage: boolean
  /** How long Zendesk took for the answer that led to this, in milliseconds; for the log. */
  readonly zendeskMs: number | undefined
  /** Set where no call was made: what a call would have had to wait for. */
  readonly waitsFor: WaitsFor | undefined

  constructor(code: ProblemCode, particulars: Particulars = {}) {
    super(particulars.detail ?? catalogue[code].detail, { cause: particulars.cause })
    const type: ProblemType = catalogue[code]
    this.name = 'Problem'
    this.code = code
    this.status = particulars.status ?? catalogue[code].status
    this.retryAfter = particulars.retryAfter
    this.zendesk = particulars.zendesk
    this.allow = particulars.allow
    this.challenge = particulars.challenge
    this.logged = particulars.logged
    this.isTransient = particulars.isTransient ?? type.isTransient ?? false
    this.isOutage = particulars.isOutage ?? type.isOutage ?? false
    this.zendeskMs = particulars.zendeskMs
    this.waitsFor = particulars.waitsFor
  }
}

/** The body of an `application/problem+json` answer (RFC 9457, section 3, and our extension members). */
export function problemDocument(problem: Problem, requestId: string, publicUrl = ''): ProblemDocument {
  return {
    type: problemTypeUri(problem.code, publicUrl),
    title: catalogue[problem.code].title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    requestId,
    ...(problem.retryAfter !== undefined && { retryAfter: problem.retryAfter }),
    ...(problem.zendesk && { zendesk: problem.zendesk }),
  }
}

/** The headers that every answer of this service carries, whatever wrote it. */
export function answerHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }
}

/** The headers that belong to a problem, without those that every answer carries. */
export function problemHeaders(problem: Problem): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    ...(problem.retryAfter !== undefined && { 'retry-after': String(problem.retryAfter) }),
    ...(problem.allow !== undefined && { allow: problem.allow }),
    ...((problem.status === 401 || problem.challenge) && { 'www-authenticate': challengeHeader(problem) }),
  }
}

/** Never Basic, although it is accepted: a browser would open its password dialog. */
function challengeHeader({ challenge }: Problem): string {
  const parameters = [['realm', 'zendesk-session-proxy'], ...Object.entries(challenge ?? {})]
  return `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(', ')}`
}

export function problemTypeUri(code: ProblemCode, publicUrl = ''): string {
  return `${publicUrl}/problems/${code}`
}

interface Particulars {
  cause?: unknown
  /** Our own sentence; never a text from Zendesk or from an exception. */
  detail?: string
  /** Only where one code has several statuses. */
  status?: number
  /** Whole seconds, at least 1. */
  retryAfter?: number | undefined
  zendesk?: ZendeskReply | undefined
  /** The value of the Allow header of a 405. */
  allow?: string
  challenge?: Challenge
  logged?: Readonly<Record<string, string>>
  /** Only where they differ from what the catalogue says of the code, as for one status of several. */
  isTransient?: boolean | undefined
  isOutage?: boolean | undefined
  zendeskMs?: number | undefined
  waitsFor?: WaitsFor | undefined
}

/** Why no call to Zendesk is made right now. */
export type WaitsFor = 'budget' | 'pause' | 'credentials' | 'breaker'

/** The parameters of www-authenticate (RFC 6750, section 3). A request without any credential gets none. */
interface Challenge {
  error: 'invalid_token' | 'insufficient_scope'
  /** Without quotation marks and backslashes. */
  error_description?: string
  scope?: string
}

/** What a caller may know about Zendesk's answer. */
export interface ZendeskReply {
  status: number
  requestId?: string
}

export interface ProblemDocument {
  type: string
  title: string
  status: number
  detail: string
  code: ProblemCode
  requestId: string
  retryAfter?: number
  zendesk?: ZendeskReply
}
