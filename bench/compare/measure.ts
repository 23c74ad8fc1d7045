import pidusage from 'pidusage'
import { startProgram, type Running } from '../processes.js'
import type { Load, LoadResult } from '../programs/load-generator.js'
import type { Upstream } from '../upstream.js'
import type { Subject } from './subjects.js'

/** One subject under one load, once; absolute figures. */
export interface Measurement {
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  cpuMicroseconds: number
  residentMb: number
  callsPerThousand: number
  /** Share of its core that the subject used: well below 1, something else was the limit. */
  busy: number
  failures: number
}

export async function startLoadGenerator(): Promise<Running> {
  const generator = startProgram('load-generator', [])
  await generator.hear()
  return generator
}

/** Repeated where a busy machine let no answer through, of which there is no quotient. */
export async function measure(
  { generator, upstream }: { generator: Running; upstream: Upstream },
  { pid, url, headers }: Pick<Subject, 'pid' | 'url' | 'headers'>,
  { delayMs, connections, seconds }: { delayMs: number; connections: number; seconds: number },
  attempts = 3,
): Promise<Measurement> {
  await upstream.behave({ delayMs })
  const before = await pidusage(pid)
  const load: Load = { url, headers, connections, seconds }
  const result = (await generator.hear(load)) as LoadResult
  if (result.answers === 0) {
    if (attempts === 1) throw new Error(`${url} answered none of the requests within ${seconds} s`)
    return measure(
      { generator, upstream },
      { pid, url, headers },
      { delayMs, connections, seconds },
      attempts - 1,
    )
  }
  const after = await pidusage(pid)
  const cpuMs = after.ctime - before.ctime
  return {
    requestsPerSecond: result.answers / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuMicroseconds: (cpuMs * 1000) / result.answers,
    residentMb: after.memory / 1e6,
    callsPerThousand: ((await upstream.calls()) * 1000) / result.answers,
    busy: cpuMs / 1000 / result.seconds,
    failures: result.failures,
  }
}
