import type { Config } from '../config/config.js'
import { ConfigError } from '../config/faults.js'
import { givenNames, readConfig } from '../config/read.js'
import { checkCallers } from './checks/callers.js'
import { checkCollector } from './checks/collector.js'
import { checkPublicUrl } from './checks/public-url.js'
import { checkRedis } from './checks/redis.js'
import { checkAddress } from './checks/address.js'
import { checkCertificate } from './checks/certificate.js'
import { ok, warn, type Finding } from './finding.js'
import { checkHelpDesk } from './checks/help-desk.js'
import { checkIdentity } from './checks/identity.js'
import { admit, type Target } from './target.js'
import { checkRateLimit } from './checks/rate-limit.js'
import { checkRenewal } from './checks/renewal.js'
import { checkToken } from './checks/token.js'
import { echoes } from '../zendesk/secret-echo.js'

/** Every finding, as soon as it is found. After a failure only those checks are made that still make sense. */
export async function* examine(
  environment: NodeJS.ProcessEnv,
  nodeVersion = process.version,
): AsyncGenerator<CheckedFinding> {
  const config = await readConfig(environment, nodeVersion).catch(configFault)
  if (!('zendeskOrigin' in config)) {
    yield { check: 'configuration', ...config }
    return
  }
  const names = givenNames(environment)
  for (const finding of describe(config)) yield { check: 'configuration', ...finding }

  const target = admit(config, names)
  try {
    yield* examineAccount(target)
  } finally {
    await target.transport.close()
  }
  // Beside the account: none of these depends on another.
  for (const [check, run] of Object.entries(companions)) {
    for (const finding of await run(config)) yield { check, ...finding }
  }
}

export interface CheckedFinding extends Finding {
  check: string
}

type Check = (target: Target) => Promise<Finding[]> | Finding[]

const checks: Record<string, Check> = {
  address: checkAddress,
  certificate: checkCertificate,
  'help desk': checkHelpDesk,
  token: checkToken,
  identity: checkIdentity,
  'rate limit': checkRateLimit,
  renewal: checkRenewal,
}

const companions: Record<string, (config: Config) => Promise<Finding[]>> = {
  callers: checkCallers,
  redis: checkRedis,
  collector: checkCollector,
  'public URL': checkPublicUrl,
}

async function* examineAccount(target: Target): AsyncGenerator<CheckedFinding> {
  let failed = false
  for (const [check, run] of Object.entries(checks)) {
    // The rate limit is read from what has come already, and explains many a failure.
    if (failed && run !== checkRateLimit) continue
    for (const finding of await run(target)) {
      failed ||= finding.level === 'fail'
      yield { check, ...withhold(finding, target) }
    }
  }
}

function configFault(error: unknown): Finding {
  if (!(error instanceof ConfigError)) throw error
  return { level: 'fail', title: 'the environment variables are not valid', detail: error.message }
}

function describe(config: Config): Finding[] {
  const { zendeskOrigin, zendeskCredentials, ZENDESK_TIMEOUT_MS } = config
  const summary = `${kinds[zendeskCredentials.kind]} for ${zendeskOrigin}, ${ZENDESK_TIMEOUT_MS} ms for each check`
  return [ok(summary), ...config.warnings.map((warning) => warn(warning))]
}

const kinds = {
  'client-credentials': 'OAuth client credentials',
  bearer: 'an OAuth token',
  'api-token': 'e-mail and API token',
  password: 'e-mail and password',
} as const satisfies Record<Config['zendeskCredentials']['kind'], string>

/** Findings contain texts of others (an issuer, a role), who know what we sent them. */
function withhold(finding: Finding, { credentials }: Target): Finding {
  const { level, title, detail = '', fix = '' } = finding
  if (!echoes(`${title}\n${detail}\n${fix}`, credentials.secrets())) return finding
  return { level, title: 'withheld: it contains one of the secrets' }
}
