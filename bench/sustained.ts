import type { ReceivedRequest } from '../test/sandbox/zendesk.js'
import { Callers } from './callers.js'
import { beside, BUDGET, oneReplica, twoReplicas, type Lane } from './lanes.js'
import { steadyLoad } from './load.js'
import { endProgress, Steps } from './progress.js'
import { RedisServer } from './redis-server.js'
import { CALLER_HEADERS, RENEWAL_PATH } from './service.js'
import { table } from './table.js'
import { Tally } from './tally.js'
import { pronounce, type Check } from './verdict.js'

export interface SustainedOptions {
  seconds: number
  callersPerSecond: number
}

/** What may go at once before the steady rate begins. */
const BURST = 5

/** A steady load on what stands beside, then on this service, each on a Zendesk that allows less than half of what is asked in a minute. */
export async function sustained(options: SustainedOptions): Promise<void> {
  const redis = await RedisServer.start()
  const others = await drive(options, [beside('nginx'), beside('http-proxy')])
  const ours = await drive(options, [oneReplica(), ...(redis ? [twoReplicas(redis)] : [])])
  const results = [...ours, ...others]
  const { seconds } = options
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
  const judged = ours.filter(({ lane }) => !(ignoresRedis && lane.origins.length > 1))
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
}

interface LaneResult {
  lane: Lane
  tally: Tally
  calls: ReceivedRequest[]
}

/** At the same time: the figures are counts, which do not suffer from company. */
async function drive(
  { seconds, callersPerSecond }: SustainedOptions,
  starting: Promise<Lane | undefined>[],
): Promise<LaneResult[]> {
  const lanes = (await Promise.all(starting)).filter((lane) => lane !== undefined)
  const steps = new Steps(seconds)
  return Promise.all(
    lanes.map(async (lane, index) => {
      const callers = new Callers(10_000)
      const tally = new Tally()
      const onSecond = () => {
        if (index === 0) steps.next(lanes.map(({ name }) => name).join(' beside '))
      }
      await steadyLoad({ perSecond: callersPerSecond, seconds, onSecond }, async (number) => {
        const origin = lane.origins[number % lane.origins.length] ?? ''
        tally.add(await callers.ask({ origin, path: RENEWAL_PATH, headers: CALLER_HEADERS }))
      })
      await callers.close()
      await lane.zendesk.close()
      return { lane, tally, calls: lane.zendesk.renewals() }
    }),
  )
}
