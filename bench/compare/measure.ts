import { once } from 'node:events'
import autocannon from 'autocannon'
import pidusage from 'pidusage'
import { provokeSlowState } from '../../test/support/slow-state.js'
import { quantile } from '../spread.js'
import type { Subject } from './subjects.js'

/** What the upstream takes, and connections that each send one request after the other. */
export type Load = Record<'delayMs' | 'connections' | 'seconds', number>
export type Measurement = Awaited<ReturnType<typeof measureOnce>>

/** One subject under one load, repeated where a busy machine let no answer through. */
export async function measure(upstream: Subject, subject: Subject, load: Load): Promise<Measurement> {
  for (;;) {
    const measurement = await measureOnce(upstream, subject, load)
    if (measurement.requestsPerSecond > 0) return measurement
  }
}

async function measureOnce(upstream: Subject, { pid, url, headers }: Subject, load: Load) {
  await upstream.hear({ delayMs: load.delayMs })
  const before = await pidusage(pid)
  const run = autocannon(
    { url, headers, connections: load.connections, duration: load.seconds },
    () => undefined,
  )
  // autocannon's percentiles are whole milliseconds, too coarse to compare; ours come from its events.
  const times: number[] = []
  run.on('response', (_client, status, _bytes, ms) => {
    if (status === 200) times.push(ms)
  })
  const [result] = (await once(run, 'done')) as [autocannon.Result]
  const after = await pidusage(pid)
  const { calls } = (await upstream.hear({})) as { calls: number }
  const cpuMs = after.ctime - before.ctime
  return {
    requestsPerSecond: times.length / result.duration,
    cpuMicroseconds: (cpuMs * 1000) / times.length,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    residentMb: after.memory / 1e6,
    callsPerThousand: (calls * 1000) / times.length,
    /** Share of its core that the subject used: well below 1, something else was the limit. */
    busy: cpuMs / 1000 / result.duration,
    failures: result.non2xx + result.errors,
  }
}

/** Clients prevent garbage from dying young: only on a busy server, whose young generation has grown to its full size. */
export async function provoke(upstream: Subject, subject: Subject): Promise<void> {
  const load = { delayMs: 100, connections: 500, seconds: 7 }
  await Promise.all([measure(upstream, subject, load), provokeSlowState(subject)])
}
