import { isLoopbackHost } from '../loopback.js'
import type { Config } from './config.js'
import { tracingWarnings } from './tracing.js'
import type { Environment } from './variables.js'

type Settled = Omit<Config, 'warnings'>

/** What the operator should know at the start although the service can run; `names` are those of the variables that are set. */
export function startWarnings(config: Settled, environment: Environment, names: string[]): string[] {
  return [
    ...credentialWarnings(config),
    ...transportWarnings(config),
    ...timeWarnings(config),
    ...tracingWarnings(environment),
    ...unusedProxyWarnings(names),
  ]
}

function credentialWarnings({ zendeskCredentials: { kind } }: Settled): string[] {
  if (kind === 'api-token') {
    return [
      'Zendesk turns API tokens off on 2027-04-30: move to ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET',
    ]
  }
  if (kind === 'password') {
    return [
      'Zendesk has retired passwords for its API: move to ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET',
    ]
  }
  return []
}

function transportWarnings({ zendeskOrigin, callerSchemes: { jwt } }: Settled): string[] {
  const warnings: string[] = []
  if (isInClear(zendeskOrigin))
    warnings.push('ZENDESK_ALLOW_HTTP: Zendesk credentials leave this machine in clear')
  if ([...(jwt?.issuers ?? []), jwt?.jwksUrl ?? ''].some(isInClear))
    warnings.push('JWT_ALLOW_HTTP: whoever is on the way to the issuer can replace its keys and forge tokens')
  return warnings
}

function isInClear(url: string): boolean {
  return url.startsWith('http:') && !isLoopbackHost(new URL(url).hostname)
}

function timeWarnings({
  ZENDESK_BUDGET_PER_MINUTE: budget,
  ZENDESK_TIMEOUT_MS: timeoutMs,
  SHUTDOWN_GRACE_MS: graceMs,
}: Settled): string[] {
  const warnings: string[] = []
  if (budget > 0 && 60_000 / budget > timeoutMs) {
    warnings.push(
      'ZENDESK_BUDGET_PER_MINUTE: calls are spaced further apart than ZENDESK_TIMEOUT_MS lets callers wait, so many are refused; raise one of the two',
    )
  }
  if (graceMs < timeoutMs) {
    warnings.push(
      'SHUTDOWN_GRACE_MS: shorter than ZENDESK_TIMEOUT_MS, so a renewal under way may be cut off at the end',
    )
  }
  return warnings
}

/** Exactly these names: Kubernetes sets variables such as ALL_PROXY_PORT for a service called all-proxy. */
function unusedProxyWarnings(names: string[]): string[] {
  const proxies = names.filter((name) => /^all_proxy$/i.test(name))
  return proxies.map((name) => `${name}: not used by this service; set HTTPS_PROXY or HTTP_PROXY`)
}
