import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import pidusage from 'pidusage'
import type { Running } from '../processes.js'
import type { HeapReading } from '../../test/support/heap-probe.js'
import type { Check } from '../verdict.js'

/** Until idle connections are closed: one to Zendesk is kept for ten seconds. */
const IDLE_MS = 15_000

/** What a process may hold: nothing may grow beyond what caches and a compiler keep. */
const most = {
  'MB of heap after garbage collection': (before: number) => before * 1.2 + 5,
  'MB of memory': (before: number) => before * 1.3 + 30,
  'open files and sockets': (before: number) => before + 10,
} as const

export type Footprint = Record<keyof typeof most, number>

export async function footprint(service: Running): Promise<Footprint> {
  await delay(IDLE_MS)
  const { heapBytes } = (await service.hear({ collect: true })) as HeapReading
  return {
    'MB of heap after garbage collection': heapBytes / 1e6,
    'MB of memory': (await pidusage(service.pid)).memory / 1e6,
    'open files and sockets': readdirSync(`/proc/${service.pid}/fd`).length,
  }
}

export function growthChecks(name: string, before: Footprint, after: Footprint): Check[] {
  return (Object.keys(most) as (keyof Footprint)[]).map((figure) => ({
    expected: `${name} holds at most ${most[figure](before[figure]).toFixed(0)} ${figure}`,
    found: `${after[figure].toFixed(0)}, ${before[figure].toFixed(0)} before`,
    passed: after[figure] <= most[figure](before[figure]),
  }))
}
