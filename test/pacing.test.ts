import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Deadline } from '../src/zendesk/deadline.js'
import { checkProblem, credentialKinds, startRaw, until } from './support/fixtures.js'
import { ask, startBoth, startService, startZendesk } from './support/helper.js'
import type { ReceivedRequest } from './sandbox/zendesk.js'

t.jobs = 3

t.test('500 callers at a time are one call to Zendesk, and share one token', async (t) => {
  const { url, arrivals, calls, land } = await startHeld(t)
  const asking: ReturnType<typeof ask>[] = []
  while (asking.length < 500) {
    // In portions, since the callers live in the service's own process and would make it look overloaded.
    asking.push(...Array.from({ length: 25 }, () => ask(`${url}/session/renew`)))
    await until('they have arrived', () => arrivals() === asking.length)
  }
  t.equal(calls.length, 1)
  land()
  const answers = await Promise.all(asking)
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(answers.map(({ text }) => text)).size, 1)

  const next = ask(`${url}/session/renew`)
  await until('nothing was kept: Zendesk is asked again', () => calls.length === 2)
  land()
  t.not((await next).text, answers[0]?.text)
})

t.test('callers who leave disturb nobody', async (t) => {
  const { url, log, arrivals, calls, land } = await startHeld(t)
  const leaving = new AbortController()
  const left = t.rejects(ask(`${url}/session/renew`, { signal: leaving.signal }), { name: 'AbortError' })
  const leaver = () => log.some(({ msg }) => msg === 'caller left')
  await until('the first has asked', () => calls.length === 1)
  const second = ask(`${url}/session/renew`)
  await until('the second has joined', () => arrivals() === 2)
  leaving.abort()
  await left
  await until('the leaving is noticed', leaver)
  const third = ask(`${url}/session/renew`)
  await until('the third has joined', () => arrivals() === 3)
  t.notOk(calls[0]?.destroyed, 'the call goes on')
  land()
  t.same([(await second).status, (await third).status], [200, 200])
  t.equal(calls.length, 1)
})

t.test('a caller who leaves does not end the flight: the next one joins it', async (t) => {
  const { url, log, arrivals, calls, land } = await startHeld(t)
  const leaving = new AbortController()
  const left = t.rejects(ask(`${url}/session/renew`, { signal: leaving.signal }), { name: 'AbortError' })
  await until('it has asked', () => calls.length === 1)
  leaving.abort()
  await left
  await until('the leaving is noticed', () => log.some(({ msg }) => msg === 'caller left'))
  const next = ask(`${url}/session/renew`)
  await until('the next has joined', () => arrivals() === 2)
  land()
  t.equal((await next).status, 200)
  t.equal(calls.length, 1)
})

t.test(
  'a caller whose own deadline ends first is told so alone, and the call goes on for the others',
  async (t) => {
    const { app, calls, land } = await startHeld(t)
    const [short, long] = [new Deadline(50), new Deadline(10_000)]
    t.teardown(() => {
      long.end()
    })
    const waiting = [app.zendesk.renewSession(), app.zendesk.renewSession(long)]
    await t.rejects(app.zendesk.renewSession(short), { code: 'zendesk-timeout' })
    t.notOk(calls[0]?.destroyed, 'the call goes on')
    await until('it has reached Zendesk', () => calls.length === 1)
    land()
    const [first, second] = await Promise.all(waiting)
    t.equal(first?.token, second?.token)

    await t.rejects(app.zendesk.renewSession(short), { code: 'zendesk-timeout' })
    t.equal(calls.length, 1, 'a deadline that is over starts no call')
  },
)

t.test('after a 429 no call is made, and every caller is told how long that still lasts', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false' })
  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'Retry-After': '30' } })
  const before = performance.now()
  t.equal((await ask(`${url}/session/renew`)).body?.['retryAfter'], 30)
  const after = performance.now()
  let answer = await ask(`${url}/session/renew`)
  await until('a second has passed', async () => {
    const most = Math.ceil(30 - (performance.now() - after) / 1000)
    answer = await ask(`${url}/session/renew`)
    const least = Math.ceil(30 - (performance.now() - before) / 1000)
    const told = Number(answer.body?.['retryAfter'])
    if (told < least || told > most) t.fail(`${told} s told, ${least} to ${most} s left`)
    return told === 29
  })
  checkProblem(t, answer, { status: 429, code: 'zendesk-rate-limited', retryAfter: 29 })
  t.ok(answer.tookMs < 1000, 'at once')
  t.equal((await ask(`${url}/readyz`)).body?.['pausedForSeconds'], 29)
  t.equal(zendesk.requests.length, 1)
})

t.test('a pause that fits the deadline is waited out, and one call goes ahead', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false' })
  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'Retry-After': '1' }, times: 1 })
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(`${url}/session/renew`)))
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.same(
    zendesk.requests.map(({ status }) => status),
    [429, 200],
  )
  t.ok(gaps(zendesk.requests).every((gap) => gap >= 999))
})

t.test(
  'a pause that does not fit is refused at once, and Zendesk is asked again when it is over',
  async (t) => {
    const { url, zendesk } = await startBoth(t, { DOCS: 'false', ZENDESK_TIMEOUT_MS: '900' })
    zendesk.misbehave({ kind: 'status', status: 429, headers: { 'Retry-After': '1' }, times: 1 })
    const refused = await ask(`${url}/session/renew`)
    t.match(refused.body, { code: 'zendesk-rate-limited', retryAfter: 1 })
    t.ok(refused.tookMs < 800, 'at once')
    await until('it is over', async () => (await ask(`${url}/session/renew`)).status === 200)
    t.same(
      zendesk.requests.map(({ status }) => status),
      [429, 200],
    )
    t.ok(gaps(zendesk.requests).every((gap) => gap >= 999))
  },
)

t.test('a wait that would leave no time for the call is refused, not turned into a timeout', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false', ZENDESK_TIMEOUT_MS: '1200' })
  zendesk.misbehave({ kind: 'delay', ms: 400 })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'Retry-After': '1' }, times: 1 })
  t.match((await ask(`${url}/session/renew`)).body, { code: 'zendesk-rate-limited', retryAfter: 1 })
  zendesk.misbehave({ kind: 'delay', ms: 400 })
  const refused = await ask(`${url}/session/renew`)
  t.match(refused.body, { code: 'zendesk-rate-limited', retryAfter: 1 })
  t.ok(refused.tookMs < 400, 'at once')
  await until('the pause is over', async () => (await ask(`${url}/session/renew`)).status === 200)
  t.same(
    zendesk.requests.map(({ status }) => status),
    [200, 429, 200],
    'and no call was begun in vain',
  )
})

t.test('the budget paces: callers wait for their turn and are all served', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false', ZENDESK_BUDGET_PER_MINUTE: '600' })
  const statuses: number[] = []
  const endsAt = performance.now() + 1500
  const callers = Array.from({ length: 3 }, async () => {
    while (performance.now() < endsAt) statuses.push((await ask(`${url}/session/renew`)).status)
  })
  await Promise.all(callers)
  t.same(new Set(statuses), new Set([200]))

  checkBudget(t, zendesk.requests)
  const { length } = zendesk.requests
  t.ok(length >= 10, `but no fewer than there may be: ${length}`)
})

t.test('credentials of any kind that are refused are tried ever more seldom, however many ask', async (t) => {
  const { zendesk } = await startZendesk(t)
  for (const { kind, environment } of credentialKinds(zendesk)) {
    zendesk.requests.length = 0
    zendesk.misbehave({ kind: 'status', status: 401, shape: 'invalid-client' })
    const { url, log } = await startService(t, environment)
    const startedAt = performance.now()
    const codes = new Set<unknown>()
    while (zendesk.requests.length < 3) codes.add((await ask(`${url}/session/renew`)).body?.['code'])
    t.same(codes, new Set(['zendesk-credentials-rejected']), kind)
    t.ok(performance.now() - startedAt >= 1_500, 'half a second, then one more')
    t.ok(log.some(({ waitsFor }) => waitsFor === 'credentials'))
  }
})

t.test('access tokens are fetched from the same budget', async (t) => {
  const { zendesk } = await startZendesk(t, { tokenLifetime: 0 })
  const { environment = {} } = credentialKinds(zendesk)[0] ?? {}
  const { url } = await startService(t, { ...environment, ZENDESK_BUDGET_PER_MINUTE: '600' })
  const statuses: number[] = []
  const endsAt = performance.now() + 1000
  while (performance.now() < endsAt) statuses.push((await ask(`${url}/session/renew`)).status)
  t.notOk(statuses.includes(429), 'callers wait, also for two turns')
  t.ok(zendesk.tokenRequests().length > 2, 'each renewal needs a token of its own')
  checkBudget(t, zendesk.requests)
})

t.test('a turn that comes too late is refused with the wait', async (t) => {
  const { url, zendesk } = await startBoth(t, { DOCS: 'false', ZENDESK_BUDGET_PER_MINUTE: '1' })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  const answer = await ask(`${url}/session/renew`)
  const retryAfter = Number(answer.body?.['retryAfter'])
  t.ok(retryAfter >= 58 && retryAfter <= 62, 'a call a minute')
  checkProblem(t, answer, { status: 429, code: 'zendesk-rate-limited', retryAfter })
  t.equal(zendesk.requests.length, 1)
})

/** For 600 a minute: never more than a burst of five and ten a second, in any stretch of time. */
function checkBudget(t: Test, requests: ReceivedRequest[]): void {
  const times = requests.map(({ at }) => at)
  const excess = times.flatMap((from, first) =>
    times.slice(first).map((to, more) => 1 + more - 5 - (to - from + TRAVEL_MS) / 100),
  )
  const most = Math.max(...excess)
  t.ok(most <= 0, `${times.length} calls, ${most} too many in some stretch`)
}

/** By how much a call may be late on its way to the sandbox, which makes it come together with the next. */
const TRAVEL_MS = 150

/** A service whose Zendesk answers when told to, `land`, and not before. */
async function startHeld(t: Test) {
  const calls: Socket[] = []
  const service = await startRaw(t, (socket) => calls.push(socket), { ZENDESK_TIMEOUT_MS: '20000' })
  let arrived = 0
  service.app.server.on('request', () => (arrived += 1))
  const land = () => {
    const body = `{"authenticity_token":"sandbox-token-${calls.length}"}`
    calls.at(-1)?.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  }
  return { ...service, calls, land, arrivals: () => arrived }
}

function gaps(requests: ReceivedRequest[]): number[] {
  return requests.slice(1).map(({ at }, index) => at - (requests[index]?.at ?? 0))
}
