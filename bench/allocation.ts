import { measure, startLoadGenerator } from './compare/measure.js'
import { provokeSlowState } from './compare/slow-state.js'
import { PROBE_OPTIONS } from './endurance/growth.js'
import type { Running } from './processes.js'
import type { HeapReading } from './programs/heap-probe.js'
import { CALLER_HEADERS, RENEWAL_PATH, startService, type Service } from './service.js'
import { Upstream, UPSTREAM_TOKEN } from './upstream.js'
import { endProgress, progress, pronounce, table } from './verdict.js'

const WARM_UP_S = 3
/** Longer than the provocation takes: it works only on a server under load. */
const PROVOKED_S = 7
/** Enough that the young generation has grown to its full size, before which V8 decides nothing. */
const PROVOKED_CONNECTIONS = 500
const CONNECTIONS = 64

interface Cost {
  kilobytes: number
  promotedKilobytes: number
  collectionMs: number
}

/** What a request allocates and how long collecting it takes, in fresh processes and after both ways into the slow state. */
export async function allocation({ times, seconds }: { times: number; seconds: number }): Promise<void> {
  const upstream = await Upstream.start()
  const generator = await startLoadGenerator()
  const rows: { joined: Cost; own: Cost; after: Cost }[] = []
  for (let time = 1; time <= times; time++) {
    progress(`process ${time} of ${times}`)
    const service = await startService({
      zendesk: upstream.origin,
      nodeOptions: PROBE_OPTIONS,
      environment: { ZENDESK_OAUTH_TOKEN: UPSTREAM_TOKEN, ZENDESK_BUDGET_PER_MINUTE: '0' },
    })
    const parts = { generator, upstream }
    await cost(parts, service, CONNECTIONS, WARM_UP_S)
    const joined = await cost(parts, service, CONNECTIONS, seconds)
    const own = await cost(parts, service, 1, seconds)
    await Promise.all([
      cost(parts, service, PROVOKED_CONNECTIONS, PROVOKED_S),
      provokeSlowState(targetOf(service)),
    ])
    rows.push({ joined, own, after: await cost(parts, service, CONNECTIONS, seconds) })
    await service.stop()
  }
  await Promise.all([generator.stop(), upstream.stop()])
  endProgress()

  const text = (each: Cost) =>
    [each.kilobytes, each.promotedKilobytes, each.collectionMs].map((figure) => figure.toFixed(2))
  const heads = ['joined', 'own renewal', 'joined, after provocation']
  const head = heads.flatMap((name) => [`${name}: kB`, 'promoted', 'GC ms/1,000'])
  const body = rows.map(({ joined, own, after }, index) => [
    `process ${index + 1}`,
    ...[joined, own, after].flatMap(text),
  ])
  console.log(table([['', ...head], ...body]))
  pronounce(
    'allocation',
    rows.map(({ joined, after }, index) => ({
      expected: `process ${index + 1}: garbage dies young after the provocation, as before`,
      found: `${after.promotedKilobytes.toFixed(2)} kB promoted for a request, ${joined.promotedKilobytes.toFixed(2)} before`,
      passed: after.promotedKilobytes <= 2 * joined.promotedKilobytes + 0.2,
    })),
  )
}

/** Per request. With many connections nearly all requests join a flight; with one, each makes its own call. */
async function cost(
  parts: { generator: Running; upstream: Upstream },
  service: Service,
  connections: number,
  seconds: number,
): Promise<Cost> {
  await service.hear({})
  const { requestsPerSecond } = await measure(parts, targetOf(service), { delayMs: 0, connections, seconds })
  const { allocatedBytes, promotedBytes, collectionMs } = (await service.hear({})) as HeapReading
  const requests = requestsPerSecond * seconds
  return {
    kilobytes: allocatedBytes / 1000 / requests,
    promotedKilobytes: promotedBytes / 1000 / requests,
    collectionMs: (collectionMs * 1000) / requests,
  }
}

function targetOf({ pid, origin }: Service) {
  return { pid, url: `${origin}${RENEWAL_PATH}`, headers: CALLER_HEADERS }
}
