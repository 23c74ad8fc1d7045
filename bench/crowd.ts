import { Callers } from './callers.js'
import { Grievances } from './grievances.js'
import { steadyLoad } from './load.js'
import type { Visit } from './visits.js'

export interface CrowdOptions {
  origin: string
  perSecond: number
  seconds: number
  visit: () => Visit
  /** What is promised: an answer in so many milliseconds. Callers themselves are patient for a second more. */
  withinMs: number
  /** How long callers keep an idle connection. */
  keepAliveMs?: number
  onSecond?: (second: number) => void
}

/** Callers who come one after the other whatever happens, and what each of them had to complain about. */
export async function crowd(options: CrowdOptions): Promise<Grievances> {
  const { origin, visit, withinMs, keepAliveMs, ...load } = options
  const callers = new Callers(withinMs + 1_000, keepAliveMs)
  const grievances = new Grievances(withinMs)
  await steadyLoad(load, async () => {
    const { request, owed } = visit()
    grievances.hear(await callers.ask({ ...request, origin }), { ...owed, withinMs })
  })
  await callers.close()
  return grievances
}
