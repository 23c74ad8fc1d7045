import { DOCUMENTS_TIMEOUT_MS, fetchKeys } from '../../callers/issuer-documents.js'
import { KeySet } from '../../callers/key-set.js'
import type { Config } from '../../config/config.js'
import type { JwtConfig } from '../../config/jwt.js'
import { errorCode } from '../../log/error-place.js'
import { outboundDispatcher } from '../../network/outbound.js'
import { ok, warn, type Finding } from '../finding.js'

/** Who may call, and whether the keys of each issuer can be had. The account of Zendesk does not depend on it. */
export async function checkCallers(config: Config): Promise<Finding[]> {
  const { keys, jwt } = config.callerSchemes
  const findings: Finding[] = []
  if (config.access === 'loopback') findings.push(ok('anyone on this machine may call, without a credential'))
  if (config.access === 'anyone')
    findings.push(
      warn('anyone may call, without a credential', 'Set CALLER_KEYS, or JWT_ISSUER and JWT_AUDIENCE.'),
    )
  if (keys) findings.push(ok(`keys of ${namesOf(keys.reveal().map(({ caller }) => caller.name))}`))
  if (jwt) findings.push(...(await checkIssuers(jwt, config)))
  return findings
}

function namesOf(names: string[]): string {
  return [...new Set(names)].join(', ')
}

async function checkIssuers(jwt: JwtConfig, { forwardProxies }: Config): Promise<Finding[]> {
  const dispatcher = outboundDispatcher(forwardProxies, DOCUMENTS_TIMEOUT_MS)
  try {
    return await Promise.all(
      jwt.issuers.map(async (issuer) => {
        try {
          const keys = new KeySet(JSON.parse(await fetchKeys(issuer, jwt, dispatcher)))
          return keys.isEmpty
            ? warn(`${issuer} publishes no keys`, UNUSABLE)
            : ok(`fetched the keys of ${issuer}`)
        } catch (error) {
          return warn(`cannot fetch the keys of ${issuer} (${reasonOf(error)})`, UNUSABLE)
        }
      }),
    )
  } finally {
    await dispatcher.destroy()
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'ETIMEDOUT'
  return errorCode(error) ?? (error instanceof SyntaxError ? 'not JSON' : 'unknown error')
}

const UNUSABLE =
  'Check JWT_ISSUER (exactly as in the tokens) and JWT_JWKS_URL. Callers with a JWT get identity-provider-unavailable meanwhile.'
