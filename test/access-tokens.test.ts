import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Problem } from '../src/problems/problem.js'
import { Secret } from '../src/secret.js'
import { systemClock } from '../src/zendesk/clock.js'
import { Deadline } from '../src/zendesk/deadline.js'
import { OAuthTokens } from '../src/zendesk/oauth-tokens.js'
import type { Send } from '../src/zendesk/operation.js'
import { Refusals } from '../src/zendesk/traffic/refusals.js'

const MINUTE = 60_000

t.test('where the answer does not tell the lifetime, the one that was asked for holds', async (t) => {
  const { tokens, clock, minted, authorization } = startTokens(t)
  t.equal(await authorization(), 'Bearer token-1')
  clock.at = 23 * MINUTE
  t.equal(await authorization(), 'Bearer token-1')
  t.equal(minted(), 1)
  clock.at = 31 * MINUTE
  t.equal(await authorization(), 'Bearer token-2', 'what must be expired is not used')
  t.notMatch(JSON.stringify(tokens), /token-\d/)
})

t.test(
  'a fresh token that is refused is kept and tried again, and replaced after half a minute',
  async (t) => {
    const { tokens, clock, minted, authorization } = startTokens(t)
    await authorization()
    for (clock.at = 0; clock.at < 30_000; clock.at += 1_000) {
      t.equal(tokens.refused('Bearer token-1'), 'new')
      t.equal(await authorization(), 'Bearer token-1')
    }
    t.equal(tokens.refused('Bearer token-1'), 'another')
    t.equal(await authorization(), 'Bearer token-2')
    t.equal(tokens.refused('Bearer token-2'), 'none', 'two in a row: no longer a matter of time')
    clock.at += 9_999
    t.equal(tokens.refused('Bearer token-2'), 'none')
    t.equal(minted(), 2)
    clock.at += 1
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
  clock.at = 10_000
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
  const clock = { at: 0, now: () => clock.at }
  const refusals = new Refusals(clock)
  const waits = Array.from({ length: 10 }, () => {
    refusals.refused(false)
    clock.at += refusals.waitMs
    return clock.at
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
  const clock = { ...systemClock, now: () => clock.at, at: 0 }
  const deadline = new Deadline(MINUTE)
  t.teardown(() => {
    deadline.end()
  })
  let count = 0
  const send: Send = ({ operation }) => {
    if (operation.name !== 'token') throw new Error('only tokens are asked for here')
    const body = Buffer.from(JSON.stringify({ access_token: `token-${(count += 1)}` }))
    const value = operation.judge({ status: 201, headers: {}, body, zendeskMs: 1 })
    return Promise.resolve(value instanceof Problem ? value : { value, zendeskMs: 1 })
  }
  const secret = new Secret('ZENDESK_OAUTH_CLIENT_SECRET', source, (text) => text)
  const client = { id: 'client', secret, scope: 'read', timeoutMs: MINUTE }
  const tokens = new OAuthTokens(send, client, clock)
  const authorization = async () => String(await tokens.authorization(deadline))
  return { tokens, clock, minted: () => count, authorization }
}
