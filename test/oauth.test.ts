import t, { type Test } from 'tap'
import { checkProblem, credentialKinds, until, type ToldProblem } from './support/fixtures.js'
import { ask, startService, startZendesk } from './support/helper.js'
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

t.test('a token is renewed before it expires, while callers go on with the old one', async (t) => {
  const { url, zendesk } = await startOAuth(t, {}, { tokenLifetime: 2 })
  zendesk.misbehave({ kind: 'delay', ms: 100, target: 'token', after: 1 })
  const oldOneGoesOn = () => {
    const since = zendesk.tokenRequests()[1] && zendesk.tokenRequests().at(-1)?.at
    const before = zendesk.renewals().filter(({ at }) => at < (since ?? 0))
    const after = zendesk.renewals().filter(({ at }) => at > (since ?? Infinity))
    const old = before.at(-1)?.headers['authorization']
    return after.some(({ headers }) => headers['authorization'] === old)
  }
  await until('the old one is used while the new one is on its way', async () => {
    t.equal((await ask(`${url}/session/renew`)).status, 200)
    return oldOneGoesOn()
  })
  const asked = zendesk.tokenRequests()
  const before = zendesk.renewals().filter(({ at }) => at < (asked.at(-1)?.at ?? 0))
  const used = new Set(before.map(({ headers }) => headers['authorization'])).size
  t.equal(asked.length, used + 1, 'the new one was asked for once')
  t.same(new Set(zendesk.renewals().map(({ status }) => status)), new Set([200]))
})

t.test('a token that is known to be expired is not used, even if there is no other', async (t) => {
  const { url, zendesk } = await startOAuth(t, {}, { tokenLifetime: 1 })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  zendesk.misbehave({ kind: 'status', status: 500, target: 'token' })
  let answer = await ask(`${url}/session/renew`)
  await until('the token is expired', async () => (answer = await ask(`${url}/session/renew`)).status !== 200)

  const used = zendesk.renewals().length
  checkProblem(t, answer, { status: 502, code: 'zendesk-error', zendesk: { status: 500 } })
  t.equal((await ask(`${url}/session/renew`)).status, 502)
  t.equal(zendesk.renewals().length, used, 'the API sees no call')
  t.same(new Set(zendesk.renewals().map(({ status }) => status)), new Set([200]), 'nor did it before')
  zendesk.heal()
  t.equal((await ask(`${url}/session/renew`)).status, 200)
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

t.test(
  'a token that ends when the budget is spent costs a wait, and is not reported as rejected credentials',
  async (t) => {
    // A burst of five, then a call in 1.1 s: more than a caller waits here.
    const { url, zendesk } = await startOAuth(t, {
      ZENDESK_BUDGET_PER_MINUTE: '60',
      ZENDESK_TIMEOUT_MS: '600',
    })
    for (let call = 0; call < 4; call++) t.equal((await ask(`${url}/session/renew`)).status, 200)
    zendesk.revokeTokens()
    const untilTokens = await codesUntil(url, undefined)
    t.same(new Set(untilTokens), new Set(['zendesk-rate-limited']))
    t.equal(zendesk.renewals().filter(({ status }) => status === 401).length, 1)

    zendesk.misbehave({ kind: 'status', status: 401, shape: 'invalid-token', target: 'renew' })
    const untilRejection = await codesUntil(url, 'zendesk-credentials-rejected')
    t.same(
      untilRejection.filter((code) => code !== 'zendesk-rate-limited'),
      [],
      'a second one in a row is told',
    )
  },
)

t.test('a token that the API does not know yet is tried again, and no other one is fetched', async (t) => {
  const { url, zendesk } = await startOAuth(t, {}, { tokenLagMs: 1_000 })
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(`${url}/session/renew`)))
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(zendesk.tokenRequests().length, 1)
  const statuses = zendesk.renewals().map(({ status }) => status)
  t.same(new Set(statuses.slice(0, -1)), new Set([401]))
  t.equal(statuses.at(-1), 200)
  t.ok(statuses.length <= 4, `${statuses.length} calls, after growing waits`)
})

t.test(
  'a token that stays refused is told as rejected credentials, and tried ever more seldom',
  async (t) => {
    const { url, zendesk } = await startOAuth(t, { ZENDESK_TIMEOUT_MS: '400' })
    zendesk.misbehave({ kind: 'status', status: 401, shape: 'invalid-token', target: 'renew' })
    const told = {
      status: 502,
      code: 'zendesk-credentials-rejected',
      zendesk: { status: 401, requestId: ID },
    }
    checkProblem(t, await ask(`${url}/session/renew`), told)
    const { status, code } = told
    checkProblem(t, await ask(`${url}/session/renew`), { status, code, retryAfter: 1 })
    t.equal(zendesk.renewals().length, 1, 'no call meanwhile')
    t.equal((await ask(`${url}/readyz`)).body?.['credentials'], 'rejected')
    zendesk.heal()
    await until('it is tried again', async () => (await ask(`${url}/session/renew`)).status === 200)
    t.equal((await ask(`${url}/readyz`)).body?.['credentials'], 'ok')
    t.equal(zendesk.tokenRequests().length, 1)
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

t.test('a misspelt scope still gives a token: the call with it is forbidden', async (t) => {
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

t.test('a throttled token endpoint gets no requests, while the current token is used', async (t) => {
  const { url, zendesk } = await startOAuth(t, {}, { tokenLifetime: 5 })
  zendesk.misbehave({ kind: 'status', status: 429, target: 'token', after: 1 })
  let answer = await ask(`${url}/session/renew`)
  await until('a renewal of the token is refused', async () => {
    answer = await ask(`${url}/session/renew`)
    return zendesk.tokenRequests().at(-1)?.status === 429
  })
  t.equal((await ask(`${url}/session/renew`)).status, 200, 'the API is not paused')
  t.equal((await ask(`${url}/readyz`)).body?.['pausedForSeconds'], 0)

  await until('the token is expired', async () => (answer = await ask(`${url}/session/renew`)).status !== 200)
  t.match(answer.body, { code: 'zendesk-rate-limited', retryAfter: 27 })
  t.equal(zendesk.tokenRequests().length, 2, 'no token request during the pause')
})

async function startOAuth(t: Test, environment: NodeJS.ProcessEnv = {}, options: SandboxOptions = {}) {
  // They ask as fast as they can, for seconds.
  const { zendesk } = await startZendesk(t, { limitPerMinute: 1_000_000, ...options })
  const service = await startService(t, { ...credentialKinds(zendesk)[0]?.environment, ...environment })
  return { ...service, zendesk }
}

function authorizations(zendesk: { renewals: () => { headers: Record<string, unknown> }[] }): unknown[] {
  return zendesk.renewals().map(({ headers }) => headers['authorization'])
}

/** What callers are told who come one after the other, until one is told this code, or, undefined, gets a token. */
async function codesUntil(url: string, last: string | undefined): Promise<unknown[]> {
  const codes: unknown[] = []
  for (;;) {
    const { body } = await ask(`${url}/session/renew`)
    if (body?.['code'] === last) return codes
    codes.push(body?.['code'])
    if (codes.length > 200) return codes
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
