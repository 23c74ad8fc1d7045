import type { HeapReading } from '../../test/support/heap-probe.js'
import { HEAP_PROBE, startService } from '../service.js'
import type { Check } from '../verdict.js'
import { measure, provoke } from './measure.js'
import { asSubject, OWN, startUpstream, type Subject } from './subjects.js'

const CONNECTIONS = 64

/** What a request allocates and how long collecting it takes, in fresh processes and after both ways into the slow state. */
export async function allocation(rounds: number, seconds: number): Promise<Check[]> {
  const upstream = await startUpstream()
  const checks: Check[] = []
  for (let round = 1; round <= rounds; round++) {
    const service = asSubject(OWN, await startService(upstream.origin, HEAP_PROBE))
    await cost(upstream, service, CONNECTIONS, seconds)
    const joined = await cost(upstream, service, CONNECTIONS, seconds)
    const own = await cost(upstream, service, 1, seconds)
    await provoke(upstream, service)
    // Meanwhile, what many connections have left moves to old space.
    await cost(upstream, service, CONNECTIONS, seconds)
    const after = await cost(upstream, service, CONNECTIONS, seconds)
    await service.stop()
    checks.push(
      {
        expected: `process ${round}: a request that joins a call allocates at most 11 kB, one with its own call 40 kB`,
        found: `${(joined.allocatedBytes / 1000).toFixed(1)} and ${(own.allocatedBytes / 1000).toFixed(1)} kB`,
        passed: joined.allocatedBytes <= 11_000 && own.allocatedBytes <= 40_000,
      },
      {
        expected: `process ${round}: garbage dies young after clients tried to prevent it, as before`,
        found: `${after.promotedBytes.toFixed(0)} bytes of a request promoted, ${joined.promotedBytes.toFixed(0)} before; GC ${after.collectionMs.toFixed(1)} ms for 1,000 requests, ${joined.collectionMs.toFixed(1)} before`,
        passed: after.promotedBytes <= 2 * joined.promotedBytes + 200,
      },
    )
  }
  await upstream.stop()
  return checks
}

/** Bytes for each request and milliseconds for a thousand. With many connections nearly all join a call; with one, none does. */
async function cost(upstream: Subject, service: Subject, connections: number, seconds: number) {
  await service.hear({})
  const { requestsPerSecond } = await measure(upstream, service, { delayMs: 0, connections, seconds })
  const { allocatedBytes, promotedBytes, collectionMs } = (await service.hear({})) as HeapReading
  const requests = requestsPerSecond * seconds
  return {
    allocatedBytes: allocatedBytes / requests,
    promotedBytes: promotedBytes / requests,
    collectionMs: (collectionMs * 1000) / requests,
  }
}
