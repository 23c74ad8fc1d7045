import type { ProblemCode } from '../problems/catalogue.js'
import { Problem, type ZendeskReply } from '../problems/problem.js'
import { first, retryAfter } from './headers.js'
import { echoes, type SecretForms } from './secret-echo.js'

/** Octets. */
const LONGEST_TOKEN = 4096

/** One answer: header names in lower case, their values trimmed, the body decoded; undefined where it was unreadable or does not matter. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Uint8Array | undefined
  /** From the start of the call to the end of what matters of its answer, in milliseconds. */
  zendeskMs: number
}

/** The `authenticity_token` of a renewal, or the problem that the answer means. Pure; no byte of the body enters a problem. */
export function judgeRenewal(answer: Answer): string | Problem {
  if (answer.status !== 200) return judgeRefusal(answer)
  const token = field(parseJson(answer.body), 'authenticity_token')
  // A lone surrogate has no UTF-8 form, so it could not be handed on unchanged.
  if (typeof token !== 'string' || token === '' || isTooLong(token) || !token.isWellFormed()) {
    return problem('zendesk-bad-response', answer)
  }
  return token
}

/** The user whom Zendesk recognised; `id` is null where it ignored the credentials and answered as to anybody. */
export function judgeIdentity(answer: Answer): Identity | Problem {
  if (answer.status !== 200) return judgeRefusal(answer)
  const user = field(parseJson(answer.body), 'user')
  if (typeof user !== 'object' || user === null) return problem('zendesk-bad-response', answer)
  const id = field(user, 'id')
  const role = field(user, 'role')
  return { id: typeof id === 'number' ? id : null, role: typeof role === 'string' ? role : null }
}

/** The access token of a client credentials grant (RFC 6749, section 5.1), taking what token endpoints really send. */
export function judgeToken(answer: Answer): AccessToken | Problem {
  if (answer.status < 200 || answer.status > 299) return judgeTokenRefusal(answer)
  const body = parseJson(answer.body)
  const value = field(body, 'access_token')
  // RFC 6750, section 2.1: the characters a bearer token can have; others could not be sent in a header.
  if (typeof value !== 'string' || !/^[\w.~+/-]+=*$/.test(value))
    return problem('zendesk-bad-response', answer)
  return { value, lifetimeSeconds: lifetime(field(body, 'expires_in')) }
}

/** Stops an answer that echoes our own secrets, in whatever the operation hands on or in the request id. */
export function judgeEcho<T>(
  verdict: T | Problem,
  answer: Answer,
  secrets: string[],
  forms: SecretForms,
): T | Problem {
  const echo = !(verdict instanceof Problem) && echoes(verdict, secrets, forms)
  const judged = echo ? problem('zendesk-bad-response', answer) : verdict
  if (!(judged instanceof Problem) || !echoes(judged.zendesk?.requestId ?? '', secrets, forms)) return judged
  const { code, retryAfter, isTransient, isOutage } = judged
  const { status, zendeskMs } = answer
  return new Problem(code, { retryAfter, isTransient, isOutage, zendeskMs, zendesk: { status } })
}

/** For logs and traces; undefined where there is none, or one that echoes a secret of ours. */
export function requestIdOf(answer: Answer, secrets: string[], forms: SecretForms): string | undefined {
  const { requestId } = zendeskReply(answer)
  return requestId === undefined || echoes(requestId, secrets, forms) ? undefined : requestId
}

export interface Identity {
  id: number | null
  role: string | null
}

export interface AccessToken {
  value: string
  /** Undefined where the answer did not say. */
  lifetimeSeconds: number | undefined
}

function judgeTokenRefusal(answer: Answer): Problem {
  // RFC 6749, section 5.2: a refused client is a 400 or 401 with an `error`.
  const refused = answer.status === 400 || answer.status === 401
  return refused ? problem('zendesk-credentials-rejected', answer) : judgeRefusal(answer)
}

function judgeRefusal(answer: Answer): Problem {
  const { status, headers } = answer
  if (status >= 300 && status <= 399) return problem('zendesk-redirected', answer)
  if (status === 429)
    return problem('zendesk-rate-limited', answer, {
      retryAfter: retryAfter(headers) ?? 10,
      isTransient: true,
    })
  if (isOfTheEdge(answer)) return problem('zendesk-blocked', answer)
  if (status === 401) return problem('zendesk-credentials-rejected', answer)
  if (status === 403) return problem('zendesk-permission-denied', answer)
  if (status === 404 && saysNoAccount(answer.body)) return problem('zendesk-account-not-found', answer)
  if (status === 408 || status === 504)
    return problem('zendesk-timeout', answer, { isTransient: status === 504 })
  if (saysDown(status)) return problem('zendesk-unavailable', answer, { retryAfter: retryAfter(headers) })
  return problem('zendesk-error', answer, { isOutage: status >= 500 })
}

/** The statuses by which Zendesk or Cloudflare in front of it says that it is down; 520 to 527 and 530 are Cloudflare's. */
function saysDown(status: number): boolean {
  return status === 502 || status === 503 || (status >= 520 && status <= 527) || status === 530
}

/**
 * Whether Cloudflare, in front of Zendesk, answered by itself: it marks its challenges and blocks with `cf-mitigated`; its other
 * refusals are a bare code or a page (developers.cloudflare.com/support, 1xxx errors). They say nothing about roles or scopes.
 */
function isOfTheEdge({ status, headers, body }: Answer): boolean {
  if (first(headers['cf-mitigated'])) return true
  if (status !== 403 || !body || Object.keys(headers).some((name) => name.startsWith('x-zendesk-')))
    return false
  const text = Buffer.from(body).toString('latin1').trim()
  if (/^error code: 1\d{3}$/i.test(text)) return true
  return text.startsWith('<') && (headers['cf-ray'] !== undefined || /cloudflare|access denied/i.test(text))
}

function saysNoAccount(body: Answer['body']): boolean {
  if (!body) return false
  const title = field(field(parseJson(body), 'error'), 'title')
  if (typeof title === 'string') return title.startsWith('No help desk at')
  return Buffer.from(body).toString('latin1').includes('<title>Help Center Closed')
}

function problem(code: ProblemCode, answer: Answer, marks: Marks = {}): Problem {
  return new Problem(code, { ...marks, zendesk: zendeskReply(answer), zendeskMs: answer.zendeskMs })
}

/** What the status says beyond the code. */
interface Marks {
  retryAfter?: number | undefined
  isTransient?: boolean
  isOutage?: boolean
}

function zendeskReply({ status, headers }: Answer): ZendeskReply {
  const requestId = first(headers['x-request-id']) ?? first(headers['x-zendesk-request-id'])
  return requestId !== undefined && /^[A-Za-z0-9-]{1,64}$/.test(requestId)
    ? { status, requestId }
    : { status }
}

/** A real one has 86 octets in UTF-8, and every caller is sent what is accepted here. */
function isTooLong(token: string): boolean {
  return Buffer.byteLength(token) > LONGEST_TOKEN
}

function lifetime(expiresIn: unknown): number | undefined {
  const seconds = typeof expiresIn === 'string' && expiresIn.trim() !== '' ? Number(expiresIn) : expiresIn
  return typeof seconds === 'number' && Number.isFinite(seconds) ? Math.max(seconds, 0) : undefined
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/** Goes by the bytes, not the content type: Zendesk also sends JSON as text/plain. Undefined where they are not JSON. */
function parseJson(bytes: Answer['body']): unknown {
  try {
    return bytes && JSON.parse(UTF_8.decode(bytes))
  } catch {
    return undefined
  }
}
