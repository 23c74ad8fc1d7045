import { createHash, randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Answer } from './answers.js'
import type { Exchange } from './exchange.js'
import type { Quota } from './rate-limit.js'

type Headers = NonNullable<Answer['headers']>
type HeaderLine = [name: string, value: string]

/** Sends the answer as Zendesk would: gzip and chunked if the client accepts gzip, else with its length. */
export function send(exchange: Exchange, answer: Answer): void {
  const { request, response } = exchange
  const plain = Buffer.from(answer.body)
  const encoded = lowerCaseNames(answer.headers ?? {}).has('content-encoding')
  const compress =
    !encoded &&
    plain.length > 0 &&
    /json|html/.test(answer.contentType ?? '') &&
    /\bgzip\b/.test(String(request.headers['accept-encoding']))
  sendHead(exchange, { ...answer, headers: overlay(framing(answer, compress), answer.headers) })
  response.end(compress ? gzipSync(plain) : plain)
}

function framing(answer: Answer, compress: boolean): Headers {
  if (compress) return { 'Content-Encoding': 'gzip' }
  if (answer.status === 204 || answer.status === 304) return {}
  return { 'Content-Length': String(Buffer.byteLength(answer.body)) }
}

/** Sends and records the status, and sends the headers; the caller sends the body. */
export function sendHead(exchange: Exchange, answer: Answer): void {
  exchange.received.status = answer.status
  exchange.response.writeHead(answer.status, headerLines(answer, exchange.quota()).flat())
}

/** Every line of the head in order, with the names as Zendesk writes them and the repeated ones repeated. */
export function headerLines(answer: Answer, quota: Quota): HeaderLine[] {
  const ray = randomBytes(8).toString('hex')
  const ordinary = [...(answer.edge ? [] : zendeskLines(answer, quota, ray)), ...edgeLines(ray)]
  if (answer.contentType) ordinary.unshift(['Content-Type', answer.contentType])

  const given = answer.headers ?? {}
  const replaced = lowerCaseNames(given)
  return [
    ...ordinary.filter(([name]) => !replaced.has(name.toLowerCase())),
    ...Object.entries(given).flatMap(([name, value]) => [value].flat().map((one): HeaderLine => [name, one])),
  ]
}

/** Both together; for a name in both, whatever its case, the second wins. */
export function overlay(own: Headers = {}, given: Headers = {}): Headers {
  const replaced = lowerCaseNames(given)
  const kept = Object.entries(own).filter(([name]) => !replaced.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...given }
}

function zendeskLines(answer: Answer, quota: Quota, ray: string): HeaderLine[] {
  const fresh = answer.status >= 200 && answer.status < 300
  return [
    ['Vary', 'Accept-Encoding'],
    ['X-Zendesk-API-Version', 'v2'],
    ['X-Zendesk-Application-Version', 'v20511'],
    ['X-Frame-Options', 'SAMEORIGIN'],
    ['X-Rate-Limit', String(quota.limit)],
    ['X-Rate-Limit-Remaining', String(quota.remaining)],
    ['ratelimit-limit', String(quota.limit)],
    ['ratelimit-remaining', String(quota.remaining)],
    ['ratelimit-reset', String(quota.resetSeconds)],
    ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
    ['Cache-Control', fresh ? 'max-age=0, private, must-revalidate' : 'no-cache'],
    ...(fresh ? [etag(answer.body)] : []),
    ['X-Zendesk-Origin-Server', 'classic-app-server-54899c78c4-5qjmw'],
    ['X-Request-Id', `${ray}-SEA`],
    ['X-Runtime', '0.155449'],
    ['X-Zendesk-Zorg', 'yes'],
    ['X-Request-ID', `${ray}-SEA`],
    ['X-Content-Type-Options', 'nosniff'],
    ['Set-Cookie', `_zendesk_cookie=sandbox-cookie-${ray}; path=/; secure; HttpOnly; SameSite=None`],
  ]
}

function edgeLines(ray: string): HeaderLine[] {
  return [
    ['cf-cache-status', 'DYNAMIC'],
    ['Set-Cookie', `__cfruid=sandbox-cfruid-${ray}; path=/; HttpOnly; Secure; SameSite=None`],
    ['Set-Cookie', `_cfuvid=sandbox-cfuvid-${ray}; path=/; HttpOnly; Secure; SameSite=None`],
    ['Server', 'cloudflare'],
    ['CF-RAY', `${ray}-GRU`],
  ]
}

function etag(body: string): HeaderLine {
  return ['etag', `W/"${createHash('md5').update(body).digest('hex')}"`]
}

function lowerCaseNames(headers: Headers): Set<string> {
  return new Set(Object.keys(headers).map((name) => name.toLowerCase()))
}
