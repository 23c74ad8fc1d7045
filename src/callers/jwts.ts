import { hash } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, type ProtectedHeaderParameters } from 'jose'
import type { Dispatcher } from 'undici'
import type { JwtConfig } from '../config/jwt.js'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { outboundDispatcher } from '../network/outbound.js'
import { lacksScope, readAccessToken, type AccessToken } from './access-token.js'
import type { Caller, CallerRequest } from './caller.js'
import type { FailedAttempts } from './failed-attempts.js'
import { DOCUMENTS_TIMEOUT_MS, LARGEST_DOCUMENT } from './issuer-documents.js'
import { IssuerKeys, type IssuerLog } from './issuer-keys.js'
import type { KeySet } from './key-set.js'
import { verifySignature } from './signature.js'
import { WrongCredential } from './wrong-credential.js'

/** Tokens remembered; some 200 bytes each. */
const REMEMBERED = 10_000

/** The JWTs of the configured issuers. A verified one is remembered by its digest until it expires or its issuer's keys change. */
export class Jwts {
  readonly #config: JwtConfig
  readonly #attempts: FailedAttempts
  readonly #dispatcher: Dispatcher
  readonly #issuers: IssuerKeys[]
  readonly #remembered = new Map<string, Verified>()

  constructor(config: JwtConfig, proxies: ForwardProxies, log: IssuerLog, attempts: FailedAttempts) {
    this.#config = config
    this.#attempts = attempts
    this.#dispatcher = outboundDispatcher(proxies, DOCUMENTS_TIMEOUT_MS, {
      maxResponseSize: LARGEST_DOCUMENT,
    })
    this.#issuers = config.issuers.map((issuer) => new IssuerKeys(issuer, config, this.#dispatcher, log))
  }

  /**
   * Who holds the token; at once where it is remembered.
   * @throws {Problem} `caller-not-authenticated`, `caller-not-allowed`, `caller-rate-limited` or `identity-provider-unavailable`.
   */
  callerFrom(token: string, request: CallerRequest): Caller | Promise<Caller> {
    const digest = hash('sha256', token, 'base64')
    const known = this.#remembered.get(digest)
    known?.issuer.keepFresh()
    if (known && known.token.expiresAt > Date.now() && known.keys === known.issuer.current)
      return this.#admit(known)
    this.#remembered.delete(digest)
    return this.#verify(token, digest, request)
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy()
  }

  async #verify(token: string, digest: string, { ip }: CallerRequest): Promise<Caller> {
    const { header, iss } = decoded(token)
    const issuer = this.#issuerOf(iss)
    const { payload, keys } = await verifySignature(token, header, issuer, (signatures) => {
      this.#attempts.allowSignatures(ip, signatures)
    })
    const accessToken = readAccessToken(payload, header.typ, this.#config)
    const verified = { caller: { name: this.#nameOf(accessToken, issuer) }, token: accessToken, issuer, keys }
    this.#remember(digest, verified)
    return this.#admit(verified)
  }

  /** The token's own word, not proven yet. With a single issuer its keys are tried anyway: its old name is a usual mistake. */
  #issuerOf(iss: unknown): IssuerKeys {
    const named = this.#issuers.find(({ issuer }) => issuer === iss)
    const [first, ...others] = this.#issuers
    if (named) return named
    if (!first || others.length > 0) throw new WrongCredential('jwt-issuer')
    return first
  }

  /** The colon keeps it apart from the names of keys. One subject may exist at several issuers. */
  #nameOf({ subject }: AccessToken, { issuer }: IssuerKeys): string {
    const authority = this.#issuers.length > 1 ? `${issuer.replace(/^https?:\/\/|\/$/g, '')}:` : ''
    return `jwt:${authority}${subject}`
  }

  #admit({ token, caller }: Verified): Caller {
    if (!token.isAllowed) throw lacksScope(this.#config.scope)
    return caller
  }

  #remember(digest: string, verified: Verified): void {
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined && this.#remembered.size >= REMEMBERED) this.#remembered.delete(oldest)
    this.#remembered.set(digest, verified)
  }
}

interface Verified {
  caller: Caller
  token: AccessToken
  issuer: IssuerKeys
  /** Those that verified it. */
  keys: KeySet
}

function decoded(token: string): { header: ProtectedHeaderParameters; iss: unknown } {
  try {
    return { header: decodeProtectedHeader(token), iss: decodeJwt(token).iss }
  } catch (error) {
    throw new WrongCredential('not-a-jwt', error)
  }
}
