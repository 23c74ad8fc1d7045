import type { IncomingMessage } from 'node:http'
import { Problem } from '../problems/problem.js'

/** What the Authorization header holds: a key or a token, or the name and the key of HTTP Basic. */
export type Credential =
  | { scheme: 'bearer'; value: string }
  | { scheme: 'basic'; name: string; key: string }
  | { scheme: 'unreadable' }

/** Undefined where the request has none. @throws {Problem} `malformed-request` where it has several. */
export function credentialFrom(request: IncomingMessage): Credential | undefined {
  const { authorization } = request.headers
  if (authorization === undefined) return undefined
  if (isJoined(authorization) || countAuthorization(request.rawHeaders) > 1)
    throw new Problem('malformed-request', {
      detail: 'Send one Authorization header with one credential.',
      logged: { reason: 'two-credentials' },
    })
  const space = authorization.indexOf(' ')
  const value = authorization.slice(space + 1).trim()
  if (space === -1 || value === '' || value.includes(' ')) return UNREADABLE
  const scheme = authorization.slice(0, space).toLowerCase()
  if (scheme === 'bearer') return { scheme, value }
  return scheme === 'basic' ? basic(value) : UNREADABLE
}

/** Three parts separated by dots (RFC 7519, section 3). */
export function looksLikeJwt(value: string): boolean {
  return /^[\w-]+\.[\w-]*\.[\w-]*$/.test(value)
}

/** Two Authorization headers that an intermediary has joined into one. */
function isJoined(authorization: string): boolean {
  return authorization.includes(',') && /,\s*(?:bearer|basic)\s/i.test(authorization)
}

/** Node keeps the first of two Authorization headers; a proxy in front may have looked at the other. */
function countAuthorization(rawHeaders: string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') count += 1
  }
  return count
}

function basic(value: string): Credential {
  const pair = Buffer.from(value, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  if (colon === -1) return UNREADABLE
  return { scheme: 'basic', name: pair.slice(0, colon), key: pair.slice(colon + 1) }
}

const UNREADABLE: Credential = { scheme: 'unreadable' }
