import { hash } from 'node:crypto'
import { KEY_PREFIX } from '../callers/keys.js'
import type { Caller } from '../callers/caller.js'
import { isLoopbackHost } from '../loopback.js'
import { SecretError, type Secret } from '../secret.js'
import type { Faults } from './faults.js'
import { jwtConfig, type JwtConfig } from './jwt.js'
import { listOf } from './list.js'
import { readSecret } from './secrets.js'
import { variables, type Environment } from './variables.js'

/**
 * Who may come in: `known` callers, who prove themselves by one of the configured schemes; otherwise anyone on this machine
 * (`loopback`), or `anyone` at all where the operator says so.
 */
export type Access = 'loopback' | 'anyone' | 'known'

/** What each scheme by which callers prove themselves is configured with; undefined where it is not. */
export interface CallerSchemes {
  keys: Secret<CallerKeys> | undefined
  jwt: JwtConfig | undefined
}

/** Digests of callers' keys (SHA-256) with the caller. One name may have several keys, so that one can be rotated. */
export type CallerKeys = readonly { caller: Caller; digest: Buffer }[]

export function callerSchemes(environment: Environment, faults: Faults): CallerSchemes {
  return {
    keys: readSecret('CALLER_KEYS', environment, faults, parseCallerKeys),
    jwt: jwtConfig(environment, faults),
  }
}

/** Decided here and nowhere else. */
export function accessOf(schemes: CallerSchemes, environment: Environment, faults: Faults): Access {
  const { HOST: host, ALLOW_ANONYMOUS_CALLERS: anonymous } = environment
  const isKnown = Object.values(schemes).some((scheme) => scheme !== undefined)
  if (isKnown) {
    if (anonymous) faults.add(['ALLOW_ANONYMOUS_CALLERS'], 'unset or false, since callers are configured')
    return 'known'
  }
  if (anonymous) return 'anyone'
  if (!faults.blames('HOST') && !faults.blames('CALLER_KEYS_FILE') && !isLoopbackHost(host)) {
    faults.say(
      ['CALLER_KEYS', 'JWT_ISSUER', 'JWT_AUDIENCE'],
      'Nobody is configured to call this service, but HOST is reachable from other machines. Set CALLER_KEYS, or JWT_ISSUER and JWT_AUDIENCE (or ALLOW_ANONYMOUS_CALLERS=true to let anyone in).',
    )
  }
  return 'loopback'
}

/** It begins with a letter or digit, so that no option of a command, such as --help, passes for a name. */
export function isCallerName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}

/** @throws {SecretError} that gives the position of a bad entry, never its text: it may be a key in clear. */
function parseCallerKeys(text: string): CallerKeys {
  const keys = listOf(text).map((entry, index) => {
    const [, name, digest] = /^([^:]*):([0-9a-fA-F]{64})$/.exec(entry) ?? []
    if (name !== undefined && digest !== undefined && digestsOfNothing.has(digest.toLowerCase()))
      throw new SecretError(`the digest of a key, not of an empty text (look at entry ${index + 1})`)
    if (digest === undefined && isInClear(entry)) throw new SecretError(inClear(index))
    if (name === undefined || digest === undefined || !isCallerName(name)) {
      throw new SecretError(`${variables.CALLER_KEYS.should} (look at entry ${index + 1})`)
    }
    return { caller: { name, keyId: digest.slice(0, 8).toLowerCase() }, digest: Buffer.from(digest, 'hex') }
  })
  const digests = new Set(keys.map(({ digest }) => digest.toString('hex')))
  if (keys.length === 0) throw new SecretError(variables.CALLER_KEYS.should)
  if (digests.size < keys.length)
    throw new SecretError('each key only once, because a key identifies one caller')
  return keys
}

/** Not a digest that was copied in part, nor a name alone. */
function isInClear(entry: string): boolean {
  const key = entry.replace(/^[^:]*:/, '')
  return entry.includes(KEY_PREFIX) || (key.length >= 8 && !/^[0-9a-f]{32,}$/i.test(key))
}

function inClear(index: number): string {
  return `the SHA-256 digest of each key instead of the key itself: for entry ${index + 1} put name: and what \`printf %s KEY | sha256sum\` prints`
}

/** What `sha256sum` prints if the variable with the key was empty: an empty password would then be a valid key. */
const digestsOfNothing = new Set(
  ['', ' ', '\t', '\n', '\r\n', ' \n', '""', "''", '""\n'].map((nothing) => hash('sha256', nothing)),
)
