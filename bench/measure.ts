import { hear, startNode, type Running } from './processes.js'
import { programPath } from './paths.js'
import type { Volley, VolleyResult } from './programs/cannon.js'
import type { Scenario } from './scenarios.js'
import { CALLER_HEADERS } from './service.js'
import type { Subject } from './subjects.js'
import type { Upstream } from './upstream.js'
import { usage } from './usage.js'

/** One subject in one scenario, once; all of it absolute. */
export interface Measurement {
  answersPerSecond: number
  p50Ms: number
  p99Ms: number
  cpuMsPerAnswer: number
  residentBytes: number
  callsPerThousand: number
  /** Share of its core that the subject used: well below 1, something else was the limit. */
  busy: number
  failures: number
}

export async function startCannon(): Promise<Running> {
  const cannon = startNode(programPath('cannon'), { args: [] })
  await hear(cannon)
  return cannon
}

export async function measure(
  { cannon, upstream }: { cannon: Running; upstream: Upstream },
  subject: Subject,
  { delayMs, connections }: Scenario,
  seconds: number,
): Promise<Measurement> {
  await upstream.behave({ delayMs })
  const before = usage(subject.pid)
  const volley: Volley = { url: subject.url, headers: CALLER_HEADERS, connections, seconds }
  const result = await hear<VolleyResult>(cannon, volley)
  const after = usage(subject.pid)
  const { calls } = await upstream.count()
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds
  return {
    answersPerSecond: result.answers / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuMsPerAnswer: (cpuSeconds * 1000) / result.answers,
    residentBytes: after.residentBytes,
    callsPerThousand: (calls * 1000) / result.sent,
    busy: cpuSeconds / result.seconds,
    failures: result.failures,
  }
}
