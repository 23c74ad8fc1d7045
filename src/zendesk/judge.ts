import type { ProblemCode } from '../problems/catalogue.js'
import { Problem, type ZendeskReply } from '../problems/problem.js'
import { echoes } from './echo.js'

/** One answer of Zendesk's: names of headers in lower case, the body decoded; undefined where it was unreadable or is of no interest. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Uint8Array | undefined
}

/** The `authenticity_token` of a renewal, or the problem that the answer means. Pure; no byte of the body enters a problem. */
export function judgeRenewal(answer: Answer): string | Problem {
  if (answer.status !== 200) return judgeRefusal(answer)
  const token = field(parseJson(answer.body), 'authenticity_token')
  // A lone surrogate has no UTF-8 form, so it could not be handed on unchanged.
  if (typeof token !== 'string' || token === '' || !token.isWellFormed()) {
    return problem('zendesk-bad-response', answer)
  }
  return token
}

/** The user that Zendesk takes us for; `id` is null where the credentials were ignored (the soft guard of users/me). */
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

/** Keeps an answer that echoes our own secrets from handing them on, be it as a token or as a request id. */
export function judgeEcho<T>(verdict: T | Problem, answer: Answer, secrets: string[]): T | Problem {
  const echo = typeof verdict === 'string' && echoes(verdict, secrets)
  const judged = echo ? problem('zendesk-bad-response', answer) : verdict
  if (!(judged instanceof Problem) || !echoes(judged.zendesk?.requestId ?? '', secrets)) return judged
  return new Problem(judged.code, { retryAfter: judged.retryAfter, zendesk: { status: answer.status } })
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
  if (status === 429) return problem('zendesk-rate-limited', answer, retryAfter(headers) ?? 10)
  if (first(headers['cf-mitigated']) === 'challenge') return problem('zendesk-blocked', answer)
  if (status === 401) return problem('zendesk-credentials-rejected', answer)
  if (status === 403) return problem('zendesk-permission-denied', answer)
  if (status === 404 && saysNoAccount(answer.body)) return problem('zendesk-account-not-found', answer)
  if (status === 408 || status === 504) return problem('zendesk-timeout', answer)
  if (isOutage(status)) return problem('zendesk-unavailable', answer, retryAfter(headers))
  return problem('zendesk-error', answer)
}

/** The statuses by which Zendesk or the edge in front of it says that it is down; 520 to 527 are Cloudflare's. */
function isOutage(status: number): boolean {
  return status === 502 || status === 503 || (status >= 520 && status <= 527)
}

function saysNoAccount(body: Answer['body']): boolean {
  if (!body) return false
  const title = field(field(parseJson(body), 'error'), 'title')
  if (typeof title === 'string') return title.startsWith('No help desk at')
  return Buffer.from(body).toString('latin1').includes('<title>Help Center Closed')
}

function problem(code: ProblemCode, answer: Answer, retryAfter?: number): Problem {
  return new Problem(code, { retryAfter, zendesk: zendeskReply(answer) })
}

function zendeskReply({ status, headers }: Answer): ZendeskReply {
  const requestId = first(headers['x-request-id']) ?? first(headers['x-zendesk-request-id'])
  return requestId !== undefined && /^[A-Za-z0-9-]{1,64}$/.test(requestId)
    ? { status, requestId }
    : { status }
}

/** Whole seconds from 1 to 600; undefined where absent or unreadable. A date (RFC 9110, section 10.2.3) counts from `date`. */
function retryAfter(headers: Answer['headers']): number | undefined {
  const value = first(headers['retry-after'])
  if (value === undefined) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : secondsBetween(headers.date, headers['retry-after'])
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 1), 600)
}

function secondsBetween(from: Answer['headers'][string], to: Answer['headers'][string]): number {
  return Math.ceil((httpDate(to) - httpDate(from)) / 1000)
}

function httpDate(value: Answer['headers'][string]): number {
  const text = [value].flat()[0] ?? ''
  return /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : NaN
}

/** The first of the values of a header that came several times, in several lines or joined by commas. */
function first(value: string | string[] | undefined): string | undefined {
  return [value].flat()[0]?.split(',')[0]?.trim()
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

/** The bytes rather than the content type decide: Zendesk also sends JSON as text/plain. Undefined where they are no JSON. */
function parseJson(bytes: Answer['body']): unknown {
  try {
    return bytes && JSON.parse(UTF_8.decode(bytes))
  } catch {
    return undefined
  }
}
