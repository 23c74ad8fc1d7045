import t from 'tap'
import { rateLimitOf } from '../src/zendesk/rate-limit.js'
import { AccountShare } from '../src/zendesk/traffic/account-share.js'
import { AccountLimit } from './sandbox/rate-limit.js'
import { ask, startService, startZendesk } from './support/helper.js'
import { RedisServer, redisOrSkip } from './support/redis-server.js'
import { outcomeOf, VirtualZendesk } from './support/virtual-zendesk.js'

const FIVE_MINUTES = 5 * 60_000

t.test('beside a busy integration nobody is refused, and every caller is served in time', async (t) => {
  for (const kind of ['bearer', 'client-credentials'] as const) {
    const { codes, slowestMs, account, zendesk } = await shareAccount({ otherPerMinute: 150, kind })
    t.same([...codes], ['ok'], kind)
    t.ok(slowestMs < 5_000, `${slowestMs} ms`)
    t.same(new Set(zendesk.outcomes()), new Set([200]), 'no 429')
    t.ok(account.other.requests >= 750)
    t.equal(account.other.refused, 0)
    t.ok(zendesk.calls.length > 5 * 30, `${zendesk.calls.length} calls: what is left is used`)
  }
})

t.test('without another integration the pace is that of the budget', async (t) => {
  const alone = await shareAccount({ otherPerMinute: 0 })
  const untold = await shareAccount({ otherPerMinute: 0, isTold: false })
  t.same(alone.zendesk.times(), untold.zendesk.times())
  t.same([...alone.codes], ['ok'])
})

t.test('with a short deadline callers are slowed down less, but not refused', async (t) => {
  const { codes, slowestMs } = await shareAccount({ otherPerMinute: 110, timeoutMs: 2_400 })
  t.same([...codes], ['ok'])
  t.ok(slowestMs < 2_400, `${slowestMs} ms`)
})

t.test('the gap follows what is left, and how long it must do', (t) => {
  const clock = { at: 0, now: () => clock.at }
  const share = new AccountShare(100, 6_000, clock)
  const gap = (limit: number, remaining: number, resetSeconds?: number) => {
    share.told({ limit, remaining, resetSeconds })
    return Math.round(share.gap().ms)
  }
  t.same(share.gap(), { ms: 0, validMs: 0, ageMs: undefined }, 'before Zendesk has told anything')
  t.equal(gap(200, 150, 30), 0, 'what our budget explains')
  t.equal(gap(200, 100, 30), 1_500, 'the others use it too')
  t.equal(gap(2500, 2000, 30), 75, 'but nothing is scarce')
  t.equal(gap(200, 20, 30), 2_000, 'never more than a third of the deadline')
  t.equal(gap(200, 0, 60), 2_000)
  t.equal(gap(200, 100), 0, 'without the time of the reset: what a minute of our budget explains')
  t.equal(gap(200, 90), 2_000)
  share.told({ limit: 200, remaining: 100, resetSeconds: 30 })
  clock.at += 29_999
  t.match(share.gap(), { ms: 1_500, validMs: 1, ageMs: 29_999 })
  clock.at += 1
  t.match(share.gap(), { validMs: 0 }, 'the limit has been reset')
  const unpaced = new AccountShare(0, 6_000, clock)
  unpaced.told({ limit: 200, remaining: 1, resetSeconds: 60 })
  t.equal(unpaced.gap().ms, 0, 'without a budget there is no pace')
  t.end()
})

t.test('the limit is read under each of its names, and not where it makes no sense', (t) => {
  const rows: [headers: Record<string, string | string[]>, expected: unknown][] = [
    [
      { 'x-rate-limit': '700', 'x-rate-limit-remaining': '699' },
      { limit: 700, remaining: 699, resetSeconds: undefined },
    ],
    [
      { 'ratelimit-limit': '400', 'ratelimit-remaining': '3;w=60', 'ratelimit-reset': '7' },
      { limit: 400, remaining: 3, resetSeconds: 7 },
    ],
    [
      { 'x-rate-limit': ['200', '200'], 'x-rate-limit-remaining': '900' },
      { limit: 200, remaining: 200, resetSeconds: undefined },
    ],
    [{ 'x-rate-limit': '0', 'x-rate-limit-remaining': '0' }, undefined],
    [{ 'x-rate-limit': '700', 'x-rate-limit-remaining': '-5' }, undefined],
    [{ 'x-rate-limit': '1e99', 'x-rate-limit-remaining': '5' }, undefined],
    [{ 'x-rate-limit': '700' }, undefined],
  ]
  for (const [headers, expected] of rows) t.same(rateLimitOf({ headers }), expected, JSON.stringify(headers))
  t.end()
})

t.test('what one replica is told slows all of them down, through redis', redisOrSkip(), async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk, environment } = await startZendesk(t)
  const settings = {
    ...environment,
    ZENDESK_BUDGET_PER_MINUTE: '600',
    ZENDESK_TIMEOUT_MS: '3000',
    REDIS_URL: redis.url,
  }
  const [told, other] = [await startService(t, settings), await startService(t, settings)]
  const tight = { 'X-Rate-Limit': '200', 'X-Rate-Limit-Remaining': '20', 'ratelimit-reset': '50' }
  zendesk.misbehave({ kind: 'status', status: 422, headers: tight })
  t.equal((await ask(`${told.url}/session/renew`)).status, 502)
  t.match(told.app.zendesk.rateLimit(), { limit: 200, remaining: 20, resetSeconds: 50 })
  t.equal((await ask(`${told.url}/session/renew`)).status, 502)
  t.equal(other.app.zendesk.rateLimit(), undefined, 'the other has not called yet')
  t.equal((await ask(`${other.url}/session/renew`)).status, 502)
  const [, second, third] = zendesk.renewals()
  const gapMs = (third?.at ?? 0) - (second?.at ?? 0)
  // Without the gap it would be one of the burst. Only the start of a call is delayed, so that a busy machine adds time.
  t.ok(gapMs >= 800, `${gapMs} ms: a third of the deadline, whichever replica calls`)
})

/** Eight callers with 20 requests a second between them, on an account of 200 a minute and with a budget of 100. */
async function shareAccount({
  otherPerMinute,
  kind = 'bearer',
  timeoutMs = 5_000,
  isTold = true,
}: {
  otherPerMinute: number
  kind?: 'bearer' | 'client-credentials'
  timeoutMs?: number
  isTold?: boolean
}) {
  const zendesk = new VirtualZendesk()
  const { clock } = zendesk
  const account = new AccountLimit(200, otherPerMinute, () => clock.now())
  zendesk.answer = ({ operation }) => {
    if (operation === 'token') return { status: 200, afterMs: 30 }
    const status = account.take() ? 200 : 429
    const { limit, remaining, resetSeconds } = account.quota()
    const headers = {
      'x-rate-limit': String(limit),
      'x-rate-limit-remaining': String(remaining),
      'ratelimit-reset': String(resetSeconds),
    }
    return { status, afterMs: 30, ...(isTold && { headers }) }
  }
  const client = zendesk.client(kind, { budgetPerMinute: 100, timeoutMs })
  const codes = new Set<string>()
  let slowestMs = 0
  const renew = async () => {
    const startedAt = clock.now()
    codes.add((await outcomeOf(client.renewSession())).code)
    slowestMs = Math.max(slowestMs, clock.now() - startedAt)
  }
  const asking: Promise<void>[] = []
  while (clock.now() < FIVE_MINUTES) {
    asking.push(renew())
    await clock.pass(50)
  }
  await clock.until(Promise.all(asking))
  account.quota()
  return { codes, slowestMs, account, zendesk }
}
