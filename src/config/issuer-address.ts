import type { Faults } from './faults.js'
import type { Environment } from './variables.js'

const DISCOVERY = /\/\.well-known\/(openid-configuration|oauth-authorization-server)\/?$/

/** OpenID Connect Discovery, section 4: the document is found from the issuer, and names it. */
export function checkIssuerAddresses(environment: Environment, faults: Faults): void {
  const { JWT_ISSUER: issuer, JWT_JWKS_URL: jwksUrl } = environment
  const document = issuer?.split(/[\s,]+/).find((address) => DISCOVERY.test(address))
  if (document !== undefined) {
    const meant = document.replace(DISCOVERY, '')
    faults.add(
      ['JWT_ISSUER'],
      `the issuer, not its discovery document: the value of "issuer" in that, such as ${meant}`,
    )
  }
  if (jwksUrl !== undefined && DISCOVERY.test(jwksUrl))
    faults.add(
      ['JWT_JWKS_URL'],
      'the "jwks_uri" of the discovery document, or unset: the service finds it there',
    )
}
