import { hash } from 'node:crypto'
import { errors, type JWTPayload } from 'jose'
import type { JwtConfig } from '../config/jwt.js'
import { catalogue } from '../problems/catalogue.js'
import { Problem } from '../problems/problem.js'

/** What a token says whose signature, issuer and dates are good. @throws {Problem} where it is not for this service. */
export function readAccessToken(
  payload: JWTPayload,
  typ: string | undefined,
  { audiences, scope }: JwtConfig,
): AccessToken {
  if (!isAccessToken(payload, typ)) throw refusedToken('jwt-type')
  const isForUs = audiencesOf(payload).some((audience) => audiences.some((ours) => ours === audience))
  if (!isForUs) throw refusedToken('jwt-audience')
  return {
    subject: subjectOf(payload),
    isAllowed: scope === undefined || scopesOf(payload).includes(scope),
    expiresAt: (payload.exp ?? 0) * 1000,
  }
}

export interface AccessToken {
  /** For the log and limits. */
  subject: string
  /** Whether it has the scope that is required. */
  isAllowed: boolean
  /** Milliseconds since 1970. */
  expiresAt: number
}

/** For a token with a good signature: its holder is told what is wrong, and it is not counted as a guess. */
export function refusedToken(reason: keyof typeof DETAILS, cause?: unknown): Problem {
  const detail = DETAILS[reason]
  const challenge = { error: 'invalid_token', error_description: detail } as const
  return new Problem('caller-not-authenticated', { cause, detail, challenge, logged: { reason } })
}

/** From jose, which looks at the claims once the signature is good. */
export function refusedClaim(error: errors.JWTClaimValidationFailed | errors.JWTExpired): Problem {
  if (error instanceof errors.JWTExpired) return refusedToken('jwt-expired', error)
  if (error.claim === 'iss') return refusedToken('jwt-issuer', error)
  if (error.claim === 'nbf' && error.reason === 'check_failed')
    return refusedToken('jwt-not-yet-valid', error)
  return refusedToken('jwt-claim', error)
}

/** What the token lacks is named, so that its holder knows what to ask for. */
export function lacksScope(scope = ''): Problem {
  const { detail } = catalogue['caller-not-allowed']
  const challenge = { error: 'insufficient_scope', error_description: detail, scope } as const
  return new Problem('caller-not-allowed', { challenge, logged: { reason: 'jwt-scope' } })
}

/** They also stand in error_description, so without quotation marks and backslashes (RFC 6750, section 3). */
const DETAILS = {
  'jwt-expired': 'Your token has expired. Request a new one from its issuer.',
  'jwt-not-yet-valid':
    'Your token is not valid yet. Compare the clock of its issuer with the time of this service.',
  'jwt-audience': 'Your token was issued for another audience. Request one for the audience of this service.',
  'jwt-issuer':
    'This service does not accept the issuer of your token. Request one from the issuer that it accepts.',
  'jwt-claim': 'Your token lacks a valid exp or sub claim. Request an access token of a user or client.',
  'jwt-type': 'Your token is not an access token. Send the access token, not an ID or logout token.',
} as const

/**
 * Issuers sign other things with the same keys: logout tokens, security events (RFC 8417, section 2.2), Cognito's ID tokens
 * (token_use). Ordinary issuers give access tokens the type of RFC 9068, section 2.1, or JWT, or none.
 */
function isAccessToken(payload: JWTPayload, typ = 'JWT'): boolean {
  const use = payload['token_use'] ?? 'access'
  return /^(?:application\/)?(?:at\+)?jwt$/i.test(typ) && !('events' in payload) && use === 'access'
}

/** Access tokens of Amazon Cognito have a client_id instead of an audience. */
function audiencesOf({ aud, token_use: use, client_id: client }: JWTPayload): unknown[] {
  if (aud === undefined && use === 'access') return [client]
  return [aud].flat()
}

/** A subject that is long or odd becomes its digest. */
function subjectOf({ sub }: { sub?: unknown }): string {
  if (typeof sub !== 'string' || sub === '') throw refusedToken('jwt-claim')
  const isHarmless = /^[\w.@|:/+=~-]{1,128}$/.test(sub)
  return isHarmless ? sub : `#${hash('sha256', sub, 'base64url').slice(0, 22)}`
}

/** `scope` of RFC 8693, section 4.2; `scp` and `roles` of Entra ID; `permissions` of Auth0. As text or as a list. */
function scopesOf({ scope, scp, roles, permissions }: JWTPayload): unknown[] {
  return [scope, scp, roles, permissions].flatMap((value) =>
    typeof value === 'string' ? value.split(' ') : value,
  )
}
