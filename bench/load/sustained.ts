import { SandboxZendesk } from '../../test/sandbox/zendesk.js'
import { RedisServer } from '../../test/support/redis-server.js'
import { startSubject, type SubjectName } from '../compare/subjects.js'
import { findExecutable } from '../processes.js'
import { CALLER_HEADERS, RENEWAL_PATH, startService, type Service } from '../service.js'
import { UPSTREAM_TOKEN } from '../upstream.js'
import { endProgress, progress, pronounce, table, type Check } from '../verdict.js'
import { Callers, steadyLoad } from './callers.js'
import { Tally } from './tally.js'

const BUDGET = 100
const LIMIT = 200
/** Calls that may go at once before the steady rate begins. */
const BURST = 5

/** A steady load on a Zendesk that takes 100 ms and allows 200 calls a minute, which is less than what callers ask for. */
export async function sustained(load: { seconds: number; perSecond: number }): Promise<void> {
  const releases: (() => unknown)[] = []
  const redis = findExecutable('redis-server')
    ? await RedisServer.start({ teardown: (release) => releases.push(release) })
    : undefined
  const others = await Promise.all([drive(load, 'nginx'), drive(load, 'http-proxy')])
  const ours = await Promise.all([
    drive(load, 'this service', [{}]),
    ...(redis
      ? [drive(load, 'two replicas, one Redis', [{ REDIS_URL: redis.url }, { REDIS_URL: redis.url }])]
      : []),
  ])
  for (const release of releases) await release()
  endProgress()

  const rows = [...ours, ...others].map(({ name, tally, calls, refused }) => [
    name,
    `${((tally.tokens / tally.asked) * 100).toFixed(1)} %`,
    String(calls),
    String(refused),
    tally.summary(),
  ])
  console.log(table([['', 'got a token', 'calls', 'refused', 'answers'], ...rows]))
  if (!redis) console.log('Two replicas: skipped, redis-server is not installed.')
  const allowed = Math.ceil((BUDGET * load.seconds) / 60) + BURST
  pronounce(
    'sustained',
    ours.flatMap(({ name, tally, calls, refused }): Check[] => [
      {
        expected: `${name}: every caller gets a token`,
        found: tally.summary(),
        passed: tally.tokens === tally.asked,
      },
      {
        expected: `${name}: at most ${allowed} calls, none refused`,
        found: `${calls} calls, ${refused} refused`,
        passed: calls <= allowed && refused === 0,
      },
    ]),
  )
}

interface Driven {
  name: string
  tally: Tally
  calls: number
  refused: number
}

/** Each has its own Zendesk. Several run at the same time: the figures are counts, which do not depend on speed. */
async function drive(
  { seconds, perSecond }: { seconds: number; perSecond: number },
  name: string,
  replicas?: Record<string, string>[],
): Promise<Driven> {
  const zendesk = await SandboxZendesk.start({ limitPerMinute: LIMIT })
  zendesk.credentials.bearerToken = UPSTREAM_TOKEN
  zendesk.misbehave({ kind: 'delay', ms: 100 })
  const running = replicas
    ? await Promise.all(replicas.map((environment) => replica(zendesk, environment)))
    : [await startSubject(name as SubjectName, zendesk.url)].filter((subject) => subject !== undefined)
  const origins = running.map((each) => ('origin' in each ? each.origin : new URL(each.url).origin))
  const callers = new Callers(10_000)
  const tally = new Tally()
  const onSecond = (second: number) => {
    progress(`${name}: ${second} of ${seconds} s`)
  }
  await steadyLoad({ perSecond: origins.length > 0 ? perSecond : 0, seconds, onSecond }, async (index) => {
    const origin = origins[index % origins.length] ?? ''
    tally.add(await callers.ask({ origin, path: RENEWAL_PATH, headers: CALLER_HEADERS }))
  })
  await Promise.all([callers.close(), zendesk.close(), ...running.map((each) => each.stop())])
  const calls = zendesk.renewals()
  return { name, tally, calls: calls.length, refused: calls.filter(({ status }) => status === 429).length }
}

function replica(zendesk: SandboxZendesk, environment: Record<string, string>): Promise<Service> {
  return startService({
    zendesk: zendesk.url,
    environment: {
      ZENDESK_OAUTH_TOKEN: UPSTREAM_TOKEN,
      ZENDESK_BUDGET_PER_MINUTE: String(BUDGET),
      ...environment,
    },
  })
}
