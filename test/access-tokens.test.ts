import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Secret } from '../src/secret.js'
import { Budget } from '../src/zendesk/budget.js'
import { Deadline } from '../src/zendesk/deadline.js'
import { OAuthTokens } from '../src/zendesk/oauth-tokens.js'
import { Pace } from '../src/zendesk/pace.js'
import type { Transport } from '../src/zendesk/transport.js'
import { Refusals } from '../src/zendesk/traffic/refusals.js'
import { LocalSchedule } from '../src/zendesk/traffic/schedule.js'

const MINUTE = 60_000

t.test('where the answer does not tell the lifetime, the one that was asked for holds', async (t) => {
  const { tokens, clock, minted, authorization } = startTokens(t)
  t.equal(await authorization(), 'Bearer token-1')
  clock.now = 23 * MINUTE
  t.equal(await authorization(), 'Bearer token-1')
  t.equal(minted(), 1)
  clock.now = 31 * MINUTE
  t.equal(await authorization(), 'Bearer token-2', 'what must be expired is not used')
  t.notMatch(JSON.stringify(tokens), /token-\d/)
})

t.test(
  'a fresh token that is refused is kept and tried again, and replaced after half a minute',
  async (t) => {
    const { tokens, clock, minted, authorization } = startTokens(t)
    await authorization()
    for (clock.now = 0; clock.now < 30_000; clock.now += 1_000) {
      t.equal(tokens.refused('Bearer token-1'), 'new')
      t.equal(await authorization(), 'Bearer token-1')
    }
    t.equal(tokens.refused('Bearer token-1'), 'another')
    t.equal(await authorization(), 'Bearer token-2')
    t.equal(tokens.refused('Bearer token-2'), 'none', 'two in a row: no longer a matter of time')
    clock.now += 9_999
    t.equal(tokens.refused('Bearer token-2'), 'none')
    t.equal(minted(), 2)
    clock.now += 1
    t.equal(tokens.refused('Bearer token-2'), 'another', 'one more after ten seconds')
    tokens.accepted(await authorization())
    t.equal(minted(), 3)
  },
)

t.test('a token that was accepted before is replaced at once, but only once in ten seconds', async (t) => {
  const { tokens, clock, minted, authorization } = startTokens(t)
  tokens.accepted(await authorization())
  t.equal(tokens.refused('Bearer token-1'), 'another')
  t.equal(tokens.refused('Bearer token-1'), 'another', 'also where a call with the old one is told late')
  tokens.accepted(await authorization())
  t.equal(tokens.refused('Bearer token-2'), 'new', 'as where only some servers know it')
  t.equal(minted(), 2)
  clock.now = 10_000
  t.equal(tokens.refused('Bearer token-2'), 'another')
  t.equal(await authorization(), 'Bearer token-3')
})

t.test('a changed client secret replaces a refused token at once', async (t) => {
  const path = `${t.testdir({ secret: 'sandbox-one' })}/secret`
  const { tokens, authorization } = startTokens(t, { path })
  await authorization()
  t.equal(tokens.refused('Bearer token-1'), 'new')
  writeFileSync(path, 'sandbox-two')
  t.equal(tokens.refused('Bearer token-1'), 'another')
  t.equal(await authorization(), 'Bearer token-2')
})

t.test('calls with refused credentials grow rarer, up to one a minute', (t) => {
  const clock = { now: 0 }
  const refusals = new Refusals(() => clock.now)
  const waits = Array.from({ length: 10 }, () => {
    refusals.refused(false)
    clock.now += refusals.waitMs
    return clock.now
  })
  t.same(waits.slice(0, 4), [500, 1_500, 3_500, 7_500])
  t.same([waits.at(-2), waits.at(-1)], [183_500, 243_500])
  refusals.refused(false)
  t.equal(refusals.waitMs, MINUTE)
  refusals.reset()
  t.equal(refusals.waitMs, 0)
  t.end()
})

/** Tokens of a token endpoint that answers at once, on a clock that stands still until the test moves it. */
function startTokens(t: Test, source: { text: string } | { path: string } = { text: 'sandbox-secret' }) {
  const clock = { now: 0, deadline: new Deadline(MINUTE) }
  t.teardown(() => {
    clock.deadline.end()
  })
  let count = 0
  const exchange: Transport['exchange'] = (request, judge) => {
    if (request.operation !== 'token') throw new Error('only tokens are asked for here')
    const body = Buffer.from(JSON.stringify({ access_token: `token-${(count += 1)}` }))
    const value = judge({ status: 201, headers: {}, body })
    return Promise.resolve(value instanceof Error ? value : { value, zendeskMs: 1 })
  }
  const secret = new Secret('ZENDESK_OAUTH_CLIENT_SECRET', source, (text) => text)
  const client = { id: 'client', secret, scope: 'read', timeoutMs: MINUTE }
  const pace = new Pace(new LocalSchedule(new Budget(0)))
  const tokens = new OAuthTokens({ exchange }, client, pace, () => clock.now)
  const authorization = async () => String(await tokens.authorization(clock.deadline))
  return { tokens, clock, minted: () => count, authorization }
}
