import { SandboxZendesk } from '../../test/sandbox/zendesk.js'
import { RedisServer } from '../../test/support/redis-server.js'
import { findExecutable } from '../processes.js'
import { startService, UPSTREAM_TOKEN } from '../service.js'
import type { Check } from '../verdict.js'
import { Callers, renewals, type Rate } from './callers.js'

const BUDGET = 100
const LIMIT = 200
/** Calls that may go at once before the steady rate begins. */
const BURST = 5

/** A steady load on a Zendesk that takes 100 ms and allows 200 calls a minute, which is less than what callers ask for. */
export async function sustained(rate: Rate): Promise<Check[]> {
  const releases: (() => unknown)[] = []
  const redis = findExecutable('redis-server')
    ? await RedisServer.start({ teardown: (release) => releases.push(release) })
    : undefined
  // Both at the same time: the figures are counts, which do not depend on speed.
  const shared = { REDIS_URL: redis?.url ?? '' }
  const checks = await Promise.all([
    drive(rate, 'one replica', [{}]),
    ...(redis ? [drive(rate, 'two replicas, one Redis', [shared, shared])] : []),
  ])
  for (const release of releases) await release()
  return checks
}

async function drive(rate: Rate, name: string, replicas: Record<string, string>[]): Promise<Check> {
  const zendesk = await SandboxZendesk.start({ limitPerMinute: LIMIT })
  zendesk.credentials.bearerToken = UPSTREAM_TOKEN
  zendesk.misbehave({ kind: 'delay', ms: 100 })
  const budget = { ZENDESK_BUDGET_PER_MINUTE: String(BUDGET) }
  const running = await Promise.all(replicas.map((more) => startService(zendesk.url, { ...budget, ...more })))
  const callers = new Callers()
  const tally = await renewals(callers, running, rate)
  await Promise.all([callers.close(), zendesk.close(), ...running.map((each) => each.stop())])
  const calls = zendesk.renewals()
  const refused = calls.filter(({ status }) => status === 429).length
  const allowed = Math.ceil((BUDGET * rate.seconds) / 60) + BURST
  const load = `${rate.perSecond} callers a second for ${rate.seconds} s, Zendesk takes 100 ms and allows ${LIMIT} calls a minute`
  return {
    expected: `${load}, budget ${BUDGET}, ${name}: all get a token by at most ${allowed} calls, none refused`,
    found: `${tally.summary()}; ${calls.length} calls, ${refused} refused`,
    passed: tally.tokens === tally.all && calls.length <= allowed && refused === 0,
  }
}
