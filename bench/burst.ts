import { Callers } from './callers.js'
import { cores } from './cores.js'
import { steadyLoad } from './load.js'
import { endProgress, progress } from './progress.js'
import { stop } from './processes.js'
import { CALLER_HEADERS, RENEWAL_PATH, startService } from './service.js'
import { Tally } from './tally.js'
import { Upstream, UPSTREAM_TOKEN } from './upstream.js'
import { pronounce, type Check } from './verdict.js'

const CALLERS = 5_000
const DELAY_MS = 100
const MOST_CALLS = 12

/** 5,000 callers within one second, on a Zendesk that takes 100 ms: without a budget, and with the default one. */
export async function burst(): Promise<void> {
  const upstream = await Upstream.start()
  const checks: Check[] = []
  for (const budgetPerMinute of [0, 100]) {
    progress(`${CALLERS} callers within a second, budget ${budgetPerMinute}`)
    const service = await startService({
      zendesk: upstream.origin,
      core: cores()?.measured,
      environment: {
        ZENDESK_OAUTH_TOKEN: UPSTREAM_TOKEN,
        ZENDESK_BUDGET_PER_MINUTE: String(budgetPerMinute),
      },
    })
    const callers = new Callers(10_000)
    const come = async (perSecond: number) => {
      const tally = new Tally()
      await steadyLoad({ perSecond, seconds: 1 }, async () => {
        tally.add(await callers.ask({ origin: service.origin, path: RENEWAL_PATH, headers: CALLER_HEADERS }))
      })
      return tally
    }
    // A service that has served before, and callers whose code is compiled: neither start is what is measured.
    await come(CALLERS / 10)
    await upstream.behave({ delayMs: DELAY_MS })
    const tally = await come(CALLERS)
    const { calls } = await upstream.count()
    await callers.close()
    await stop(service)
    const p99 = tally.quantileMs(0.99) / DELAY_MS
    const p50 = tally.quantileMs(0.5) / DELAY_MS
    checks.push(
      {
        expected: `${budgetPerMinute === 0 ? 'no budget' : 'budget 100'}: every caller gets a token`,
        found: `${tally.summary()}; p50 ${p50.toFixed(1)} and p99 ${p99.toFixed(1)} times what Zendesk takes (our own event loop ${callers.lag.worstMs.toFixed(0)} ms late at the worst)`,
        kept: tally.tokens === CALLERS,
      },
      {
        expected: `one call serves all who ask meanwhile, so at most ${MOST_CALLS} do`,
        found: `${calls} calls for ${CALLERS} callers`,
        kept: calls <= MOST_CALLS,
      },
    )
  }
  endProgress()
  pronounce('burst', checks)
}
