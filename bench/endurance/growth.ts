import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import pidusage from 'pidusage'
import { programPath, type Running } from '../processes.js'
import type { HeapReading } from '../programs/heap-probe.js'
import type { Check } from '../verdict.js'

/** Node's options for a process whose heap is to be read. */
export const PROBE_OPTIONS = ['--expose-gc', '--import', pathToFileURL(programPath('heap-probe')).href]

/** What an idle process holds, after garbage collection and once its idle connections are closed. */
export interface Footprint {
  heapMb: number
  residentMb: number
  openFiles: number
}

const STILL_MS = 4_000
const LONGEST_MS = 25_000

/** Waits until the number of open files stays the same: an idle connection to Zendesk is kept for ten seconds. */
export async function footprint(service: Running): Promise<Footprint> {
  const count = () => readdirSync(`/proc/${service.pid}/fd`).length
  const until = performance.now() + LONGEST_MS
  let openFiles = count()
  for (let since = performance.now(); performance.now() < until && performance.now() - since < STILL_MS;) {
    await delay(200)
    const now = count()
    if (now !== openFiles) since = performance.now()
    openFiles = now
  }
  const { heapBytes } = (await service.hear({ collect: true })) as HeapReading
  return { heapMb: heapBytes / 1e6, residentMb: (await pidusage(service.pid)).memory / 1e6, openFiles }
}

/** Nothing may grow beyond what caches and a compiler keep. */
export function growthChecks(name: string, before: Footprint, after: Footprint): Check[] {
  const check = (figure: keyof Footprint, unit: string, most: number): Check => ({
    expected: `${name} holds at most ${most.toFixed(0)} ${unit}`,
    found: `${after[figure].toFixed(0)}, ${before[figure].toFixed(0)} before`,
    passed: after[figure] <= most,
  })
  return [
    check('heapMb', 'MB of heap after garbage collection', before.heapMb * 1.2 + 5),
    check('residentMb', 'MB of memory', before.residentMb * 1.3 + 30),
    check('openFiles', 'open files and sockets', before.openFiles + 10),
  ]
}
