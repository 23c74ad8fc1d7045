import type { Socket } from 'node:net'
import t from 'tap'
import { checkProblem, credentialKinds, startPairs, startRaw, until, within } from './support/fixtures.js'
import { ask, startBoth, startService, startZendesk } from './support/helper.js'
import type { Fault } from './sandbox/zendesk.js'

t.jobs = 3

t.test('what passes by itself is tried again, and the caller notices nothing', async (t) => {
  const faults: Fault[] = [
    { kind: 'reset', times: 2 },
    ...[502, 503, 504, 520, 524].map((status): Fault => ({ kind: 'status', status, times: 2 })),
  ]
  const pairs = await startPairs(t, faults.length)
  await Promise.all(
    faults.map(async (fault, index) => {
      const { url = '', zendesk } = pairs[index] ?? {}
      zendesk?.misbehave(fault)
      t.equal((await ask(`${url}/session/renew`)).status, 200, JSON.stringify(fault))
      t.equal(zendesk?.requests.length, 3)
    }),
  )
})

t.test('a 503 is not asked again before the time that Zendesk gave', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false' })
  zendesk.misbehave({ kind: 'status', status: 503, headers: { 'Retry-After': '1' }, times: 1 })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  const [first, second, ...more] = zendesk.requests
  t.ok((second?.at ?? 0) - (first?.at ?? 0) >= 999)
  t.same(more, [])
})

t.test('what Zendesk said is told, also where the budget has no turn for another try', async (t) => {
  const { environment, zendesk } = await startZendesk(t)
  zendesk.misbehave({ kind: 'status', status: 503 })
  const { url, log } = await startService(t, { ...environment, ZENDESK_BUDGET_PER_MINUTE: '10' })
  const answer = await ask(`${url}/session/renew`)
  checkProblem(t, answer, { status: 503, code: 'zendesk-unavailable', zendesk: { status: 503 } })
  t.equal(zendesk.requests.length, 1)

  const refused = await ask(`${url}/session/renew`)
  t.match(refused.body, { code: 'zendesk-rate-limited', zendesk: undefined }, 'Zendesk was not asked')
  const line = log.find(({ requestId }) => requestId === refused.headers.get('x-request-id'))
  t.match(line, { code: 'zendesk-rate-limited', waitsFor: 'budget' }, 'and the log tells why')
})

t.test(
  'a fresh access token that is refused is tried again within the deadline, and not replaced',
  async (t) => {
    const asked: string[] = []
    const verdicts = ['401 No', '503 Down', '401 No', '503 Down']
    const talk = (socket: Socket, request: string) => {
      const isToken = request.startsWith('POST')
      const head = isToken ? '200 OK' : (verdicts.shift() ?? '200 OK')
      asked.push(isToken ? 'token' : head)
      const renewed = head === '200 OK' ? '{"authenticity_token":"sandbox-session-token"}' : ''
      const body = isToken ? `{"access_token":"sandbox-token-${asked.length}"}` : renewed
      socket.write(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    }
    const { url } = await startRaw(t, talk, {
      ZENDESK_OAUTH_TOKEN: '',
      ZENDESK_OAUTH_CLIENT_ID: 'sandbox-client',
      ZENDESK_OAUTH_CLIENT_SECRET: 'sandbox-client-secret-not-a-secret',
    })
    const answer = await ask(`${url}/session/renew`)
    t.equal(answer.status, 200)
    t.same(asked, ['token', '401 No', '503 Down', '401 No', '503 Down', '200 OK'])
  },
)

t.test('what Zendesk said is not told any more when it has said something else since', async (t) => {
  const token = JSON.stringify({ authenticity_token: 'sandbox-session-token' })
  const verdicts = [`200 OK ${token}`, '503 Down', '401 No', `200 OK ${token}`]
  const talk = (socket: Socket, request: string) => {
    const granted = '200 OK {"access_token":"sandbox-token"}'
    const said = request.startsWith('POST') ? granted : (verdicts.shift() ?? '500 Unexpected')
    const body = said.slice(said.indexOf('{') === -1 ? said.length : said.indexOf('{'))
    const head = said.slice(0, said.length - body.length).trim()
    socket.write(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  }
  // A burst of five: two fetches and three calls; the sixth has a turn in 1.1 s.
  const { url } = await startRaw(t, talk, {
    ZENDESK_OAUTH_TOKEN: '',
    ZENDESK_OAUTH_CLIENT_ID: 'sandbox-client',
    ZENDESK_OAUTH_CLIENT_SECRET: 'sandbox-client-secret-not-a-secret',
    ZENDESK_BUDGET_PER_MINUTE: '60',
    ZENDESK_TIMEOUT_MS: '600',
  })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  const { body } = await ask(`${url}/session/renew`)
  t.match(body, { status: 429, code: 'zendesk-rate-limited', retryAfter: Number, zendesk: undefined })
  t.match((await ask(`${url}/readyz`)).body, { credentials: 'unverified', breaker: 'closed' })
})

t.test('tries end with the deadline', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false', ZENDESK_TIMEOUT_MS: '500' })
  for (const fault of [{ kind: 'status', status: 503 }, { kind: 'reset' }] as const) {
    zendesk.misbehave(fault)
    const answer = await within(750, () => ask(`${url}/session/renew`))
    t.ok(answer.tookMs < 750, `${answer.tookMs} ms`)
    t.ok(answer.status === 503 || answer.status === 504)
    zendesk.heal()
    t.equal((await ask(`${url}/session/renew`)).status, 200)
  }
})

t.test(
  'the breaker opens while Zendesk keeps failing, and one probe at a time closes it again',
  async (t) => {
    const { url, zendesk, log } = await startBoth(t, { DOCS: 'false' })
    const breaker = async () => (await ask(`${url}/readyz`)).body?.['breaker']
    zendesk.misbehave({ kind: 'status', status: 500 })
    t.equal(await breaker(), 'closed')
    for (let failures = 0; failures < 5; failures++)
      t.equal((await ask(`${url}/session/renew`)).body?.['code'], 'zendesk-error')
    t.equal(await breaker(), 'open')
    t.ok(log.some(({ msg, level }) => level === 40 && /keeps failing/.test(String(msg))))
    t.equal((await ask(`${url}/readyz`)).status, 200, 'an outage of Zendesk does not make us unready')

    const refused = await ask(`${url}/session/renew`)
    const retryAfter = Number(refused.body?.['retryAfter'])
    t.ok(retryAfter === 1 || retryAfter === 2)
    checkProblem(t, refused, { status: 503, code: 'zendesk-unavailable', retryAfter })
    t.equal(zendesk.requests.length, 5, 'Zendesk is not asked')

    await until('a trial is due', async () => (await breaker()) === 'half-open')
    t.equal((await ask(`${url}/session/renew`)).body?.['code'], 'zendesk-error', 'the trial fails')
    t.equal(await breaker(), 'open')
    t.equal((await ask(`${url}/session/renew`)).body?.['code'], 'zendesk-unavailable')
    t.equal(zendesk.requests.length, 6)

    zendesk.misbehave({ kind: 'delay', ms: 200 })
    await until('another trial is due', async () => (await breaker()) === 'half-open')
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(`${url}/session/renew`)))
    t.equal(zendesk.requests.length, 7, 'one trial, however many ask')
    t.equal(answers[0]?.status, 200, 'the trial succeeds')
    for (const { status, body } of answers)
      t.ok(status === 200 || body?.['code'] === 'zendesk-unavailable', 'nobody waits in vain')
    t.equal(await breaker(), 'closed')
    t.equal((await ask(`${url}/session/renew`)).status, 200)
  },
)

t.test('timeouts and lost connections open the breaker as well, counted by tries', async (t) => {
  const faults: [fault: Fault, timeoutMs: number][] = [
    [{ kind: 'silence', target: 'renew' }, 100],
    [{ kind: 'silence', target: 'token' }, 100],
    [{ kind: 'reset', target: 'renew' }, 3000],
    [{ kind: 'status', status: 503, target: 'token' }, 3000],
  ]
  for (const [fault, timeoutMs] of faults) {
    const { zendesk } = await startZendesk(t)
    const environment = credentialKinds(zendesk)[0]?.environment
    const { url } = await startService(t, { ...environment, ZENDESK_TIMEOUT_MS: String(timeoutMs) })
    zendesk.misbehave(fault)
    for (let asked = 0; asked < 5; asked++) await ask(`${url}/session/renew`)
    const named = JSON.stringify(fault)
    t.equal((await ask(`${url}/readyz`)).body?.['breaker'], 'open', named)
    t.equal((fault.target === 'token' ? zendesk.tokenRequests() : zendesk.renewals()).length, 5, named)
  }
})

t.test('a success in between, or an answer that only refuses us, keeps the breaker closed', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false' })
  const refusals: Fault[] = [
    ...[403, 404, 422].map((status): Fault => ({ kind: 'status', status })),
    { kind: 'redirect' },
    { kind: 'body', body: '{}' },
  ]
  for (const fault of [...refusals, ...refusals]) {
    zendesk.misbehave(fault)
    await ask(`${url}/session/renew`)
  }
  t.equal(zendesk.requests.length, 10)
  for (let round = 0; round < 3; round++) {
    zendesk.misbehave({ kind: 'status', status: 500, times: 4 })
    for (let call = 0; call < 5; call++) await ask(`${url}/session/renew`)
  }
  t.equal(zendesk.requests.length, 25)
  t.equal((await ask(`${url}/readyz`)).body?.['breaker'], 'closed')
})
