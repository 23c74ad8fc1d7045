import { hash } from 'node:crypto'
import { isIP } from 'node:net'
import { KEY_PREFIX } from '../callers/keys.js'
import { withoutPort } from '../callers/network.js'
import { isLoopbackHost } from '../loopback.js'
import { SecretError, type Secret } from '../secret.js'
import type { Faults } from './faults.js'
import { readSecret } from './secrets.js'
import { variables, type Environment } from './variables.js'

/** Digests of callers' keys (SHA-256) with the caller's name. One name may have several, so that a key can be rotated. */
export type CallerKeys = readonly { name: string; digest: Buffer }[]

export interface JwtConfig {
  issuer: string
  audience: string
  /** Undefined: found through the issuer's discovery document. */
  jwksUrl: string | undefined
  scope: string | undefined
}

export function callerKeys(environment: Environment, faults: Faults): Secret<CallerKeys> | undefined {
  return readSecret('CALLER_KEYS', environment, faults, parseCallerKeys)
}

/** It begins with a letter or digit, so that no option of a command, such as --help, passes for a name. */
export function isCallerName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}

/** @throws {SecretError} that gives the position of a bad entry, never its text: it may be a key in clear. */
function parseCallerKeys(text: string): CallerKeys {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '')
  const keys = entries.map((entry, index) => {
    const [, name, digest] = /^([^:]*):([0-9a-fA-F]{64})$/.exec(entry) ?? []
    if (name !== undefined && digest !== undefined && digestsOfNothing.has(digest.toLowerCase()))
      throw new SecretError(`the digest of a key, not of an empty text (look at entry ${index + 1})`)
    if (digest === undefined && isInClear(entry)) throw new SecretError(inClear(index))
    if (name === undefined || digest === undefined || !isCallerName(name)) {
      throw new SecretError(`${variables.CALLER_KEYS.should} (look at entry ${index + 1})`)
    }
    return { name, digest: Buffer.from(digest, 'hex') }
  })
  const digests = new Set(keys.map(({ digest }) => digest.toString('hex')))
  if (keys.length === 0) throw new SecretError(variables.CALLER_KEYS.should)
  if (digests.size < keys.length) throw new SecretError('no key twice, since it could not be told who asks')
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

/** What `sha256sum` prints where the variable of the key was empty: with it, no key at all would be a key. */
const digestsOfNothing = new Set(
  ['', ' ', '\t', '\n', '\r\n', ' \n', '""', "''", '""\n'].map((nothing) => hash('sha256', nothing)),
)

export function jwtConfig(environment: Environment, faults: Faults): JwtConfig | undefined {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: jwksUrl, JWT_SCOPE: scope } = environment
  for (const name of ['JWT_ISSUER', 'JWT_JWKS_URL'] as const) {
    if (environment[name] !== undefined && !isIssuerUrl(environment[name])) {
      faults.add([name], `${variables[name].should} (http only on a loopback host)`)
    }
  }
  if (issuer === undefined && audience === undefined) {
    if (jwksUrl !== undefined || scope !== undefined) {
      faults.add(['JWT_ISSUER', 'JWT_AUDIENCE'], 'set, since JWT_JWKS_URL or JWT_SCOPE is')
    }
    return undefined
  }
  if (issuer === undefined || audience === undefined) {
    faults.add(
      [issuer === undefined ? 'JWT_ISSUER' : 'JWT_AUDIENCE'],
      'set: JWT_ISSUER and JWT_AUDIENCE go together',
    )
    return undefined
  }
  return { issuer, audience, jwksUrl, scope }
}

export function corsOrigins(environment: Environment, faults: Faults): string[] {
  const origins = list(environment.CORS_ORIGINS)
  const bad = origins.some(
    (origin) => !/^https?:[^*]+$/.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin,
  )
  if (bad)
    faults.add(['CORS_ORIGINS'], `${variables.CORS_ORIGINS.should}; no *, no null, no path, lower case`)
  return origins
}

export function trustedProxies(environment: Environment, faults: Faults): string[] {
  const ranges = list(environment.TRUST_PROXY).map(withoutPort)
  if (!ranges.every(isRange)) faults.add(['TRUST_PROXY'], variables.TRUST_PROXY.should)
  return ranges
}

/** Open to anybody: only where nobody but this machine can come, unless the operator says so in as many words. */
export function checkOpenness(environment: Environment, anyoneConfigured: boolean, faults: Faults): void {
  const { HOST: host, ALLOW_ANONYMOUS_CALLERS: anonymous } = environment
  if (anyoneConfigured && anonymous) {
    faults.add(['ALLOW_ANONYMOUS_CALLERS'], 'unset or false, since callers are configured')
  }
  if (!anyoneConfigured && !anonymous && !faults.blames('HOST') && !isLoopbackHost(host)) {
    faults.say(
      ['CALLER_KEYS', 'JWT_ISSUER', 'JWT_AUDIENCE'],
      'Nobody is configured to call this service, but HOST is reachable from other machines. Set CALLER_KEYS, or JWT_ISSUER and JWT_AUDIENCE (or ALLOW_ANONYMOUS_CALLERS=true to let anyone in).',
    )
  }
}

/** Where an issuer or its keys may be: https, or http on this machine. */
export function isIssuerUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password, hash } = new URL(value)
  if (username !== '' || password !== '' || hash !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
}

function isRange(range: string): boolean {
  const [address = '', prefix, ...rest] = range.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return (
    prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
  )
}

function list(value: string | undefined): string[] {
  return (value ?? '').split(/[\s,]+/).filter((item) => item !== '')
}
