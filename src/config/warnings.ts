import leven from 'leven'
import { isLoopbackHost } from '../loopback.js'
import type { Config } from './config.js'
import { tracingWarnings } from './tracing.js'
import { isVariable, secretNames, variables } from './variables.js'

/** What the operator should know at the start although the service can run; `names` are those of the variables that are set. */
export function startWarnings(config: Config, names: string[]): string[] {
  return [
    ...credentialWarnings(config),
    ...transportWarnings(config),
    ...timeWarnings(config),
    ...tracingWarnings(config),
    ...unusedProxyWarnings(names),
    ...misspelt(names),
  ]
}

function credentialWarnings({ zendeskCredentials: { kind } }: Config): string[] {
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

function transportWarnings({ zendeskOrigin }: Config): string[] {
  const { protocol, hostname } = new URL(zendeskOrigin)
  return protocol === 'http:' && !isLoopbackHost(hostname)
    ? ['ZENDESK_ALLOW_HTTP: Zendesk credentials leave this machine in clear']
    : []
}

function timeWarnings({
  ZENDESK_BUDGET_PER_MINUTE: budget,
  ZENDESK_TIMEOUT_MS: timeoutMs,
  SHUTDOWN_GRACE_MS: graceMs,
}: Config): string[] {
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

/** Exactly these names: Kubernetes makes ALL_PROXY_PORT and the like for a service called all-proxy. */
function unusedProxyWarnings(names: string[]): string[] {
  const proxies = names.filter((name) => /^all_proxy$/i.test(name))
  return proxies.map((name) => `${name}: not used by this service; set HTTPS_PROXY or HTTP_PROXY`)
}

/** Names that are nearly one of ours. Short names are left out: HOME is no misspelt HOST. */
function misspelt(names: string[]): string[] {
  const ours = [...Object.keys(variables), ...secretNames.map((name) => `${name}_FILE`)]
  return names
    .filter(
      (name) =>
        name.length >= 8 &&
        !/^(all|ftp|no|https?)_proxy$/i.test(name) &&
        !ours.includes(name) &&
        !isVariable(name),
    )
    .flatMap((name) => {
      const meant = ours.find((our) => leven(name.toUpperCase(), our, { maxDistance: 3 }) <= 2)
      return meant === undefined ? [] : [`${name} is not a variable of this service; did you mean ${meant}?`]
    })
}
