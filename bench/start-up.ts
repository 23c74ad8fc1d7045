import { setTimeout as delay } from 'node:timers/promises'
import { cores } from './cores.js'
import { median } from './median.js'
import { answering, stop } from './processes.js'
import { endProgress, Steps } from './progress.js'
import { launchService } from './service.js'
import { usage } from './usage.js'
import { pronounce } from './verdict.js'

const STARTS = 10
const TARGET_MS = 700
const TARGET_MB = 100
const SETTLE_MS = 1_000

/** From the start of the process to its first ready answer, and the memory it then rests at. */
export async function startUp(): Promise<void> {
  const readyMs: number[] = []
  const cpuMs: number[] = []
  const idleMb: number[] = []
  const steps = new Steps(STARTS)
  for (let count = 0; count < STARTS; count++) {
    steps.next('start, wait until ready, look at memory, stop')
    const startedAt = performance.now()
    const service = await launchService({
      zendesk: 'http://127.0.0.1:9',
      core: cores()?.measured,
      environment: { ZENDESK_OAUTH_TOKEN: 'bench-token-not-a-secret' },
    })
    await answering(`${service.origin}/readyz`, service, 5)
    readyMs.push(performance.now() - startedAt)
    cpuMs.push(usage(service.pid).cpuSeconds * 1000)
    await delay(SETTLE_MS)
    idleMb.push(usage(service.pid).residentBytes / 1e6)
    await stop(service)
  }
  endProgress()
  const [ms, mb] = [median(readyMs), median(idleMb)]
  pronounce('start', [
    {
      expected: `ready within ${TARGET_MS} ms`,
      found: `${ms.toFixed(0)} ms, ${median(cpuMs).toFixed(0)} of them on the processor (median of ${STARTS}, worst ${Math.max(...readyMs).toFixed(0)})`,
      kept: ms <= TARGET_MS,
    },
    {
      expected: `at most ${TARGET_MB} MB resident when idle`,
      found: `${mb.toFixed(0)} MB (median of ${STARTS})`,
      kept: mb <= TARGET_MB,
    },
  ])
}
