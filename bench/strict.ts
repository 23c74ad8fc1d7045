import { Callers } from './callers.js'
import { steadyLoad } from './load.js'
import { stop } from './processes.js'
import { strictZendesk } from './scenarios.js'
import { CALLER_HEADERS } from './service.js'
import { startSubject, type SubjectName } from './subjects.js'
import { Tally } from './tally.js'
import { UPSTREAM_TOKEN, type Upstream } from './upstream.js'

/** How callers fared at one subject while Zendesk was strict; all of it counted. */
export interface StrictResult {
  subject: SubjectName
  callers: number
  tokens: number
  rateLimited: number
  calls: number
  refusedCalls: number
}

/** The first seconds of a minute of Zendesk's; undefined where the subject is not installed. */
export async function measureStrict(
  name: SubjectName,
  upstream: Upstream,
  seconds: number,
): Promise<StrictResult | undefined> {
  const { delayMs, limitPerMinute, budgetPerMinute, callersPerSecond } = strictZendesk
  const options = { upstream: upstream.origin, token: UPSTREAM_TOKEN, budgetPerMinute }
  const subject = await startSubject(name, options)
  if (!subject) return undefined
  const callers = new Callers(10_000)
  const tally = new Tally()
  let rateLimited = 0
  const { origin, pathname: path } = new URL(subject.url)
  await upstream.behave({ delayMs, limit: limitPerMinute })
  await steadyLoad({ perSecond: callersPerSecond, seconds }, async () => {
    const outcome = tally.add(await callers.ask({ origin, path, headers: CALLER_HEADERS }))
    if ('status' in outcome && outcome.status === 429) rateLimited += 1
  })
  const { calls, refused: refusedCalls } = await upstream.count()
  await callers.close()
  await stop(subject)
  return { subject: name, callers: tally.asked, tokens: tally.tokens, rateLimited, calls, refusedCalls }
}
