import { importJWK, type CryptoKey, type JWK, type ProtectedHeaderParameters } from 'jose'

/** The keys of one JWK Set that are for signatures (RFC 7517, section 5), each imported when it is first needed. */
export class KeySet {
  readonly #usable: JWK[]
  readonly #unusableKids: Set<string | undefined>
  readonly #imported = new Map<string, Promise<CryptoKey | Uint8Array>>()

  /** @param document as parsed from JSON; members that are not such keys are ignored. */
  constructor(document: unknown) {
    const keys = membersOf(document).filter(isSignatureKey)
    this.#usable = keys.filter(isUsable)
    this.#unusableKids = new Set(keys.filter((key) => !isUsable(key)).map(({ kid }) => kid))
  }

  get isEmpty(): boolean {
    return this.#usable.length + this.#unusableKids.size === 0
  }

  /** The keys that may have signed a token with this header. A header without `kid` fits every key of its algorithm. */
  candidatesFor({ alg = '', kid }: ProtectedHeaderParameters): JWK[] {
    const type = algorithms.get(alg)
    return this.#usable.filter(
      (key) =>
        key.kty === type?.kty &&
        (type?.crv === undefined || key.crv === type.crv) &&
        (kid === undefined || key.kid === kid) &&
        (key.alg === undefined || key.alg === alg),
    )
  }

  /** Whether a key of this name is published in vain. */
  isUnusable(kid: string | undefined): boolean {
    return this.#unusableKids.has(kid)
  }

  /** Rejects with whatever the import throws: such a key should not have been published. */
  imported(key: JWK, alg: string): Promise<CryptoKey | Uint8Array> {
    const name = `${alg} ${this.#usable.indexOf(key)}`
    const known = this.#imported.get(name) ?? importJWK(key, alg)
    this.#imported.set(name, known)
    return known
  }
}

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

/** Only asymmetric ones: with HS256, anybody who knows the public keys could sign (RFC 8725, section 2.1). */
const algorithms = new Map<string, { kty: string; crv?: string }>([
  ...RSA.map((alg) => [alg, { kty: 'RSA' }] as const),
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
  ['Ed25519', { kty: 'OKP', crv: 'Ed25519' }],
])

export const ALGORITHMS = [...algorithms.keys()]

function membersOf(document: unknown): unknown[] {
  const members: unknown =
    typeof document === 'object' && document !== null && 'keys' in document ? document.keys : undefined
  return Array.isArray(members) ? members : []
}

function isSignatureKey(value: unknown): value is JWK {
  if (typeof value !== 'object' || value === null) return false
  const { kty, use = 'sig', key_ops: operations }: Record<string, unknown> = { ...value }
  const mayVerify = !Array.isArray(operations) || operations.includes('verify')
  return typeof kty === 'string' && use === 'sig' && mayVerify
}

/** A public key with its parameters (RFC 7518, section 6); a certificate alone (x5c) cannot be imported. */
function isUsable(key: JWK): boolean {
  const needed = parameters.get(key.kty ?? '')
  return key.d === undefined && needed?.every((name) => typeof key[name] === 'string') === true
}

const parameters = new Map<string, (keyof JWK)[]>([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
])
