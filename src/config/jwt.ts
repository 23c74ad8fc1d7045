import { isLoopbackHost } from '../loopback.js'
import type { Faults } from './faults.js'
import { listOf } from './list.js'
import { variables, type Environment } from './variables.js'

export interface JwtConfig {
  /** At least one. */
  issuers: readonly string[]
  /** At least one; a token must be for one of them. */
  audiences: readonly string[]
  /** Undefined: found through the discovery document of each issuer. */
  jwksUrl: string | undefined
  scope: string | undefined
  /** Whether issuers and their keys may be fetched in clear from other machines. */
  allowHttp: boolean
}

/** Undefined where callers cannot use JWTs. */
export function jwtConfig(environment: Environment, faults: Faults): JwtConfig | undefined {
  const { JWT_JWKS_URL: jwksUrl, JWT_SCOPE: scope, JWT_ALLOW_HTTP: allowHttp } = environment
  const issuers = [...new Set(listOf(environment.JWT_ISSUER))]
  const audiences = [...new Set(listOf(environment.JWT_AUDIENCE))]
  checkAddresses(issuers, jwksUrl, allowHttp, faults)
  if (issuers.length === 0 && audiences.length === 0) {
    if (jwksUrl !== undefined || scope !== undefined)
      faults.add(['JWT_ISSUER', 'JWT_AUDIENCE'], 'set, since JWT_JWKS_URL or JWT_SCOPE is')
    return undefined
  }
  if (issuers.length === 0 || audiences.length === 0) {
    const missing = issuers.length === 0 ? 'JWT_ISSUER' : 'JWT_AUDIENCE'
    faults.add([missing], 'set: JWT_ISSUER and JWT_AUDIENCE go together')
    return undefined
  }
  if (jwksUrl !== undefined && issuers.length > 1)
    faults.add(['JWT_JWKS_URL'], 'unset, since JWT_ISSUER names several issuers, whose keys are discovered')
  return { issuers, audiences, jwksUrl, scope, allowHttp }
}

/** Where an issuer or its keys may be: https; http on this machine, or anywhere if the operator allows it. */
export function isIssuerUrl(value: string, allowHttp = false): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password, hash } = new URL(value)
  if (username !== '' || password !== '' || hash !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && (allowHttp || isLoopbackHost(hostname)))
}

function checkAddresses(
  issuers: string[],
  jwksUrl: string | undefined,
  allowHttp: boolean,
  faults: Faults,
): void {
  const except = '(http only on a loopback host, or with JWT_ALLOW_HTTP=true)'
  // OpenID Connect Discovery, section 3: an issuer has no query and no fragment.
  if (!issuers.every((issuer) => isIssuerUrl(issuer, allowHttp) && !/[?#]/.test(issuer)))
    faults.add(['JWT_ISSUER'], `${variables.JWT_ISSUER.should} ${except}`)
  if (jwksUrl !== undefined && !isIssuerUrl(jwksUrl, allowHttp))
    faults.add(['JWT_JWKS_URL'], `${variables.JWT_JWKS_URL.should} ${except}`)
}
