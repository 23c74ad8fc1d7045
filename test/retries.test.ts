import t from 'tap'
import { checkProblem, startPairs, until } from './support/fixtures.js'
import { ask, startBoth } from './support/helper.js'
import { outcomeOf, VirtualZendesk, type Outcome } from './support/virtual-zendesk.js'

t.test('what passes by itself is tried again, and the caller notices nothing', async (t) => {
  for (const outcome of ['reset', ...[502, 503, 504, 520, 524].map((status) => ({ status }))] as Outcome[]) {
    const zendesk = new VirtualZendesk()
    zendesk.answer = () => (zendesk.calls.length < 2 ? outcome : { status: 200 })
    const { code } = await zendesk.clock.until(outcomeOf(zendesk.client().renewSession()))
    t.equal(code, 'ok', JSON.stringify(outcome))
    t.equal(zendesk.calls.length, 3)
  }
})

t.test('over sockets as well', async (t) => {
  const pairs = await startPairs(t, 2)
  pairs[0]?.zendesk.misbehave({ kind: 'reset', times: 2 })
  pairs[1]?.zendesk.misbehave({ kind: 'status', status: 503, times: 2 })
  await Promise.all(
    pairs.map(async ({ url, zendesk }) => {
      t.equal((await ask(`${url}/session/renew`)).status, 200)
      t.equal(zendesk.requests.length, 3)
    }),
  )
})

t.test('a 503 is not asked again before the time that Zendesk gave', async (t) => {
  const zendesk = new VirtualZendesk()
  zendesk.answer = ({ at }) => (at === 0 ? { status: 503, headers: { 'retry-after': '1' } } : { status: 200 })
  t.equal((await zendesk.clock.until(outcomeOf(zendesk.client().renewSession()))).code, 'ok')
  t.same(zendesk.times(), [0, 1_000])
})

t.test('what Zendesk said is told, also where the budget has no slot for another try', async (t) => {
  const zendesk = new VirtualZendesk()
  const client = zendesk.client('bearer', { budgetPerMinute: 10 })
  zendesk.answer = () => ({ status: 503 })
  const { problem } = await zendesk.clock.until(outcomeOf(client.renewSession()))
  t.match(problem, { code: 'zendesk-unavailable', zendesk: { status: 503 } })
  t.equal(zendesk.calls.length, 1)

  const refused = await zendesk.clock.until(outcomeOf(client.renewSession()))
  t.match(refused.problem, { code: 'zendesk-rate-limited', zendesk: undefined, waitsFor: 'budget' })
  t.equal(zendesk.calls.length, 1, 'Zendesk was not asked')
})

t.test(
  'a fresh access token that is refused is tried again within the deadline, and not replaced',
  async (t) => {
    const zendesk = new VirtualZendesk()
    const statuses = [401, 503, 401, 503]
    zendesk.answer = ({ operation }) => ({
      status: operation === 'token' ? 200 : (statuses.shift() ?? 200),
    })
    const client = zendesk.client('client-credentials')
    t.equal((await zendesk.clock.until(outcomeOf(client.renewSession()))).code, 'ok')
    t.same(
      zendesk.calls.map(({ operation }) => operation),
      ['token', ...Array<string>(5).fill('renew')],
    )
    t.same(zendesk.outcomes(), [401, 503, 401, 503, 200])
  },
)

t.test('what Zendesk said is not told any more when it has said something else since', async (t) => {
  const zendesk = new VirtualZendesk()
  const statuses = [200, 503, 401, 200]
  zendesk.answer = ({ operation }) => ({ status: operation === 'token' ? 200 : (statuses.shift() ?? 500) })
  // A burst of five: two fetches and three calls; the sixth has a slot in 1.1 s.
  const client = zendesk.client('client-credentials', { budgetPerMinute: 60, timeoutMs: 600 })
  t.equal((await zendesk.clock.until(outcomeOf(client.renewSession()))).code, 'ok')
  const { problem } = await zendesk.clock.until(outcomeOf(client.renewSession()))
  t.match(problem, { status: 429, code: 'zendesk-rate-limited', retryAfter: Number, zendesk: undefined })
  t.match(client.outlook(), { credentials: 'unverified', breaker: 'closed' })
})

t.test('tries end with the deadline', async (t) => {
  for (const outcome of [{ status: 503 }, 'reset', 'silence'] as const) {
    for (let round = 0; round < 20; round++) {
      const zendesk = new VirtualZendesk()
      const client = zendesk.client('bearer', { timeoutMs: 500 })
      zendesk.answer = () => outcome
      const { problem } = await zendesk.clock.until(outcomeOf(client.renewSession()))
      t.ok(problem?.status === 503 || problem?.status === 504)
      t.ok(zendesk.clock.now() <= 500, `${zendesk.clock.now()} ms`)
      zendesk.answer = () => ({ status: 200 })
      t.equal((await zendesk.clock.until(outcomeOf(client.renewSession()))).code, 'ok')
    }
  }
})

t.test(
  'the breaker opens while Zendesk keeps failing: it shows, and callers are told the wait',
  async (t) => {
    const { url, zendesk, log } = await startBoth(t, { DOCS: 'false' })
    const breaker = async () => (await ask(`${url}/readyz`)).body?.['breaker']
    zendesk.misbehave({ kind: 'status', status: 500 })
    t.equal(await breaker(), 'closed')
    for (let failures = 0; failures < 5; failures++)
      t.equal((await ask(`${url}/session/renew`)).body?.['code'], 'zendesk-error')
    const refused = await ask(`${url}/session/renew`)
    const retryAfter = Number(refused.body?.['retryAfter'])
    t.ok(retryAfter === 1 || retryAfter === 2)
    checkProblem(t, refused, { status: 503, code: 'zendesk-unavailable', retryAfter })
    t.equal(zendesk.requests.length, 5, 'Zendesk is not asked')
    t.ok(log.some(({ msg, level }) => level === 40 && /keeps failing/.test(String(msg))))
    t.equal((await ask(`${url}/readyz`)).status, 200, 'an outage of Zendesk does not make us unready')
    zendesk.heal()
    await until('a probe succeeds', async () => (await ask(`${url}/session/renew`)).status === 200)
    t.equal(await breaker(), 'closed')
  },
)

t.test('one probe at a time closes the breaker again', async (t) => {
  const zendesk = new VirtualZendesk()
  const { clock } = zendesk
  const client = zendesk.client()
  const renew = () => clock.until(outcomeOf(client.renewSession()))
  zendesk.answer = () => ({ status: 500 })
  for (let failures = 0; failures < 5; failures++) t.equal((await renew()).code, 'zendesk-error')
  t.equal(client.outlook().breaker, 'open')
  for (const retryAfter of [2, 1]) {
    const { problem } = await renew()
    t.match(problem, { code: 'zendesk-unavailable', retryAfter, waitsFor: 'breaker' })
    await clock.pass(1_000)
  }
  t.equal(client.outlook().breaker, 'half-open')
  t.equal((await renew()).code, 'zendesk-error', 'the probe fails')
  t.equal(client.outlook().breaker, 'open')
  t.equal((await renew()).code, 'zendesk-unavailable')
  t.equal(zendesk.calls.length, 6)

  zendesk.answer = () => ({ status: 200, afterMs: 200 })
  await clock.pass(2_000)
  t.equal(client.outlook().breaker, 'half-open')
  const asking = Array.from({ length: 20 }, () => outcomeOf(client.renewSession()))
  t.equal(client.outlook().breaker, 'half-open', 'while the probe is under way')
  const startedAt = clock.now()
  const others = await Promise.all(asking.slice(1))
  t.same(new Set(others.map(({ code }) => code)), new Set(['zendesk-unavailable']))
  t.equal(clock.now(), startedAt, 'nobody waits for it')
  t.equal((await clock.until(Promise.all(asking)))[0]?.code, 'ok', 'the probe succeeds')
  t.equal(zendesk.calls.length, 7, 'one probe, however many ask')
  t.equal(client.outlook().breaker, 'closed')
  t.equal((await renew()).code, 'ok')
})

t.test('timeouts and lost connections open the breaker as well, counted by tries', async (t) => {
  const rows: [operation: string, outcome: Outcome, timeoutMs: number][] = [
    ['renew', 'silence', 100],
    ['token', 'silence', 100],
    ['renew', 'reset', 3_000],
    ['token', { status: 503 }, 3_000],
  ]
  for (const [failing, outcome, timeoutMs] of rows) {
    const zendesk = new VirtualZendesk()
    const client = zendesk.client('client-credentials', { timeoutMs })
    zendesk.answer = ({ operation }) => (operation === failing ? outcome : { status: 200 })
    const named = JSON.stringify([failing, outcome])
    let asked = 0
    while (client.outlook().breaker === 'closed' && asked < 6) {
      await zendesk.clock.until(outcomeOf(client.renewSession()))
      asked += 1
    }
    t.equal(client.outlook().breaker, 'open', named)
    t.equal(zendesk.outcomes(failing).length, 5, named)
    await zendesk.clock.until(outcomeOf(client.renewSession()))
    t.equal(zendesk.outcomes(failing).length, 5, 'and no call is made then')
  }
})

t.test('a success in between, or an answer that only refuses us, keeps the breaker closed', async (t) => {
  const zendesk = new VirtualZendesk()
  const client = zendesk.client()
  const renew = () => zendesk.clock.until(outcomeOf(client.renewSession()))
  const refusals = [...[403, 404, 422, 302].map((status) => ({ status })), { status: 200, body: {} }]
  for (const outcome of [...refusals, ...refusals]) {
    zendesk.answer = () => outcome
    await renew()
  }
  t.equal(zendesk.calls.length, 10)
  const failures = [500, 500, 500, 500, 200]
  const statuses = [...failures, ...failures, ...failures]
  zendesk.answer = () => ({ status: statuses.shift() ?? 200 })
  for (let call = 0; call < 15; call++) await renew()
  t.equal(zendesk.calls.length, 25)
  t.equal(client.outlook().breaker, 'closed')
})
