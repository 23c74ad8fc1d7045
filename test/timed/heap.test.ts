import { once } from 'node:events'
import autocannon from 'autocannon'
import t from 'tap'
import type { HeapReading } from '../support/heap-probe.js'
import { startZendesk } from '../support/helper.js'
import { start, type Running } from '../support/process.js'
import { provokeSlowState, type Target } from '../support/slow-state.js'

const REQUESTS = 3_000

t.test('no client can make garbage live long, by hanging up or by not reading', async (t) => {
  const { environment } = await startZendesk(t)
  const probe = { preload: 'test/support/heap-probe.js' }
  const service = start(t, { ...environment, CALLER_RATE_PER_MINUTE: '0' }, probe)
  const url = `${await service.url()}/session/renew`
  const target = { url, headers: {}, pid: service.child.pid ?? 0 }

  const before = await promotedFor(service, target)
  // So many that the young generation grows to its full size, before which V8 decides nothing.
  const crowd = autocannon({ url, connections: 500, duration: 60 }, () => undefined)
  await provokeSlowState(target, 3)
  crowd.stop()
  const after = await promotedFor(service, target)
  t.ok(after <= 2 * before + 200, `${after} octets of a request survived, ${before} before`)
})

/** How many octets a request moves to old space, where they stay until a mark-compact: in the best of three measurements. */
async function promotedFor({ child }: Running, { url }: Target): Promise<number> {
  // What those before it have left may be promoted with it.
  await autocannon({ url, connections: 64, amount: REQUESTS })
  await reading(child)
  const promoted: number[] = []
  while (promoted.length < 3) {
    await autocannon({ url, connections: 64, amount: REQUESTS })
    promoted.push((await reading(child)).promotedBytes / REQUESTS)
  }
  // The slow state lasts and shows in each; a single collection that promotes what is in use shows in one.
  return Math.round(Math.min(...promoted))
}

/** Of the time since the last one. */
async function reading(child: Running['child']): Promise<HeapReading> {
  child.send({})
  const [message] = (await once(child, 'message')) as [HeapReading]
  return message
}
