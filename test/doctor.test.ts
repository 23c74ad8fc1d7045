import t, { type Test } from 'tap'
import { catalogue, type ProblemCode } from '../src/problems/catalogue.js'
import { readConfig } from '../src/config/read.js'
import { explain } from '../src/doctor/explain.js'
import { admit } from '../src/doctor/target.js'
import { Problem } from '../src/problems/problem.js'
import { visit } from './support/doctor-visit.js'
import { startZendesk } from './support/helper.js'
import { SANDBOX_CREDENTIALS, type Fault } from './sandbox/zendesk.js'

const { email, password, apiToken, bearerToken, clientId, clientSecret } = SANDBOX_CREDENTIALS
const CLIENT = { ZENDESK_OAUTH_CLIENT_ID: clientId, ZENDESK_OAUTH_CLIENT_SECRET: clientSecret }
const BEARER = { ZENDESK_OAUTH_TOKEN: bearerToken }
const API_TOKEN = { ZENDESK_EMAIL: email, ZENDESK_API_TOKEN: apiToken }
const PASSWORD = { ZENDESK_EMAIL: email, ZENDESK_PASSWORD: password }

t.test('with good credentials of any kind the doctor finds nothing to fix', async (t) => {
  for (const credentials of [CLIENT, BEARER, API_TOKEN, PASSWORD]) {
    const { zendesk, ...visited } = await see(t, credentials)
    t.equal(visited.well, true)
    t.equal(visited.failure, '')
    t.match(visited.output, /^ok +identity +user 9000000001, role agent$/m)
    t.match(visited.output, /^ok +rate limit +700 calls a minute .* our part is 100$/m)
    t.match(visited.output, /^ok +renewal +a token of 86 characters came$/m)
    const retired = 'ZENDESK_EMAIL' in credentials
    t.match(visited.output, retired ? /\nReady, with 1 warning\.\n$/ : /\nReady\.\n$/)
    t.equal(visited.levels.includes('configuration warn'), retired)
    t.equal(visited.levels.includes('token ok'), credentials === CLIENT)

    t.equal(zendesk.renewals().length, 1)
    t.equal(zendesk.tokenRequests().length, credentials === CLIENT ? 1 : 0)
    const [first, ...others] = zendesk.requests.filter(({ path }) => path.startsWith('/api/'))
    t.notOk(first?.headers['authorization'], 'asked without credentials first')
    t.equal(others.length, 2)
    t.ok(others.every(({ headers }) => headers['authorization']))
  }
})

t.test(
  'a configuration that stops the service is told as the service tells it, and nobody is called',
  async (t) => {
    const { zendesk, output, well, levels } = await see(t, {
      ...BEARER,
      ZENDESK_TIMEOUT_MS: 'soon',
      PORT: '-1',
    })
    t.equal(well, false)
    t.same(levels, ['configuration fail'])
    t.match(output, /ZENDESK_TIMEOUT_MS: milliseconds/)
    t.match(output, /PORT: a port number/)
    t.equal(zendesk.requests.length, 0)
  },
)

t.test('a misspelled variable is a warning', async (t) => {
  const { output, well } = await see(t, { ...BEARER, ZENDESK_OAUTH_SCOEP: 'read' })
  t.equal(well, true)
  t.match(output, /^warn +configuration +ZENDESK_OAUTH_SCOEP .* did you mean ZENDESK_OAUTH_SCOPE/m)
})

t.test(
  'an API token in the place of the password is recognised by one try, and so is the reverse',
  async (t) => {
    const mistakes = [
      [{ ZENDESK_EMAIL: email, ZENDESK_PASSWORD: apiToken }, /give it in ZENDESK_API_TOKEN instead/],
      [{ ZENDESK_EMAIL: email, ZENDESK_API_TOKEN: password }, /give it in ZENDESK_PASSWORD instead/],
    ] as const
    for (const [credentials, fix] of mistakes) {
      const { zendesk, failure, well, levels } = await see(t, credentials)
      t.equal(well, false)
      t.match(failure, /^identity\nZendesk answered 200 as an anonymous user/)
      t.match(failure, fix)
      t.notOk(levels.some((level) => level.startsWith('renewal')))
      t.equal(zendesk.requests.length, 3, 'without credentials, as configured, as probably meant')
    }
  },
)

t.test('credentials that are simply wrong get the advice for their kind', async (t) => {
  const cases: [NodeJS.ProcessEnv, RegExp][] = [
    [{ ...API_TOKEN, ZENDESK_API_TOKEN: 'wrong-not-a-secret' }, /unused for 30 days it is deactivated/],
    [{ ...PASSWORD, ZENDESK_PASSWORD: 'wrong-not-a-secret' }, /switched password access off/],
    [
      { ZENDESK_OAUTH_TOKEN: apiToken },
      /refuses the credentials \(401\)[^]*an API token is not a bearer token/,
    ],
    [{ ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: 'wrong-not-a-secret' }, /^token\n.*\(invalid_client\)/],
    [
      { ...API_TOKEN, ZENDESK_API_TOKEN: `"${apiToken}"` },
      /quotation marks around the value of ZENDESK_API_TOKEN/,
    ],
    [{ ...API_TOKEN, ZENDESK_API_TOKEN: `${apiToken} ` }, /Take the blank away/],
    [
      { ...API_TOKEN, ZENDESK_API_TOKEN: `${email}/token:${apiToken}` },
      /Give the token alone in ZENDESK_API_TOKEN/,
    ],
  ]
  for (const [credentials, advice] of cases) {
    const { failure, well } = await see(t, credentials)
    t.equal(well, false)
    t.match(failure, advice)
  }
})

t.test('a 200 for an anonymous user is a failure with every kind of credential', async (t) => {
  for (const credentials of [CLIENT, BEARER, API_TOKEN, PASSWORD]) {
    const { zendesk, failure, well } = await see(t, credentials, { kind: 'anonymous', target: 'me' })
    t.equal(well, false)
    t.match(failure, /it ignored the credentials/)
    t.equal(zendesk.renewals().length, 0)
  }
})

t.test(
  'a misspelled scope, whether it gives a useless token or none, is found by trying the right one',
  async (t) => {
    const misspelled = { ...CLIENT, ZENDESK_OAUTH_SCOPE: 'raed' }
    const useless = await see(t, misspelled)
    t.match(useless.failure, /^identity\n.*\(403\)[^]*Set ZENDESK_OAUTH_SCOPE to read/)
    t.equal(useless.zendesk.tokenRequests().length, 2)

    const none = await see(t, misspelled, scopeRefused(1))
    t.match(none.failure, /^token\n.*\(invalid_scope\)[^]*Set ZENDESK_OAUTH_SCOPE to read/)

    const other = await see(t, misspelled, scopeRefused(2))
    t.match(other.failure, /^token\n[^]*Check that the OAuth client in Admin Center is a confidential one/)
  },
)

t.test('a 403 names the scope for OAuth, and role, plan and addresses for the rest', async (t) => {
  const cases = [
    [CLIENT, /Check ZENDESK_OAUTH_SCOPE/],
    [BEARER, /ZENDESK_OAUTH_TOKEN needs the scope read/],
    [API_TOKEN, /role of this user, the plan of the account, and its IP restrictions/],
    [PASSWORD, /role of this user, the plan of the account, and its IP restrictions/],
  ] as const
  for (const [credentials, advice] of cases) {
    for (const target of ['me', 'renew'] as const) {
      const { failure } = await see(t, credentials, { kind: 'status', status: 403, target })
      t.match(failure, target === 'me' ? /^identity\n/ : /^renewal\n/)
      t.match(failure, /status 403, x-request-id \w+-SEA/)
      t.match(failure, advice)
    }
  }
})

t.test('a misspelled subdomain is found before any credential goes there', async (t) => {
  const { zendesk, failure, well } = await see(t, CLIENT, {
    kind: 'status',
    status: 404,
    shape: 'no-help-desk',
  })
  t.equal(well, false)
  t.match(failure, /^help desk\nNo Zendesk account exists[^]*were delivered there: replace them/)
  t.equal(zendesk.requests.length, 1)
  t.notOk(zendesk.requests[0]?.headers['authorization'])
})

t.test('something in between that adds credentials of its own is noticed', async (t) => {
  const body = '{"user":{"id":1,"role":"admin"}}'
  const { output, well } = await see(t, BEARER, { kind: 'body', target: 'me', body, times: 1 })
  t.equal(well, true)
  t.match(output, /^warn +help desk +Zendesk recognises a user although no credentials were sent$/m)
})

t.test('a 429 is told with its wait and with the limit, and nothing more is asked', async (t) => {
  const { zendesk, output } = await see(t, CLIENT, { kind: 'status', status: 429 })
  t.match(output, /^fail +help desk +Zendesk says 429: wait 27 seconds$/m)
  t.match(output, /^ok +rate limit +700 calls a minute/m)
  t.equal(zendesk.requests.length, 1)
})

t.test('whatever else Zendesk may answer is told with what to do', async (t) => {
  const cases: [Fault, RegExp][] = [
    [{ kind: 'redirect' }, /^token\n.*redirect[^]*own zendesk\.com address instead of a host-mapped one/],
    [
      { kind: 'status', status: 403, shape: 'cf-challenge' },
      /^help desk\n.*refuses or challenges us[^]*admit the outgoing/,
    ],
    [
      { kind: 'status', status: 429, target: 'token' },
      /^token\nZendesk says 429: wait 27 seconds[^]*Wait that long/,
    ],
    [{ kind: 'status', status: 503 }, /^help desk\nZendesk is not available[^]*status page/],
    [{ kind: 'status', status: 504 }, /^help desk\nZendesk itself reports a timeout/],
    [{ kind: 'status', status: 418 }, /^token\n[^]*status 418/],
    [{ kind: 'status', status: 418, shape: 'html' }, /^help desk\n[^]*status 418/],
    [{ kind: 'status', status: 418, target: 'me' }, /^identity\n[^]*status 418/],
    [
      { kind: 'body', body: '<html>hello</html>' },
      /^token\n[^]*Check that ZENDESK_URL leads to Zendesk itself/,
    ],
    [{ kind: 'reset' }, /^help desk\nZendesk is not available[^]*(ECONNRESET|UND_ERR_SOCKET)/],
    [{ kind: 'garbage' }, /^help desk\n[^]*none that Zendesk gives/],
    [{ kind: 'body', body: '{}', target: 'renew' }, /^renewal\n[^]*none that Zendesk gives/],
    [{ kind: 'status', status: 401, target: 'renew' }, /^renewal\n.*accepted a moment ago/],
    [{ kind: 'status', status: 403, target: 'token' }, /^token\nZendesk does not permit this/],
    [{ kind: 'status', status: 404, shape: 'invalid-endpoint', target: 'token' }, /^token\n[^]*status 404/],
    [{ kind: 'body', body: '{}', target: 'token' }, /^token\n[^]*none that Zendesk gives/],
    [{ kind: 'silence', target: 'token' }, /^token\nno answer within 700 ms/],
  ]
  for (const [fault, advice] of cases) {
    const { failure, well, findings } = await see(t, CLIENT, fault)
    t.equal(well, false, JSON.stringify(fault))
    t.match(failure, advice)
    t.equal(findings.filter(({ level }) => level === 'fail').length, 1)
  }
})

t.test('no advice speaks of what stands in an answer of the service only', async (t) => {
  const { zendesk } = await startZendesk(t)
  const target = admit(await readConfig({ ZENDESK_URL: zendesk.url, ...BEARER }), [])
  t.teardown(() => target.transport.close())
  for (const code of Object.keys(catalogue) as ProblemCode[]) {
    for (const reply of [undefined, { status: 418 }, { status: 418, requestId: 'abc-SEA' }]) {
      const { title, detail, fix } = explain(new Problem(code, { zendesk: reply }), target)
      const told = [title, detail, fix].join('\n')
      t.notMatch(told, /zendesk\.(status|requestId)|requestId|retryAfter/, code)
      if (reply?.requestId === undefined) t.notMatch(told, 'x-request-id', `${code}: there is none to give`)
    }
  }
  const { failure } = await see(t, CLIENT, { kind: 'status', status: 418, target: 'token' })
  t.match(failure, /^token\nZendesk answered with an error\nstatus 418, .*\nRun the doctor again/)
})

t.test('the lifetime of tokens is told, and one of seconds is a warning', async (t) => {
  const lifetimes = [
    ['1800', /^ok +token .* it lives 30 minutes$/m],
    [null, /^ok +token .* does not say how long/m],
    [30, /^warn +token .* it lives 30 seconds$/m],
  ] as const
  for (const [tokenLifetime, line] of lifetimes) {
    const { zendesk } = await startZendesk(t, { tokenLifetime })
    const { output, well } = await visit(t, { ZENDESK_URL: zendesk.url, ...CLIENT }, zendesk)
    t.equal(well, true)
    t.match(output, line)
  }
})

t.test('the budget is held against the limit that Zendesk tells', async (t) => {
  const me = (headers: Record<string, string | string[]>): Fault => ({
    kind: 'status',
    status: 200,
    target: 'me',
    body: '{"user":{"id":1,"role":"admin"}}',
    headers: { 'X-Rate-Limit': [], 'X-Rate-Limit-Remaining': [], 'ratelimit-limit': [], ...headers },
  })
  const cases: [string, Fault, RegExp][] = [
    ['100', me({ 'X-Rate-Limit': '200' }), /^ok +rate limit +200 calls a minute/m],
    [
      '101',
      me({ 'X-Rate-Limit': '200' }),
      /^warn +rate limit +200 .*\n.*Set ZENDESK_BUDGET_PER_MINUTE to 100 or less/m,
    ],
    ['500', me({ 'ratelimit-limit': '400, 400;w=60' }), /^warn +rate limit +400 .* our part is 500\n/m],
    ['0', me({ 'X-Rate-Limit': '700' }), /^warn +rate limit +700 .* without bound\n/m],
    [
      '10',
      me({ 'X-Rate-Limit': '700', 'X-Rate-Limit-Remaining': '3' }),
      /^warn +rate limit +less than a tenth/m,
    ],
    ['10', me({ 'ratelimit-remaining': [] }), /^ok +rate limit +Zendesk sends no rate-limit headers/m],
    ['10', me({ 'X-Rate-Limit': 'sandbox' }), /^ok +rate limit +Zendesk sends no rate-limit headers/m],
  ]
  for (const [budget, fault, line] of cases) {
    const { output, well } = await see(t, { ...BEARER, ZENDESK_BUDGET_PER_MINUTE: budget }, fault)
    t.equal(well, true)
    t.match(output, line)
  }
})

t.test('a Zendesk that tells us our own secrets does not make the doctor tell them', async (t) => {
  for (const credentials of [CLIENT, BEARER, API_TOKEN]) {
    for (const target of ['me', 'token', 'renew'] as const)
      await see(t, credentials, { kind: 'echo', target })
  }
  const user = { id: 1, role: bearerToken, name: email }
  const { output } = await see(t, BEARER, { kind: 'body', target: 'me', body: JSON.stringify({ user }) })
  t.match(output, /fail +identity/)
})

/** One visit, with credentials as the variables say, to a Zendesk that may misbehave. */
async function see(t: Test, variables: NodeJS.ProcessEnv, fault?: Fault) {
  const { zendesk } = await startZendesk(t)
  if (fault) zendesk.misbehave(fault)
  const environment = { ZENDESK_URL: zendesk.url, ZENDESK_TIMEOUT_MS: '700', ...variables }
  return { zendesk, ...(await visit(t, environment, zendesk)) }
}

function scopeRefused(times: number): Fault {
  return { kind: 'status', status: 400, shape: 'invalid-scope', target: 'token', times }
}
