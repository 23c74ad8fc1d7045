import type { JWK, ProtectedHeaderParameters } from 'jose'
import type { Dispatcher } from 'undici'
import type { JwtConfig } from '../config/jwt.js'
import { Problem } from '../problems/problem.js'
import { fetchKeys, IssuerError } from './issuer-documents.js'
import { KeySet } from './key-set.js'

/** Pause after each fetch, good or bad: unknown key ids must not become a flood of requests. */
const COOL_DOWN_SECONDS = 3
/** Keys older than this are fetched again, so that withdrawn ones disappear. */
const FRESH_MS = 10 * 60_000

/**
 * The keys of one issuer: fetched when first needed, when a token names an unknown one, and when they are old. While the issuer
 * cannot be reached, those fetched before stay in use, which jose's own remote set does not do.
 */
export class IssuerKeys {
  readonly issuer: string
  readonly #fetch: () => Promise<string>
  readonly #log: IssuerLog
  #keys: KeySet | undefined
  #text: string | undefined
  #loading: Promise<void> | undefined
  #triedAt = -Infinity
  #loadedAt = -Infinity
  #unavailable: Problem | undefined

  constructor(issuer: string, config: JwtConfig, dispatcher: Dispatcher, log: IssuerLog) {
    this.issuer = issuer
    this.#fetch = () => fetchKeys(issuer, config, dispatcher)
    this.#log = log
  }

  /** Those in use now; another object once the issuer has published others. */
  get current(): KeySet | undefined {
    return this.#keys
  }

  /**
   * The keys that may have signed a token with this header; none where nobody has published such a key.
   * @throws {Problem} `identity-provider-unavailable` where the keys cannot be fetched or the one that is named cannot be used.
   */
  async candidatesFor(header: ProtectedHeaderParameters): Promise<Candidates> {
    if (!this.#keys) await this.#load()
    const found = this.#candidatesFor(header)
    if (found.candidates.length > 0) return found
    await this.#load()
    const renewed = this.#candidatesFor(header)
    if (renewed.candidates.length === 0 && renewed.keys.isUnusable(header.kid)) throw unusableKey()
    return renewed
  }

  /** Fetches the keys again, unless that was done a moment ago; true where the issuer has published others. */
  async refresh(): Promise<boolean> {
    const before = this.#keys
    await this.#load().catch(() => undefined)
    return this.#keys !== before
  }

  /** Fetches the keys again, in the background, where they are old. */
  keepFresh(): void {
    if (this.#keys && performance.now() - this.#loadedAt > FRESH_MS) this.#load().catch(() => undefined)
  }

  #candidatesFor(header: ProtectedHeaderParameters): Candidates {
    const keys = this.#keys
    if (!keys) throw this.#unavailable ?? unavailable(undefined)
    return { keys, candidates: keys.candidatesFor(header) }
  }

  #load(): Promise<void> {
    if (this.#loading) return this.#loading
    if (performance.now() - this.#triedAt < COOL_DOWN_SECONDS * 1000)
      return this.#unavailable ? Promise.reject(this.#unavailable) : Promise.resolve()
    this.#loading = this.#replaceKeys().finally(() => {
      this.#triedAt = performance.now()
      this.#loading = undefined
    })
    return this.#loading
  }

  async #replaceKeys(): Promise<void> {
    const { issuer } = this
    try {
      this.#accept(await this.#fetch())
    } catch (error) {
      if (!this.#unavailable)
        this.#log.warn({ issuer, errorCode: errorCodeOf(error) }, 'cannot fetch the JWKS of JWT_ISSUER')
      this.#unavailable = unavailable(error)
      throw this.#unavailable
    }
    if (this.#unavailable) this.#log.info({ issuer }, 'fetched the JWKS of JWT_ISSUER again')
    this.#unavailable = undefined
    this.#loadedAt = performance.now()
  }

  #accept(text: string): void {
    if (text === this.#text) return
    const keys = new KeySet(JSON.parse(text))
    if (keys.isEmpty) throw new IssuerError('no-keys')
    this.#keys = keys
    this.#text = text
  }
}

interface Candidates {
  keys: KeySet
  candidates: JWK[]
}

export interface IssuerLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** A key that is published but cannot verify anything. */
export function unusableKey(cause?: unknown): Problem {
  return unavailable(cause ?? new IssuerError('issuer-key-unusable'), 'issuer-key-unusable')
}

function unavailable(cause: unknown, reason = 'issuer-unavailable'): Problem {
  return new Problem('identity-provider-unavailable', {
    cause,
    retryAfter: COOL_DOWN_SECONDS,
    logged: { reason },
  })
}

function errorCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
