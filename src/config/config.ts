import type { FollowedFile, Secret } from '../secret.js'
import type { CertificateFiles } from '../tls/certificate-files.js'
import { accessOf, callerSchemes, type Access, type CallerSchemes } from './callers.js'
import type { ForwardProxies } from '../network/forward-proxies.js'
import type { Faults } from './faults.js'
import { checkIssuerAddresses } from './issuer-address.js'
import { forwardProxies } from './forward-proxies.js'
import { checkListening, listeningHost } from './listening.js'
import { nameWarnings } from './names.js'
import { corsOrigins, trustedProxies } from './origins.js'
import { redisConfig, type RedisConfig } from './redis.js'
import { tlsFiles } from './tls.js'
import { tracesUrl } from './tracing.js'
import { variables, type Environment } from './variables.js'
import { startWarnings } from './warnings.js'
import { zendeskCredentials, zendeskOrigin, type CredentialConfig } from './zendesk.js'

/**
 * The variables that the service uses as they are. The others are in `Config` as what they mean, under one name; a secret is in it
 * as a `Secret` only.
 */
const taken = [
  'HOST',
  'PORT',
  'LOG_LEVEL',
  'ZENDESK_TIMEOUT_MS',
  'ZENDESK_BUDGET_PER_MINUTE',
  'CALLER_RATE_PER_MINUTE',
  'DOCS',
  'METRICS_PORT',
  'SHUTDOWN_DELAY_MS',
  'SHUTDOWN_GRACE_MS',
] as const satisfies (keyof Environment)[]

/** The configuration as the service uses it: each thing under one name. */
export interface Config extends Pick<Environment, (typeof taken)[number]> {
  zendeskOrigin: string
  zendeskCredentials: CredentialConfig
  access: Access
  callerSchemes: CallerSchemes
  /** Undefined: plain http. */
  tls: CertificateFiles | undefined
  corsOrigins: string[]
  trustedProxies: string[]
  /** Undefined: everything in memory. */
  redis: RedisConfig | undefined
  /** On the way to Zendesk, to issuers and to the collector of traces. */
  forwardProxies: ForwardProxies
  /** Without a slash at the end; empty where unset. */
  publicUrl: string
  /** Its path, which a proxy takes away, without a slash at the end; empty where there is none. */
  publicPath: string
  /** Secrets whose files are followed. */
  secretFiles: FollowedFile[]
  /** To which traces are posted; undefined = no tracing. */
  tracesUrl: string | undefined
  /** What the operator should know at the start although the service can run. */
  warnings: string[]
}

/**
 * @param names of the variables that are set, ours or not.
 * @throws {ConfigError} that names every variable that is missing, malformed or contradicts another.
 */
export function settle(environment: Environment, faults: Faults, names: string[]): Config {
  checkListening(environment, faults)
  const origin = zendeskOrigin(environment, faults)
  const credentials = zendeskCredentials(environment, faults)
  checkIssuerAddresses(environment, faults)
  const schemes = callerSchemes(environment, faults)
  const address = publicUrl(environment, faults)
  const redis = redisConfig(environment, faults)
  const proxies = forwardProxies(environment, faults)
  const tls = tlsFiles(environment, faults)
  const settled = {
    access: accessOf(schemes, environment, faults),
    callerSchemes: schemes,
    tls,
    corsOrigins: corsOrigins(environment, faults),
    trustedProxies: trustedProxies(environment, faults),
    redis,
    forwardProxies: proxies,
    publicUrl: address,
    publicPath: address.replace(/^https?:\/\/[^/]*/, ''),
    tracesUrl: tracesUrl(environment, faults),
    secretFiles: [
      ...fromFiles([
        credentials?.secret,
        schemes.keys,
        redis?.url,
        redis?.sentinelPassword,
        ...proxies.secretFiles,
      ]),
      ...(tls ? [tls] : []),
    ],
  }
  const unknown = nameWarnings(names)
  faults.throwIfAny(unknown)
  if (origin === undefined || credentials === undefined) throw new Error('a missing part was not reported')
  const config = {
    ...asTheyAre(environment),
    ...settled,
    HOST: listeningHost(environment),
    zendeskOrigin: origin,
    zendeskCredentials: credentials,
  }
  return {
    ...config,
    warnings: [...startWarnings(config, environment, names), ...faults.suspicions(), ...unknown],
  }
}

function fromFiles(secrets: (Secret<unknown> | undefined)[]): Secret<unknown>[] {
  return secrets.flatMap((secret) => (secret?.isFromFile ? [secret] : []))
}

function publicUrl({ PUBLIC_URL: value }: Environment, faults: Faults): string {
  if (value === undefined) return ''
  const url = URL.canParse(value) ? new URL(value) : undefined
  const plain = url && /^https?:$/.test(url.protocol) && url.href === url.origin + url.pathname
  if (!plain) faults.add(['PUBLIC_URL'], variables.PUBLIC_URL.should)
  return url?.href.replace(/\/+$/, '') ?? ''
}

function asTheyAre(environment: Environment): Pick<Environment, (typeof taken)[number]> {
  const values = Object.fromEntries(taken.map((name) => [name, environment[name]]))
  return values as Pick<Environment, (typeof taken)[number]>
}
