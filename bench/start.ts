import { setTimeout as delay } from 'node:timers/promises'
import pidusage from 'pidusage'
import { CHECKOUT, startService } from './service.js'
import { spread, spreadText } from './spread.js'
import type { Check } from './verdict.js'

/** What a start costs, and how much it may. */
const most = { 'ms until ready': 700, 'ms of CPU until ready': Infinity, 'MB resident when idle': 95 }
type Start = typeof most

/** Starts one after the other; in pairs with another checkout that is built, if given. */
export async function startUp(rounds: number, beside: string | undefined): Promise<Check[]> {
  const pairs: { ours: Start; theirs: Start | undefined }[] = []
  const other = () => (beside === undefined ? undefined : once(beside))
  for (let round = 0; round < rounds; round++) {
    const before = round % 2 === 0 ? await other() : undefined
    const ours = await once(CHECKOUT)
    pairs.push({ ours, theirs: before ?? (await other()) })
  }
  return (Object.keys(most) as (keyof Start)[]).map((figure) => {
    const ours = spread(pairs.map((pair) => pair.ours[figure]))
    const quotients = pairs.flatMap((pair) => (pair.theirs ? [pair.ours[figure] / pair.theirs[figure]] : []))
    const besides = beside === undefined ? '' : `; ${spreadText(spread(quotients))} times that of ${beside}`
    const expected = most[figure] === Infinity ? figure : `at most ${most[figure]} ${figure}`
    return { expected, found: `${spreadText(ours, 0)}${besides}`, passed: ours.median <= most[figure] }
  })
}

async function once(checkout: string): Promise<Start> {
  const startedAt = performance.now()
  const service = await startService('http://127.0.0.1:9', {}, { checkout })
  const readyMs = performance.now() - startedAt
  const { ctime } = await pidusage(service.pid)
  await delay(1_000)
  const { memory } = await pidusage(service.pid)
  await service.stop()
  return { 'ms until ready': readyMs, 'ms of CPU until ready': ctime, 'MB resident when idle': memory / 1e6 }
}
