import type { Config } from '../config/config.js'
import type { CredentialConfig } from '../config/zendesk.js'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { version } from '../version.js'
import { credentialsFrom } from '../zendesk/connect.js'
import type { Credentials } from '../zendesk/credentials.js'
import { RecordingTransport } from './recording-transport.js'

/** What is examined: the account at `origin` as the service would use it. */
export interface Target {
  origin: URL
  credentialConfig: CredentialConfig
  credentials: Credentials
  transport: RecordingTransport
  proxies: ForwardProxies
  /** The limit of each check, in milliseconds. */
  timeoutMs: number
  /** 0 = none. */
  budgetPerMinute: number
  /** The names in the environment: Node and other programs read some of them. */
  variableNames: string[]
}

export function admit(config: Config, variableNames: string[]): Target {
  const { zendeskOrigin, zendeskCredentials, ZENDESK_TIMEOUT_MS, ZENDESK_BUDGET_PER_MINUTE } = config
  const transport = new RecordingTransport({
    origin: zendeskOrigin,
    userAgent: `zendesk-session-proxy/${version}`,
    proxies: config.forwardProxies,
    timeoutMs: ZENDESK_TIMEOUT_MS,
  })
  return {
    origin: new URL(zendeskOrigin),
    credentialConfig: zendeskCredentials,
    credentials: credentialsFrom(zendeskCredentials, (call) => transport.exchange(call), ZENDESK_TIMEOUT_MS),
    transport,
    proxies: config.forwardProxies,
    timeoutMs: ZENDESK_TIMEOUT_MS,
    budgetPerMinute: ZENDESK_BUDGET_PER_MINUTE,
    variableNames,
  }
}

/** HOST:PORT, as CONNECT and messages have it. */
export function authorityOf(target: Target): string {
  const { host, port } = endpointOf(target)
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Where to connect to; an IPv6 address without its brackets. */
export function endpointOf({ origin }: Target): { host: string; port: number } {
  const { hostname, port, protocol } = origin
  const usual = protocol === 'https:' ? 443 : 80
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? usual : Number(port) }
}
