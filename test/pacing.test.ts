import t, { type Test } from 'tap'
import { checkProblem } from './support/fixtures.js'
import { ask, startBoth } from './support/helper.js'
import { outcomeOf, VirtualZendesk, type Reply } from './support/virtual-zendesk.js'

const KINDS = ['client-credentials', 'bearer', 'api-token', 'password'] as const

t.test('after a 429 no call is made, and every caller is told how long that still lasts', async (t) => {
  const zendesk = new VirtualZendesk()
  const client = zendesk.client()
  zendesk.answer = () => tooMany(30)
  t.match(await outcomeOf(client.renewSession()), { problem: { retryAfter: 30, zendesk: { status: 429 } } })
  for (const left of [30, 29, 28]) {
    const { clock } = zendesk
    const startedAt = clock.now()
    const { problem } = await clock.until(outcomeOf(client.renewSession()))
    t.match(problem, {
      code: 'zendesk-rate-limited',
      retryAfter: left,
      waitsFor: 'pause',
      zendesk: undefined,
    })
    t.equal(clock.now(), startedAt, 'at once')
    t.equal(client.outlook().pausedForSeconds, left)
    await clock.pass(1_000)
  }
  t.equal(zendesk.calls.length, 1)
})

t.test('a pause that fits the deadline is waited out, and one call goes first as a probe', async (t) => {
  const zendesk = new VirtualZendesk()
  const client = zendesk.client()
  zendesk.answer = ({ at }) => (at < 1_000 ? tooMany(1) : { status: 200, afterMs: 10 })
  const renewals = Promise.all(Array.from({ length: 20 }, () => outcomeOf(client.renewSession())))
  t.same(new Set((await zendesk.clock.until(renewals)).map(({ code }) => code)), new Set(['ok']))
  t.same(zendesk.outcomes(), [429, 200])
  t.same(zendesk.times(), [0, 1_000])
})

t.test(
  'a pause that does not fit is refused at once, and Zendesk is asked again when it is over',
  async (t) => {
    const zendesk = new VirtualZendesk()
    const client = zendesk.client('bearer', { timeoutMs: 900 })
    zendesk.answer = ({ at }) => (at === 0 ? tooMany(1) : { status: 200 })
    t.match(await outcomeOf(client.renewSession()), {
      problem: { code: 'zendesk-rate-limited', retryAfter: 1 },
    })
    t.equal(zendesk.clock.now(), 0, 'at once')
    await zendesk.clock.pass(100)
    t.equal((await zendesk.clock.until(outcomeOf(client.renewSession()))).code, 'zendesk-rate-limited')
    await zendesk.clock.pass(900)
    t.equal((await outcomeOf(client.renewSession())).code, 'ok')
    t.same(zendesk.times(), [0, 1_000])
  },
)

t.test('a wait that would leave no time for the call is refused, not turned into a timeout', async (t) => {
  const zendesk = new VirtualZendesk()
  const client = zendesk.client('bearer', { timeoutMs: 1_200 })
  const renew = () => zendesk.clock.until(outcomeOf(client.renewSession()))
  zendesk.answer = ({ at }) => (at === 400 ? tooMany(1) : { status: 200, afterMs: 400 })
  t.equal((await renew()).code, 'ok')
  t.match(await renew(), { problem: { code: 'zendesk-rate-limited', retryAfter: 1 } })
  t.match(await renew(), { problem: { code: 'zendesk-rate-limited', retryAfter: 1, waitsFor: 'pause' } })
  t.equal(zendesk.clock.now(), 400, 'at once')
  await zendesk.clock.pass(1_000)
  t.equal((await renew()).code, 'ok')
  t.same(zendesk.outcomes(), [200, 429, 200], 'and no call was begun in vain')
})

t.test('the budget paces: callers wait for their slot and are all served', async (t) => {
  const zendesk = new VirtualZendesk()
  const client = zendesk.client('bearer', { budgetPerMinute: 600 })
  const codes = await load(zendesk, client, 60_000)
  t.same(new Set(codes), new Set(['ok']))
  checkBudget(t, zendesk.times())
  t.ok(zendesk.calls.length >= 590, `but no fewer than there may be: ${zendesk.calls.length}`)
})

t.test('access tokens are fetched from the same budget', async (t) => {
  const zendesk = new VirtualZendesk()
  const client = zendesk.client('client-credentials', { budgetPerMinute: 600 })
  zendesk.answer = ({ operation }) => ({
    status: 200,
    ...(operation === 'token' && { body: { access_token: 'access', expires_in: 0 } }),
  })
  t.same(new Set(await load(zendesk, client, 10_000)), new Set(['ok']), 'callers wait, also for two slots')
  t.ok(zendesk.times('token').length > 40, 'each renewal needs a token of its own')
  checkBudget(
    t,
    zendesk.calls.map(({ at }) => at),
  )
})

t.test('calls with refused credentials of any kind grow rarer, however many ask', async (t) => {
  for (const kind of KINDS) {
    const zendesk = new VirtualZendesk()
    const client = zendesk.client(kind)
    zendesk.answer = () => ({ status: 401, body: { error: 'invalid_client' } })
    const codes = new Set<unknown>()
    const reasons = new Set<unknown>()
    for (let asked = 0; asked < 400; asked++) {
      const { code, problem } = await zendesk.clock.until(outcomeOf(client.renewSession()))
      codes.add(code)
      reasons.add(problem?.waitsFor)
      await zendesk.clock.pass(10)
    }
    t.same(codes, new Set(['zendesk-credentials-rejected']), kind)
    t.same(reasons, new Set([undefined, 'credentials']))
    const times = zendesk.calls.map(({ at }) => at)
    t.same(times, [0, 500, 1_500, 3_500], 'half a second, then twice as long each time')
  }
})

t.test('a slot that comes too late is refused with the wait, and the log tells why', async (t) => {
  const { url, zendesk, log } = await startBoth(t, { DOCS: 'false', ZENDESK_BUDGET_PER_MINUTE: '1' })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  const answer = await ask(`${url}/session/renew`)
  const retryAfter = Number(answer.body?.['retryAfter'])
  t.ok(retryAfter >= 58 && retryAfter <= 62, 'a call a minute')
  checkProblem(t, answer, { status: 429, code: 'zendesk-rate-limited', retryAfter })
  const line = log.find(({ requestId }) => requestId === answer.headers.get('x-request-id'))
  t.match(line, { code: 'zendesk-rate-limited', waitsFor: 'budget' })
  t.equal(zendesk.requests.length, 1)
})

t.test('a pause shows in the readiness', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false' })
  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'Retry-After': '300' } })
  t.equal((await ask(`${url}/session/renew`)).body?.['retryAfter'], 300)
  const answer = await ask(`${url}/session/renew`)
  const retryAfter = Number(answer.body?.['retryAfter'])
  checkProblem(t, answer, { status: 429, code: 'zendesk-rate-limited', retryAfter })
  const shown = Number((await ask(`${url}/readyz`)).body?.['pausedForSeconds'])
  t.ok(shown <= retryAfter && shown > 200, `${shown} s shown, ${retryAfter} s told`)
  t.equal(zendesk.requests.length, 1)
})

/** Three callers who ask again as soon as they are answered; what they were told. */
async function load(
  zendesk: VirtualZendesk,
  client: ReturnType<VirtualZendesk['client']>,
  forMs: number,
): Promise<string[]> {
  const codes: string[] = []
  const callers = Array.from({ length: 3 }, async () => {
    while (zendesk.clock.now() < forMs) codes.push((await outcomeOf(client.renewSession())).code)
  })
  await zendesk.clock.until(Promise.all(callers))
  return codes
}

/** For 600 a minute: never more than a burst of five and ten a second, in any stretch of time. */
function checkBudget(t: Test, times: number[]): void {
  const excess = times.flatMap((from, first) =>
    times.slice(first).map((to, more) => 1 + more - 5 - (to - from) / 100),
  )
  // As many as there are pairs, too many for Math.max.
  const most = excess.reduce((one, other) => Math.max(one, other))
  t.ok(most <= 0, `${times.length} calls, ${most} too many in some stretch`)
}

function tooMany(seconds: number): Reply {
  return { status: 429, headers: { 'retry-after': String(seconds) } }
}
