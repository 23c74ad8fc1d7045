import { hash } from 'node:crypto'
import {
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose'
import type { JwtConfig } from '../config/callers.js'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { Problem } from '../problems/problem.js'
import { IssuerKeys, type IssuerLog } from './issuer-keys.js'
import { WrongCredential } from './refusal.js'

/** Asymmetric ones only: with HS256 anybody who knows our public keys could sign (RFC 8725, section 2.1). */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

const CLOCK_TOLERANCE_SECONDS = 5

/** Tokens remembered; some 200 bytes each. */
const REMEMBERED = 10_000

/** The JWTs of the issuer. One that was verified is remembered by its digest until it expires or the issuer's keys change. */
export class CallerTokens {
  readonly #config: JwtConfig
  readonly #keys: IssuerKeys
  readonly #remembered = new Map<string, Holder>()

  constructor(config: JwtConfig, proxies: ForwardProxies, log: IssuerLog) {
    this.#config = config
    this.#keys = new IssuerKeys(config, proxies, log, () => {
      this.#remembered.clear()
    })
  }

  /**
   * Who holds the token; at once where it is remembered.
   * @throws {Problem} `caller-not-authenticated`, `caller-not-allowed` or `identity-provider-unavailable`.
   */
  holderOf(token: string): string | Promise<string> {
    this.#keys.keepFresh()
    const digest = hash('sha256', token, 'base64')
    const holder = this.#remembered.get(digest)
    if (!holder) return this.#verify(token, digest)
    if (holder.expiresAt > Date.now()) return admitted(holder)
    this.#remembered.delete(digest)
    return this.#verify(token, digest)
  }

  async close(): Promise<void> {
    await this.#keys.close()
  }

  async #verify(token: string, digest: string): Promise<string> {
    const { issuer, audience, scope } = this.#config
    const payload = await this.#payloadOf(token, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    })
    const holder = {
      name: holderName(subjectOf(payload)),
      allowed: scope === undefined || scopesOf(payload).includes(scope),
      expiresAt: (payload.exp ?? 0) * 1000,
    }
    this.#remember(digest, holder)
    return admitted(holder)
  }

  async #payloadOf(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    try {
      return await this.#verified(token, options)
    } catch (error) {
      if (error instanceof Problem) throw error
      // jose's own errors are about the token. Any other is about a key that the issuer should not have published.
      if (!(error instanceof errors.JOSEError))
        throw new Problem('identity-provider-unavailable', { cause: error, retryAfter: 3 })
      throw isHonest(error)
        ? new Problem('caller-not-authenticated', { cause: error, challenge: 'invalid_token' })
        : new WrongCredential(error)
    }
  }

  async #verified(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    try {
      return await verifyWith(this.#keys.find, token, options)
    } catch (error) {
      // A key may have been replaced by one that goes by the same name, or by none.
      const mayBeReplaced = error instanceof errors.JWSSignatureVerificationFailed
      if (!mayBeReplaced || !(await this.#keys.renewed())) throw error
      return verifyWith(this.#keys.find, token, options)
    }
  }

  #remember(digest: string, holder: Holder): void {
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined && this.#remembered.size >= REMEMBERED) this.#remembered.delete(oldest)
    this.#remembered.set(digest, holder)
  }
}

interface Holder {
  name: string
  /** Whether it has the scope that is asked for. */
  allowed: boolean
  /** Milliseconds since 1970. */
  expiresAt: number
}

function admitted({ name, allowed }: Holder): string {
  if (!allowed) throw new Problem('caller-not-allowed', { challenge: 'insufficient_scope' })
  return name
}

/** Where a token does not name its key, each key that it could be is tried (jose's documentation of createLocalJWKSet). */
async function verifyWith(
  find: JWTVerifyGetKey,
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return accessToken(await jwtVerify(token, find, options))
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    for await (const key of error) {
      try {
        return accessToken(await jwtVerify(token, key, options))
      } catch (failure) {
        // Another one may be meant, also where this one cannot be used at all (RFC 7517, section 5).
        if (isHonest(failure)) throw failure
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/**
 * Issuers sign other things with the same keys: logout tokens, security events (RFC 8417, section 2.2). Ordinary issuers give
 * access tokens the type of RFC 9068, section 2.1, or JWT, or none.
 */
function accessToken({ payload, protectedHeader: { typ = 'JWT' } }: JWTVerifyResult): JWTPayload {
  if (!/^(?:application\/)?(?:at\+)?jwt$/i.test(typ))
    throw new errors.JWTClaimValidationFailed('not the type of an access token', payload, 'typ')
  if ('events' in payload) throw new errors.JWTClaimValidationFailed('a security event', payload, 'events')
  return payload
}

/** Not a guess: a token that is expired or not for us has a good signature. */
function isHonest(error: unknown): boolean {
  return error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed
}

/** Typed as a string, but a token holds what its issuer put there. */
function subjectOf({ sub }: { sub?: unknown }): string {
  if (typeof sub !== 'string' || sub === '') throw new WrongCredential()
  return sub
}

/** For log and limits. The colon keeps it apart from the names of keys; a subject that is long or odd becomes its digest. */
function holderName(subject: string): string {
  const harmless = /^[\w.@|:/+=~-]{1,128}$/.test(subject)
  return harmless ? `jwt:${subject}` : `jwt:#${hash('sha256', subject, 'base64url').slice(0, 22)}`
}

/** `scope` of RFC 8693, section 4.2, or the `scp` of other issuers, which may be a list. */
function scopesOf({ scope, scp }: JWTPayload): unknown[] {
  return [scope, scp].flatMap((value) => (typeof value === 'string' ? value.split(' ') : value))
}
