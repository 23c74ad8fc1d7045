import { startSubject } from '../compare/subjects.js'
import { CALLER_HEADERS, RENEWAL_PATH, startService } from '../service.js'
import { Upstream, UPSTREAM_TOKEN } from '../upstream.js'
import { endProgress, progress, pronounce, type Check } from '../verdict.js'
import { Callers, steadyLoad } from './callers.js'
import { Tally } from './tally.js'

const CALLERS = 5_000
const DELAY_MS = 100
const MOST_CALLS = 12

/** 5,000 callers within a second on a Zendesk that takes 100 ms, without a budget and with the default one, beside bare Fastify. */
export async function burst(): Promise<void> {
  const upstream = await Upstream.start()
  const checks: Check[] = []
  const bare = await startSubject('bare Fastify', upstream.origin)
  const besideBare = bare ? (await send(new URL(bare.url).origin, upstream)).text : 'not measured'
  await bare?.stop()
  for (const budget of ['0', '100']) {
    progress(`${CALLERS} callers within a second, budget ${budget}`)
    const service = await startService({
      zendesk: upstream.origin,
      environment: { ZENDESK_OAUTH_TOKEN: UPSTREAM_TOKEN, ZENDESK_BUDGET_PER_MINUTE: budget },
    })
    const { tally, text } = await send(service.origin, upstream)
    const calls = await upstream.calls()
    await service.stop()
    const name = budget === '0' ? 'no budget' : `budget ${budget}`
    checks.push(
      {
        expected: `${name}: every caller gets a token`,
        found: `${tally.summary()}; ${text} (bare Fastify ${besideBare})`,
        passed: tally.tokens === CALLERS,
      },
      {
        expected: `${name}: callers share calls, at most ${MOST_CALLS}`,
        found: `${calls} calls for ${CALLERS} callers`,
        passed: calls <= MOST_CALLS,
      },
    )
  }
  await upstream.stop()
  endProgress()
  pronounce('burst', checks)
}

/** After a tenth of the load, so that neither callers nor service are measured while their code is being compiled. */
async function send(origin: string, upstream: Upstream) {
  const callers = new Callers(10_000)
  const load = async (perSecond: number) => {
    const tally = new Tally()
    await steadyLoad({ perSecond, seconds: 1 }, async () => {
      tally.add(await callers.ask({ origin, path: RENEWAL_PATH, headers: CALLER_HEADERS }))
    })
    return tally
  }
  await upstream.behave({ delayMs: 0 })
  await load(CALLERS / 10)
  await upstream.behave({ delayMs: DELAY_MS })
  const tally = await load(CALLERS)
  await callers.close()
  const [p50, p99, lag] = [tally.quantileMs(0.5), tally.quantileMs(0.99), callers.worstLagMs]
  return {
    tally,
    text: `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, our own event loop at most ${lag.toFixed(0)} ms late`,
  }
}
