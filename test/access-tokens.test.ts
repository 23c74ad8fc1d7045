import t from 'tap'
import { Secret } from '../src/secret.js'
import { Budget } from '../src/zendesk/budget.js'
import { Deadline } from '../src/zendesk/deadline.js'
import { OAuthTokens } from '../src/zendesk/oauth-tokens.js'
import { Pace } from '../src/zendesk/pace.js'
import type { Transport } from '../src/zendesk/transport.js'
import { LocalSchedule } from '../src/zendesk/traffic/schedule.js'

const MINUTE = 60_000

t.test('where the answer does not tell the lifetime, the one that was asked for holds', async (t) => {
  const { tokens, clock, minted, authorization } = startTokens()
  t.teardown(() => {
    clock.deadline.end()
  })
  t.equal(await authorization(), 'Bearer token-1')
  clock.now = 23 * MINUTE
  t.equal(await authorization(), 'Bearer token-1')
  t.equal(minted(), 1)
  clock.now = 31 * MINUTE
  t.equal(await authorization(), 'Bearer token-2', 'what must be expired is not used')
  t.notMatch(JSON.stringify(tokens), /token-\d/)
})

/** Tokens of a token endpoint that answers at once, on a clock that stands still until the test moves it. */
function startTokens() {
  const clock = { now: 0, deadline: new Deadline(MINUTE) }
  let count = 0
  const exchange: Transport['exchange'] = (request, judge) => {
    if (request.operation !== 'token') throw new Error('only tokens are asked for here')
    const body = Buffer.from(JSON.stringify({ access_token: `token-${(count += 1)}` }))
    const value = judge({ status: 201, headers: {}, body })
    return Promise.resolve(value instanceof Error ? value : { value, zendeskMs: 1 })
  }
  const secret = new Secret('ZENDESK_OAUTH_CLIENT_SECRET', { text: 'sandbox-secret' }, (text) => text)
  const client = { id: 'client', secret, scope: 'read', timeoutMs: MINUTE }
  const pace = new Pace(new LocalSchedule(new Budget(0)))
  const tokens = new OAuthTokens({ exchange }, client, pace, () => clock.now)
  return { tokens, clock, minted: () => count, authorization: () => tokens.authorization(clock.deadline) }
}
