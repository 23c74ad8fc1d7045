import { startSubject, startUpstream, type Subject } from '../compare/subjects.js'
import { startService } from '../service.js'
import type { Check } from '../verdict.js'
import { Callers, renewals } from './callers.js'

const CALLERS = 5_000
const MOST_CALLS = 12

/** 5,000 callers within a second on a Zendesk that takes 100 ms, without a budget and with the default one, beside bare Fastify. */
export async function burst(): Promise<Check[]> {
  const upstream = await startUpstream()
  const checks: Check[] = []
  for (const budget of ['0', '100']) {
    const bare = await startSubject('bare Fastify', upstream.origin)
    const besides = bare && (await send(bare, upstream)).times
    await bare?.stop()
    const service = await startService(upstream.origin, { ZENDESK_BUDGET_PER_MINUTE: budget })
    const { tally, calls, times } = await send(service, upstream)
    await service.stop()
    checks.push({
      expected: `${CALLERS} callers within a second, Zendesk takes 100 ms, budget ${budget}: all get a token by at most ${MOST_CALLS} calls`,
      found: `${tally.summary()}, ${calls} calls; ${times}; bare Fastify under the same burst ${besides ?? ''}`,
      passed: tally.tokens === CALLERS && calls <= MOST_CALLS,
    })
  }
  await upstream.stop()
  return checks
}

/** After a tenth of the load, so that neither callers nor service are measured while their code is being compiled. */
async function send(server: { origin: string }, upstream: Subject) {
  const callers = new Callers()
  await upstream.hear({ delayMs: 0 })
  await renewals(callers, [server], { perSecond: CALLERS / 10, seconds: 1 })
  await upstream.hear({ delayMs: 100 })
  const tally = await renewals(callers, [server], { perSecond: CALLERS, seconds: 1 })
  const { calls } = (await upstream.hear({})) as { calls: number }
  await callers.close()
  const [p50, p99] = [tally.quantileMs(0.5), tally.quantileMs(0.99)]
  return { tally, calls, times: `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms` }
}
