import t, { type Test } from 'tap'
import { checkProblem, credentialKinds, type ToldProblem } from './support/fixtures.js'
import { ask, startService, startZendesk } from './support/helper.js'
import { outcomeOf, VirtualZendesk, type Reply } from './support/virtual-zendesk.js'
import type { Fault, SandboxOptions } from './sandbox/zendesk.js'

const ID = /^[0-9a-f]{16}-SEA$/

t.jobs = 3

t.test('one token is fetched for many callers, asked for as Zendesk documents, and used again', async (t) => {
  const { url, zendesk } = await startOAuth(t)
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(`${url}/session/renew`)))
  for (let more = 0; more < 5; more++) answers.push(await ask(`${url}/session/renew`))
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(zendesk.tokenRequests().length, 1)
  t.equal(new Set(authorizations(zendesk)).size, 1)

  const [request] = zendesk.tokenRequests()
  t.same([request?.method, request?.path], ['POST', '/oauth/tokens'])
  t.match(JSON.parse(request?.body ?? ''), {
    grant_type: 'client_credentials',
    client_id: zendesk.credentials.clientId,
    client_secret: zendesk.credentials.clientSecret,
    scope: 'read',
    expires_in: 1800,
  })
  t.match(request?.headers, { 'content-type': 'application/json', accept: 'application/json' })
  t.notOk(request?.headers['authorization'])
})

t.test(
  'a revoked token is dropped: one new token, one more try, and the caller notices nothing',
  async (t) => {
    const { url, zendesk } = await startOAuth(t)
    t.equal((await ask(`${url}/session/renew`)).status, 200)
    zendesk.revokeTokens()
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(`${url}/session/renew`)))
    t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
    t.equal(zendesk.renewals().filter(({ status }) => status !== 200).length, 1, 'one call was refused')
    t.equal(zendesk.tokenRequests().length, 2)
  },
)

t.test('a lifetime that is not told, or told as a string, does not make a fetch of each call', async (t) => {
  for (const tokenLifetime of [null, '1800', 'soon']) {
    const { url, zendesk } = await startOAuth(t, {}, { tokenLifetime })
    for (let call = 0; call < 3; call++) t.equal((await ask(`${url}/session/renew`)).status, 200)
    t.equal(zendesk.tokenRequests().length, 1, String(tokenLifetime))
  }
})

t.test('a token that is over at once serves the call that it was fetched for, and no other', async (t) => {
  const { url, zendesk } = await startOAuth(t)
  const grant = { access_token: zendesk.credentials.bearerToken, token_type: 'bearer', expires_in: 0 }
  zendesk.misbehave({ kind: 'body', body: JSON.stringify(grant), target: 'token' })
  for (let call = 0; call < 3; call++) t.equal((await ask(`${url}/session/renew`)).status, 200)
  t.equal(zendesk.tokenRequests().length, 3)
})

t.test('a misspelled scope still gives a token: the call with it is forbidden', async (t) => {
  const { url, zendesk } = await startOAuth(t, { ZENDESK_OAUTH_SCOPE: 'raed' })
  const told = { status: 502, code: 'zendesk-permission-denied', zendesk: { status: 403, requestId: ID } }
  checkProblem(t, await ask(`${url}/session/renew`), told)
  t.match(JSON.parse(zendesk.tokenRequests()[0]?.body ?? ''), { scope: 'raed' })
})

t.test(
  'whatever is wrong with the token endpoint, the caller is told and the API is not called',
  async (t) => {
    const told = (code: string, zendesk?: ToldProblem['zendesk'], status = 502): ToldProblem => ({
      status,
      code: `zendesk-${code}`,
      ...(zendesk && { zendesk }),
    })
    const said = (status: number) => ({ status, requestId: ID })
    const rows: [fault: Fault, expected: ToldProblem, tries?: number][] = [
      [{ kind: 'status', status: 400, shape: 'invalid-scope' }, told('credentials-rejected', said(400))],
      [{ kind: 'status', status: 400, shape: 'invalid-grant' }, told('credentials-rejected', said(400))],
      [{ kind: 'status', status: 401, shape: 'invalid-client' }, told('credentials-rejected', said(401))],
      [{ kind: 'status', status: 403 }, told('permission-denied', said(403))],
      [{ kind: 'status', status: 403, shape: 'cf-challenge' }, told('blocked', { status: 403 })],
      [{ kind: 'status', status: 404, shape: 'invalid-endpoint' }, told('error', said(404))],
      [{ kind: 'status', status: 404, shape: 'no-help-desk' }, told('account-not-found', said(404))],
      [{ kind: 'redirect' }, told('redirected', said(302))],
      [
        { kind: 'status', status: 429 },
        { ...told('rate-limited', said(429), 429), retryAfter: 27 },
      ],
      [{ kind: 'status', status: 500 }, told('error', { status: 500 })],
      [{ kind: 'status', status: 502 }, told('unavailable', { status: 502 }, 503), 3],
      [{ kind: 'reset' }, told('unavailable', undefined, 503), 3],
      [{ kind: 'silence' }, told('timeout', undefined, 504)],
      [{ kind: 'garbage' }, told('bad-response')],
      [
        { kind: 'body', body: '<html>Sign in</html>', contentType: 'text/html' },
        told('bad-response', said(200)),
      ],
      [{ kind: 'body', body: '{"token_type":"bearer"}' }, told('bad-response', said(200))],
      [{ kind: 'body', body: '{"access_token":"two\\r\\nlines"}' }, told('bad-response', said(200))],
    ]
    for (const [fault, expected, tries = 1] of rows) {
      await t.test(`${expected.code} after ${JSON.stringify(fault)}`, async (t) => {
        const { url, zendesk } = await startOAuth(t, { ZENDESK_TIMEOUT_MS: '1500' })
        zendesk.misbehave({ ...fault, target: 'token' })
        const answer = await ask(`${url}/session/renew`)
        checkProblem(t, answer, expected)
        t.ok(answer.tookMs < 1750, 'within the deadline')
        t.equal(zendesk.tokenRequests().length, tries)
        t.equal(zendesk.requests.length, tries, 'nothing else was asked')
      })
    }
  },
)

t.test('a token is renewed before it expires, while callers go on with the old one', async (t) => {
  const { zendesk, renew } = startVirtual()
  zendesk.answer = ({ operation, at }) =>
    operation === 'token' ? { ...granted(10), afterMs: at > 0 ? 100 : 0 } : { status: 200 }
  while (zendesk.clock.now() < 8_200) {
    t.equal((await renew()).code, 'ok')
    await zendesk.clock.pass(50)
  }
  t.same(zendesk.times('token'), [0, 8_000], 'once, after four fifths of its lifetime')
  const used = (from: number, to: number) =>
    new Set(
      zendesk.calls
        .filter(({ operation, at }) => operation === 'renew' && at >= from && at < to)
        .map(({ authorization }) => authorization),
    )
  t.same(used(8_000, 8_100), used(0, 8_000), 'the old one is used while the new one is on its way')
  t.notSame(used(8_150, 9_000), used(0, 8_000))
  t.equal(used(8_150, 9_000).size, 1)
})

t.test('a token that is known to be expired is not used, even if there is no other', async (t) => {
  const { zendesk, renew } = startVirtual()
  zendesk.answer = ({ operation, at }) =>
    operation === 'token' ? (at === 0 ? granted(10) : { status: 500 }) : { status: 200 }
  while (zendesk.clock.now() < 9_000) {
    t.equal((await renew()).code, 'ok')
    await zendesk.clock.pass(100)
  }
  const used = zendesk.times().length
  for (let asked = 0; asked < 3; asked++)
    t.match(await renew(), { problem: { code: 'zendesk-error', status: 502, zendesk: { status: 500 } } })
  t.equal(zendesk.times().length, used, 'the API sees no call')
  zendesk.answer = ({ operation }) => (operation === 'token' ? granted(10) : { status: 200 })
  t.equal((await renew()).code, 'ok')
})

t.test(
  'a token that ends when the budget is spent costs a wait, and is not reported as rejected credentials',
  async (t) => {
    // A burst of five, then a call in 1.1 s: more than a caller waits here.
    const { zendesk, client, renew } = startVirtual({ budgetPerMinute: 60, timeoutMs: 600 })
    for (let call = 0; call < 4; call++) t.equal((await renew()).code, 'ok')
    const revoked = zendesk.calls.at(-1)?.authorization
    zendesk.answer = ({ operation, authorization }) => ({
      status: operation === 'renew' && authorization === revoked ? 401 : 200,
    })
    const codesUntil = async (last: string) => {
      const codes: string[] = []
      while (codes.at(-1) !== last) {
        codes.push((await renew()).code)
        await zendesk.clock.pass(50)
      }
      return codes
    }
    const untilToken = await codesUntil('ok')
    t.same(new Set(untilToken), new Set(['zendesk-rate-limited', 'ok']))
    t.equal(zendesk.outcomes().filter((status) => status === 401).length, 1)
    t.equal(client.outlook().credentials, 'ok')

    zendesk.answer = ({ operation }) => ({ status: operation === 'renew' ? 401 : 200 })
    t.same(
      new Set(await codesUntil('zendesk-credentials-rejected')),
      new Set(['zendesk-rate-limited', 'zendesk-credentials-rejected']),
      'a second one in a row is told',
    )
  },
)

t.test('a token that the API does not know yet is tried again, and no other one is fetched', async (t) => {
  const { zendesk, client } = startVirtual()
  zendesk.answer = ({ operation, at }) => ({ status: operation === 'renew' && at < 1_000 ? 401 : 200 })
  const renewals = Promise.all(Array.from({ length: 50 }, () => outcomeOf(client.renewSession())))
  t.same(new Set((await zendesk.clock.until(renewals)).map(({ code }) => code)), new Set(['ok']))
  t.equal(zendesk.times('token').length, 1)
  t.same(zendesk.outcomes(), [401, 401, 200])
  t.same(zendesk.times(), [0, 500, 1_500], 'after growing waits')
})

t.test(
  'a token that stays refused is told as rejected credentials, and tried more and more rarely',
  async (t) => {
    const { zendesk, client, renew } = startVirtual({ timeoutMs: 400 })
    zendesk.answer = ({ operation }) => ({ status: operation === 'renew' ? 401 : 200 })
    const rejected = { code: 'zendesk-credentials-rejected', status: 502 }
    t.match(await renew(), { problem: { ...rejected, zendesk: { status: 401 } } })
    t.match(await renew(), {
      problem: { ...rejected, retryAfter: 1, zendesk: undefined, waitsFor: 'credentials' },
    })
    t.equal(zendesk.times().length, 1, 'no call meanwhile')
    t.equal(client.outlook().credentials, 'rejected')
    while (zendesk.clock.now() < 12_000) {
      await renew()
      await zendesk.clock.pass(50)
    }
    const waits = zendesk.times().map((at, index, times) => at - (times[index - 1] ?? 0))
    t.ok(
      waits.slice(1).every((wait) => wait >= 500 && wait <= 2_100),
      waits.join(),
    )
    t.ok(zendesk.times().length < 10, 'far fewer than callers')
    zendesk.answer = () => ({ status: 200 })
    await zendesk.clock.pass(2_000)
    t.equal((await renew()).code, 'ok')
    t.equal(client.outlook().credentials, 'ok')
    t.equal(zendesk.times('token').length, 1)
  },
)

t.test('a throttled token endpoint gets no requests, while the current token is used', async (t) => {
  const { zendesk, client, renew } = startVirtual()
  const throttled: Reply = { status: 429, headers: { 'retry-after': '27' } }
  zendesk.answer = ({ operation, at }) =>
    operation === 'token' ? (at === 0 ? granted(10) : throttled) : { status: 200 }
  while (zendesk.clock.now() < 9_000) {
    t.equal((await renew()).code, 'ok')
    await zendesk.clock.pass(100)
  }
  t.same(zendesk.outcomes('token'), [200, 429])
  t.equal(client.outlook().pausedForSeconds, 0, 'the API is not paused')
  t.match(await renew(), { problem: { code: 'zendesk-rate-limited', retryAfter: 26, waitsFor: 'pause' } })
  t.equal(zendesk.times('token').length, 2, 'no token request during the pause')
})

/** A client with OAuth client credentials on a clock that the test moves. */
function startVirtual(settings: Parameters<VirtualZendesk['client']>[1] = {}) {
  const zendesk = new VirtualZendesk()
  const client = zendesk.client('client-credentials', settings)
  return { zendesk, client, renew: () => zendesk.clock.until(outcomeOf(client.renewSession())) }
}

function granted(seconds: number): Reply {
  return { status: 200, body: { access_token: `access-${Math.random()}`, expires_in: seconds } }
}

async function startOAuth(t: Test, environment: NodeJS.ProcessEnv = {}, options: SandboxOptions = {}) {
  // They ask as fast as they can, for seconds.
  const { zendesk } = await startZendesk(t, { limitPerMinute: 1_000_000, ...options })
  const service = await startService(t, { ...credentialKinds(zendesk)[0]?.environment, ...environment })
  return { ...service, zendesk }
}

function authorizations(zendesk: { renewals: () => { headers: Record<string, unknown> }[] }): unknown[] {
  return zendesk.renewals().map(({ headers }) => headers['authorization'])
}
