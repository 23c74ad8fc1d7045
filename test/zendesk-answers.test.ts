import t from 'tap'
import { checkProblem, startPairs, until, type ToldProblem } from './support/fixtures.js'
import { ask, startBoth } from './support/helper.js'
import type { Fault } from './sandbox/zendesk.js'

const ID = /^[0-9a-f]{16}-SEA$/
const BAD = { status: 502, code: 'zendesk-bad-response' }

t.test('a caller is told what Zendesk said in our words, and Zendesk is asked once', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false' })
  const told = (code: string, status: number, requestId: RegExp | null = ID): ToldProblem => ({
    status: 502,
    code: `zendesk-${code}`,
    zendesk: requestId ? { status, requestId } : { status },
  })
  const rows: [fault: Fault, expected: ToldProblem][] = [
    [{ kind: 'status', status: 401 }, told('credentials-rejected', 401)],
    [{ kind: 'status', status: 401, shape: 'invalid-token' }, told('credentials-rejected', 401)],
    [{ kind: 'status', status: 403 }, told('permission-denied', 403)],
    [{ kind: 'status', status: 403, shape: 'missing-scopes' }, told('permission-denied', 403)],
    [{ kind: 'status', status: 403, shape: 'cf-challenge' }, told('blocked', 403, null)],
    [{ kind: 'status', status: 403, shape: 'cf-1010' }, told('blocked', 403, null)],
    [{ kind: 'status', status: 403, shape: 'cf-denied' }, told('blocked', 403, null)],
    [{ kind: 'status', status: 403, headers: { 'cf-mitigated': 'block' } }, told('blocked', 403)],
    [{ kind: 'status', status: 404, shape: 'no-help-desk' }, told('account-not-found', 404)],
    [{ kind: 'status', status: 404, shape: 'help-center-closed' }, told('account-not-found', 404)],
    [{ kind: 'status', status: 404, shape: 'json-as-plain' }, told('error', 404)],
    [{ kind: 'status', status: 404, shape: 'empty' }, told('error', 404)],
    [{ kind: 'redirect' }, told('redirected', 302)],
    [{ kind: 'redirect', status: 307, location: '/api/v2/users/me/session/renew' }, told('redirected', 307)],
    [{ kind: 'status', status: 400 }, told('error', 400)],
    [{ kind: 'status', status: 406 }, told('error', 406)],
    [{ kind: 'status', status: 409 }, told('error', 409)],
    [{ kind: 'status', status: 422 }, told('error', 422)],
    [{ kind: 'status', status: 500, shape: 'plain' }, told('error', 500)],
    [{ kind: 'status', status: 204 }, told('error', 204)],
    [{ kind: 'body', body: '{}' }, told('bad-response', 200)],
    [{ kind: 'body', body: '{"authenticity_token":""}' }, told('bad-response', 200)],
    [{ kind: 'body', body: `{"authenticity_token":"${'A'.repeat(4097)}"}` }, told('bad-response', 200)],
    [{ kind: 'body', body: '<html>Sign in</html>', contentType: 'text/html' }, told('bad-response', 200)],
    [{ kind: 'body', body: `{"authenticity_token":"${'A'.repeat(2 ** 20)}"}` }, told('bad-response', 200)],
    [{ kind: 'endless' }, told('bad-response', 200)],
    [{ kind: 'declared-huge' }, told('bad-response', 200)],
    [{ kind: 'gzip-bomb' }, told('bad-response', 200)],
    [{ kind: 'bad-gzip' }, told('bad-response', 200)],
    [{ kind: 'reset-mid-body' }, told('bad-response', 200)],
    [{ kind: 'status', status: 200, headers: { 'X-Huge': 'a'.repeat(20_000) } }, BAD],
    [{ kind: 'garbage' }, BAD],
    [{ kind: 'cut-head' }, BAD],
  ]
  for (const [fault, expected] of rows) {
    await t.test(`${expected.code} after ${JSON.stringify(fault).slice(0, 80)}`, async (t) => {
      zendesk.misbehave({ ...fault, target: 'renew' })
      zendesk.requests.length = 0
      checkProblem(t, await ask(`${url}/session/renew`), expected)
      t.same(
        zendesk.requests.map(({ path }) => path),
        ['/api/v2/users/me/session/renew'],
      )
      zendesk.heal()
      // Refused credentials are tried again after a pause, so as not to lock their user out.
      if (expected.code === 'zendesk-credentials-rejected')
        await until('it is tried again', async () => (await ask(`${url}/session/renew`)).status === 200)
      else t.equal((await ask(`${url}/session/renew`)).status, 200, 'and the next one is served')
    })
  }
})

t.test('a throttle is passed on with the wait, and is not tried again before it is over', async (t) => {
  const rows: [headers: Record<string, string | string[]>, shape: string, retryAfter: number][] = [
    [{}, 'rate-limited', 27],
    [{}, 'rate-limited-json', 93],
    [{}, 'rate-limited-html', 27],
    [{ 'Retry-After': ['27', '27'] }, 'rate-limited', 27],
    [{ 'Retry-After': [] }, 'rate-limited', 10],
    [{ 'Retry-After': 'soon' }, 'rate-limited', 10],
    [{ 'Retry-After': '9999' }, 'rate-limited', 600],
  ]
  for (const [headers, shape, retryAfter] of rows) {
    const { url, zendesk } = await startBoth(t, { DOCS: 'false' })
    zendesk.misbehave({ kind: 'status', status: 429, shape, headers })
    const zendeskSaid = { status: 429, requestId: ID }
    const expected = { status: 429, code: 'zendesk-rate-limited', retryAfter, zendesk: zendeskSaid }
    checkProblem(t, await ask(`${url}/session/renew`), expected)
    t.equal(zendesk.requests.length, 1)
  }
})

t.test('an outage is tried three times at the most, then told', async (t) => {
  const told = (status: number): ToldProblem => ({
    status: status === 504 ? 504 : 503,
    code: status === 504 ? 'zendesk-timeout' : 'zendesk-unavailable',
    zendesk: { status },
  })
  const rows: [fault: Fault, expected: ToldProblem, tries: number][] = [
    ...[502, 503, 504, 520, 521, 524, 527, 530].map((status): [Fault, ToldProblem, number] => [
      { kind: 'status', status },
      told(status),
      3,
    ]),
    [{ kind: 'reset' }, { status: 503, code: 'zendesk-unavailable' }, 3],
    [
      { kind: 'status', status: 503, shape: 'database-timeout' },
      { status: 503, code: 'zendesk-unavailable', retryAfter: 30, zendesk: { status: 503, requestId: ID } },
      1,
    ],
  ]
  const pairs = await startPairs(t, rows.length)
  await Promise.all(
    rows.map(async ([fault, expected, tries], row) => {
      const { url = '', zendesk } = pairs[row] ?? {}
      zendesk?.misbehave(fault)
      checkProblem(t, await ask(`${url}/session/renew`), expected)
      t.equal(zendesk?.requests.length, tries, JSON.stringify(fault))
    }),
  )
})
