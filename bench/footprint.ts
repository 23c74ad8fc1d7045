import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { programPath } from './paths.js'
import { hear, type Running } from './processes.js'
import type { HeapReading } from './programs/heap-probe.js'
import { usage } from './usage.js'
import type { Check } from './verdict.js'

/** What a service has to be started with so that its footprint can be taken. */
export const PROBE_OPTIONS = ['--expose-gc', '--import', pathToFileURL(programPath('heap-probe')).href]

/** What a process at rest holds: after garbage collection, and once its idle connections are gone. */
export interface Footprint {
  heapMb: number
  residentMb: number
  openFiles: number
}

const STILL_MS = 4_000
const LONGEST_MS = 25_000

/** Waits until the open files stay the same for a while: an idle connection to Zendesk is kept for ten seconds. */
export async function footprint(service: Running): Promise<Footprint> {
  const until = performance.now() + LONGEST_MS
  let openFiles = usage(service.pid).openFiles
  for (let since = performance.now(); performance.now() < until && performance.now() - since < STILL_MS;) {
    await delay(200)
    const now = usage(service.pid).openFiles
    if (now !== openFiles) since = performance.now()
    openFiles = now
  }
  const { heapBytes } = await hear<HeapReading>(service, 'count')
  return { heapMb: heapBytes / 1e6, residentMb: usage(service.pid).residentBytes / 1e6, openFiles }
}

/** That nothing has grown beyond what caches and a compiler may keep. */
export function growthChecks(whose: string, before: Footprint, after: Footprint): Check[] {
  const [heapMb, residentMb, openFiles] = [
    before.heapMb * 1.2 + 5,
    before.residentMb * 1.3 + 30,
    before.openFiles + 10,
  ]
  return [
    {
      expected: `${whose} holds at most ${heapMb.toFixed(0)} MB of heap after garbage collection`,
      found: `${after.heapMb.toFixed(1)} MB, ${before.heapMb.toFixed(1)} before`,
      kept: after.heapMb <= heapMb,
    },
    {
      expected: `${whose} holds at most ${residentMb.toFixed(0)} MB of memory`,
      found: `${after.residentMb.toFixed(0)} MB, ${before.residentMb.toFixed(0)} before`,
      kept: after.residentMb <= residentMb,
    },
    {
      expected: `${whose} holds at most ${openFiles} open files and sockets`,
      found: `${after.openFiles}, ${before.openFiles} before`,
      kept: after.openFiles <= openFiles,
    },
  ]
}
