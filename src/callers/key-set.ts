import type { JWK } from 'jose'

/** The members of a JWK Set that are keys, and which of them can verify a signature (RFC 7517, section 5). */
export function keysIn(set: unknown): { usable: JWK[]; unusable: JWK[] } {
  const members: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined
  const keys = Array.isArray(members) ? members.filter(isKey) : []
  return { usable: keys.filter(isUsable), unusable: keys.filter((key) => !isUsable(key)) }
}

function isKey(value: unknown): value is JWK {
  return typeof value === 'object' && value !== null && 'kty' in value && typeof value.kty === 'string'
}

/** A public key with its parameters (RFC 7518, section 6); a certificate alone (x5c) cannot be imported. */
function isUsable(key: JWK): boolean {
  const needed = PARAMETERS[key.kty ?? '']
  return key.d === undefined && needed !== undefined && needed.every((name) => typeof key[name] === 'string')
}

const PARAMETERS: Record<string, (keyof JWK)[]> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
}
