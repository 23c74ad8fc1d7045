import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { CallerKeys } from '../config/callers.js'
import type { Caller } from './caller.js'
import type { Credential } from './credential.js'

export const KEY_PREFIX = 'zsp_'

/** A new key: a prefix that secret scanners can look for, 256 random bits, and six characters that show a typo. */
export function makeKey(): string {
  const body = `${KEY_PREFIX}${randomBytes(32).toString('base64url')}`
  return body + checksum(body)
}

/** A key that was made here, or something that begins like one. */
export function looksLikeKey(text: string): boolean {
  return text.includes(KEY_PREFIX)
}

/** What is configured instead of the key. No slow hash: nobody guesses 256 random bits. */
export function keyDigest(key: string): string {
  return hash('sha256', key)
}

/** Whose key it is. With Basic, the name must be that of the key; Zendesk's own clients put /token at its end. */
export function ownerOfKey(credential: Credential, keys: CallerKeys): Caller | undefined {
  switch (credential.scheme) {
    case 'bearer':
      return findOwner(credential.value, keys)
    case 'basic': {
      const owner = findOwner(credential.key, keys)
      return owner?.name === credential.name.replace(/\/token$/, '') ? owner : undefined
    }
    case 'unreadable':
      return undefined
  }
}

/** Compares with every key, each in constant time, so that the time tells neither which nor how many. */
function findOwner(key: string, keys: CallerKeys): Caller | undefined {
  if (key.trim() === '') return undefined
  // By way of text: Buffer.from takes pooled memory, crypto's own buffers cost as much as the hash.
  const digest = Buffer.from(hash('sha256', key, 'binary'), 'latin1')
  let owner: Caller | undefined
  for (const known of keys) {
    if (timingSafeEqual(known.digest, digest)) owner = known.caller
  }
  return owner
}

function checksum(body: string): string {
  return hash('sha256', body, 'base64url').slice(0, 6)
}
