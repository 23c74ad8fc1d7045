import { gunzipSync } from 'node:zlib'
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { request, type Dispatcher } from 'undici'
import { isIssuerUrl, type JwtConfig } from '../config/callers.js'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { outboundDispatcher } from '../network/outbound.js'
import { Problem } from '../problems/problem.js'
import { version } from '../version.js'
import { keysIn } from './key-set.js'

/** Pause after each fetch, good or bad: unknown key ids must not become a flood of requests. */
const COOL_DOWN_SECONDS = 3
/** Keys older than this are fetched again, so that those which the issuer has withdrawn go. */
const FRESH_MS = 10 * 60_000
/** For the discovery document and the keys together. */
const TIMEOUT_MS = 2_000
const LARGEST_DOCUMENT = 256 * 1024
/** Some issuers, such as the Kubernetes API server, serve keys under the media type of RFC 7517 and no other. */
const ACCEPT = 'application/jwk-set+json, application/json'

/**
 * The keys of the issuer, fetched when first needed, when a token names an unknown one, and now and then. Those once fetched
 * are used for as long as the issuer is away, which jose's own remote set does not do.
 */
export class IssuerKeys {
  readonly #config: JwtConfig
  readonly #log: IssuerLog
  readonly #changed: () => void
  readonly #agent: Dispatcher
  #keys: JWTVerifyGetKey | undefined
  /** The names of published keys that cannot be used. */
  #unusable = new Set<string | undefined>()
  #text: string | undefined
  #loading: Promise<void> | undefined
  #triedAt = -Infinity
  #loadedAt = -Infinity
  #away: Problem | undefined

  /** @param changed is called when the issuer has other keys than before. */
  constructor(config: JwtConfig, proxies: ForwardProxies, log: IssuerLog, changed: () => void) {
    this.#config = config
    this.#agent = outboundDispatcher(proxies, TIMEOUT_MS, { maxResponseSize: LARGEST_DOCUMENT })
    this.#log = log
    this.#changed = changed
  }

  /** The key for a token's header; throws the problem `identity-provider-unavailable` if it cannot be fetched. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (!this.#keys) await this.#load()
    try {
      return await this.#known(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
    }
    await this.#load()
    return this.#known(header, token)
  }

  /** Fetches the keys again, unless that was done a moment ago; true where the issuer had others. */
  async renewed(): Promise<boolean> {
    const before = this.#keys
    await this.#load().catch(() => undefined)
    return this.#keys !== before
  }

  /** Fetches the keys again, in the background, where they are old. */
  keepFresh(): void {
    if (this.#keys && performance.now() - this.#loadedAt > FRESH_MS) this.#load().catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  readonly #known: JWTVerifyGetKey = async (header, token) => {
    if (!this.#keys) throw this.#away ?? unavailable(undefined)
    try {
      return await this.#keys(header, token)
    } catch (error) {
      // jose's own errors are about the token, unless it names a key that the issuer has published in vain.
      const isUsable = error instanceof errors.JOSEError && !this.#unusable.has(header.kid)
      throw isUsable ? error : unavailable(new IssuerError('issuer-key-unusable'))
    }
  }

  #load(): Promise<void> {
    if (this.#loading) return this.#loading
    if (performance.now() - this.#triedAt < COOL_DOWN_SECONDS * 1000)
      return this.#away ? Promise.reject(this.#away) : Promise.resolve()
    this.#loading = this.#fetchKeys().finally(() => {
      this.#triedAt = performance.now()
      this.#loading = undefined
    })
    return this.#loading
  }

  async #fetchKeys(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const text = await this.#get(this.#config.jwksUrl ?? (await this.#discover(signal)), signal)
      this.#accept(text)
    } catch (error) {
      if (!this.#away) this.#log.warn(reasonOf(error), 'cannot fetch the JWKS of JWT_ISSUER')
      this.#away = unavailable(error)
      throw this.#away
    }
  }

  #accept(text: string): void {
    if (text !== this.#text) {
      const { usable, unusable } = keysIn(JSON.parse(text))
      if (usable.length + unusable.length === 0) throw new IssuerError('no-keys')
      this.#keys = createLocalJWKSet({ keys: usable })
      this.#unusable = new Set(unusable.map(({ kid }) => kid))
      if (this.#text !== undefined) this.#changed()
      this.#text = text
    }
    this.#loadedAt = performance.now()
    if (this.#away) this.#log.info({}, 'fetched the JWKS of JWT_ISSUER again')
    this.#away = undefined
  }

  /** OpenID Connect Discovery 1.0, section 4; its 4.3 says why the issuer must be the very same. */
  async #discover(signal: AbortSignal): Promise<string> {
    const { issuer } = this.#config
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const document: unknown = JSON.parse(await this.#get(address, signal))
    if (!isDiscovery(document)) throw new IssuerError('discovery-document-unusable')
    if (document.issuer !== issuer) throw new IssuerError('discovery-document-of-another-issuer')
    if (!mayHoldKeys(document.jwks_uri, issuer)) throw new IssuerError('discovery-document-unusable')
    return document.jwks_uri
  }

  /** Follows no redirect: it could lead to anybody. */
  async #get(address: string, signal: AbortSignal): Promise<string> {
    const { statusCode, headers, body } = await request(address, {
      dispatcher: this.#agent,
      headers: { accept: ACCEPT, 'user-agent': `zendesk-session-proxy/${version}` },
      signal,
      reset: true,
    })
    const bytes = Buffer.from(await body.arrayBuffer())
    if (statusCode !== 200) throw new IssuerError(`status-${statusCode}`)
    return decoded(bytes, headers['content-encoding']).toString()
  }
}

export interface IssuerLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Its code says what is wrong, in our words. */
class IssuerError extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** Some servers compress although nobody asked for it. */
function decoded(bytes: Buffer, encoding: string | string[] | undefined): Buffer {
  const coding = String(encoding ?? 'identity')
    .trim()
    .toLowerCase()
  if (coding === 'identity') return bytes
  if (coding !== 'gzip' && coding !== 'x-gzip') throw new IssuerError('unknown-content-encoding')
  return gunzipSync(bytes, { maxOutputLength: LARGEST_DOCUMENT })
}

function unavailable(cause: unknown): Problem {
  return new Problem('identity-provider-unavailable', { cause, retryAfter: COOL_DOWN_SECONDS })
}

/** A remote issuer must not send us to a port of this machine, where anyone on it could answer in clear. */
export function mayHoldKeys(address: string, issuer: string): boolean {
  return isIssuerUrl(address) && (address.startsWith('https:') || new URL(issuer).protocol === 'http:')
}

function isDiscovery(value: unknown): value is { issuer: string; jwks_uri: string } {
  if (typeof value !== 'object' || value === null || !('issuer' in value) || !('jwks_uri' in value))
    return false
  return typeof value.issuer === 'string' && typeof value.jwks_uri === 'string'
}

function reasonOf(error: unknown): { errorCode: string | undefined } {
  if (!(error instanceof Error)) return { errorCode: undefined }
  return { errorCode: 'code' in error && typeof error.code === 'string' ? error.code : error.name }
}
