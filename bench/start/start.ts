import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pidusage from 'pidusage'
import { answering } from '../processes.js'
import { spread, spreadText } from '../quantiles.js'
import { DIST, launchService } from '../service.js'
import { endProgress, progress, pronounce } from '../verdict.js'

const TARGET_MS = 700
const TARGET_MB = 100
const SETTLE_MS = 1_000

interface Start {
  readyMs: number
  cpuMs: number
  idleMb: number
}

/** From the start of the process to its first ready answer, and the memory it then rests at; in pairs with another build, if given. */
export async function startUp({
  rounds,
  beside,
}: {
  rounds: number
  beside?: string | undefined
}): Promise<void> {
  const pairs: { ours: Start; theirs?: Start }[] = []
  for (let round = 0; round < rounds; round++) {
    progress(`start ${round + 1} of ${rounds}`)
    const first = beside !== undefined && round % 2 === 0 ? await once(resolve(beside)) : undefined
    const ours = await once(DIST)
    const theirs = first ?? (beside === undefined ? undefined : await once(resolve(beside)))
    pairs.push({ ours, ...(theirs && { theirs }) })
  }
  endProgress()
  const of = (figure: keyof Start) =>
    spread(
      pairs.map(({ ours }) => ours[figure]),
      'highest',
    )
  const quotient = (figure: keyof Start) => {
    const quotients = pairs.flatMap(({ ours, theirs }) => (theirs ? [ours[figure] / theirs[figure]] : []))
    return quotients.length === 0
      ? ''
      : `; ${spreadText(spread(quotients, 'highest'))} times that of ${beside ?? ''}`
  }
  pronounce('start', [
    {
      expected: `ready within ${TARGET_MS} ms`,
      found: `${spreadText(of('readyMs'), 0)} ms${quotient('readyMs')}`,
      passed: of('readyMs').median <= TARGET_MS,
    },
    {
      expected: 'CPU until ready, for information',
      found: `${spreadText(of('cpuMs'), 0)} ms${quotient('cpuMs')}`,
      passed: true,
    },
    {
      expected: `at most ${TARGET_MB} MB resident when idle`,
      found: `${spreadText(of('idleMb'), 0)} MB${quotient('idleMb')}`,
      passed: of('idleMb').median <= TARGET_MB,
    },
  ])
}

async function once(dist: string): Promise<Start> {
  const startedAt = performance.now()
  const service = await launchService({
    dist,
    zendesk: 'http://127.0.0.1:9',
    environment: { ZENDESK_OAUTH_TOKEN: 'bench-token-not-a-secret' },
  })
  await answering(`${service.origin}/readyz`, service, 5)
  const readyMs = performance.now() - startedAt
  const { ctime: cpuMs } = await pidusage(service.pid)
  await delay(SETTLE_MS)
  const { memory } = await pidusage(service.pid)
  await service.stop()
  return { readyMs, cpuMs, idleMb: memory / 1e6 }
}
