import { SandboxZendesk } from '../test/sandbox/zendesk.js'
import { Callers } from './callers.js'
import { cores } from './cores.js'
import { steadyLoad } from './load.js'
import { endProgress, progress, Steps } from './progress.js'
import { RedisServer } from './redis-server.js'
import { CALLER_HEADERS, RENEWAL_PATH, startService } from './service.js'
import { startSubject } from './subjects.js'
import { table } from './table.js'
import { Tally } from './tally.js'
import { pronounce, type Check } from './verdict.js'

export interface SustainedOptions {
  seconds: number
  callersPerSecond: number
}

const LIMIT = 200
const BUDGET = 100
/** What may go at once before the steady rate begins. */
const BURST = 5

/**
 * A steady load, all subjects at the same time, each on a Zendesk of its own that takes 100 ms and allows 200 calls a minute:
 * the figures are counts, which do not suffer from company.
 */
export async function sustained({ seconds, callersPerSecond }: SustainedOptions): Promise<void> {
  const redis = await RedisServer.start()
  const candidates = [one(), ...(redis ? [twoReplicas(redis)] : []), beside('nginx'), beside('http-proxy')]
  const lanes = (await Promise.all(candidates)).filter((lane) => lane !== undefined)
  const steps = new Steps(seconds)
  const results = await Promise.all(
    lanes.map(async (lane, index) => {
      const callers = new Callers(10_000)
      const tally = new Tally()
      const onSecond = () => {
        if (index === 0) steps.next(`${callersPerSecond} callers a second at each of ${lanes.length}`)
      }
      await steadyLoad({ perSecond: callersPerSecond, seconds, onSecond }, async (number) => {
        const origin = lane.origins[number % lane.origins.length] ?? ''
        tally.add(await callers.ask({ origin, path: RENEWAL_PATH, headers: CALLER_HEADERS }))
      })
      await callers.close()
      return { lane, tally, calls: lane.zendesk.renewals() }
    }),
  )
  endProgress()

  const ignoresRedis = redis !== undefined && !(await redis.isUsed())
  const allowed = Math.ceil((BUDGET * seconds) / 60) + BURST
  const rows = results.map(({ lane, tally, calls }) => [
    lane.name,
    `${((tally.tokens / tally.asked) * 100).toFixed(1)} %`,
    String(calls.length),
    String(calls.filter(({ status }) => status === 429).length),
    tally.summary(),
  ])
  console.log(table([['', 'got a token', 'calls', 'refused', 'answers'], ...rows]))
  if (!redis) console.log('Two replicas: left out, redis-server is not installed.')
  if (ignoresRedis) console.log('Two replicas: not judged, the service keeps nothing in Redis.')
  const judged = results.filter(({ lane }) => lane.ours && !(ignoresRedis && lane.origins.length > 1))
  pronounce(
    'sustained',
    judged.flatMap(({ lane, tally, calls }): Check[] => [
      {
        expected: `${lane.name}: every caller gets a token`,
        found: tally.summary(),
        kept: tally.tokens === tally.asked,
      },
      {
        expected: `${lane.name}: at most ${allowed} calls, none refused`,
        found: `${calls.length} calls`,
        kept: calls.length <= allowed && calls.every(({ status }) => status === 200),
      },
    ]),
  )
  await Promise.all(lanes.map(({ zendesk }) => zendesk.close()))
}

interface Lane {
  name: string
  ours: boolean
  zendesk: SandboxZendesk
  origins: string[]
}

async function slowZendesk(): Promise<SandboxZendesk> {
  const zendesk = await SandboxZendesk.start({ limitPerMinute: LIMIT })
  zendesk.misbehave({ kind: 'delay', ms: 100 })
  return zendesk
}

async function one(): Promise<Lane> {
  const zendesk = await slowZendesk()
  return { name: 'this service', ours: true, zendesk, origins: [await replica(zendesk)] }
}

async function twoReplicas(redis: RedisServer): Promise<Lane> {
  const zendesk = await slowZendesk()
  const origins = await Promise.all([1, 2].map(() => replica(zendesk, { REDIS_URL: redis.url })))
  return { name: 'two replicas, one Redis', ours: true, zendesk, origins }
}

async function replica(zendesk: SandboxZendesk, environment: Record<string, string> = {}): Promise<string> {
  const service = await startService({
    zendesk: zendesk.url,
    core: cores()?.measured,
    environment: {
      ZENDESK_OAUTH_TOKEN: zendesk.credentials.bearerToken,
      ZENDESK_BUDGET_PER_MINUTE: String(BUDGET),
      ...environment,
    },
  })
  return service.origin
}

async function beside(name: 'nginx' | 'http-proxy'): Promise<Lane | undefined> {
  const zendesk = await slowZendesk()
  const subject = await startSubject(name, {
    upstream: zendesk.url,
    token: zendesk.credentials.bearerToken,
    budgetPerMinute: BUDGET,
  })
  if (subject) return { name, ours: false, zendesk, origins: [new URL(subject.url).origin] }
  progress(`${name} is not installed here and is left out`)
  await zendesk.close()
  return undefined
}
