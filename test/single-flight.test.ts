import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Deadline } from '../src/zendesk/deadline.js'
import { startRaw, until } from './support/fixtures.js'
import { ask } from './support/helper.js'

t.test('500 callers at a time are one call to Zendesk, and share one token', async (t) => {
  const { url, arrivals, calls, answer } = await startHeld(t)
  const asking: ReturnType<typeof ask>[] = []
  while (asking.length < 500) {
    // In portions, since the callers live in the service's own process and would make it look overloaded.
    asking.push(...Array.from({ length: 25 }, () => ask(`${url}/session/renew`)))
    await until('they have arrived', () => arrivals() === asking.length)
  }
  t.equal(calls.length, 1)
  answer()
  const answers = await Promise.all(asking)
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(answers.map(({ text }) => text)).size, 1)

  const next = ask(`${url}/session/renew`)
  await until('nothing was kept: Zendesk is asked again', () => calls.length === 2)
  answer()
  t.not((await next).text, answers[0]?.text)
})

t.test('callers who leave disturb nobody', async (t) => {
  const { url, log, arrivals, calls, answer } = await startHeld(t)
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
  answer()
  t.same([(await second).status, (await third).status], [200, 200])
  t.equal(calls.length, 1)
})

t.test('a caller who leaves does not end the flight: the next one joins it', async (t) => {
  const { url, log, arrivals, calls, answer } = await startHeld(t)
  const leaving = new AbortController()
  const left = t.rejects(ask(`${url}/session/renew`, { signal: leaving.signal }), { name: 'AbortError' })
  await until('it has asked', () => calls.length === 1)
  leaving.abort()
  await left
  await until('the leaving is noticed', () => log.some(({ msg }) => msg === 'caller left'))
  const next = ask(`${url}/session/renew`)
  await until('the next has joined', () => arrivals() === 2)
  answer()
  t.equal((await next).status, 200)
  t.equal(calls.length, 1)
})

t.test(
  'a caller whose own deadline ends first is told so alone, and the call goes on for the others',
  async (t) => {
    const { app, calls, answer } = await startHeld(t)
    const [short, long] = [new Deadline(50), new Deadline(10_000)]
    t.teardown(() => {
      long.end()
    })
    const waiting = [app.zendesk.renewSession(), app.zendesk.renewSession(long)]
    await t.rejects(app.zendesk.renewSession(short), { code: 'zendesk-timeout' })
    t.notOk(calls[0]?.destroyed, 'the call goes on')
    await until('it has reached Zendesk', () => calls.length === 1)
    answer()
    const [first, second] = await Promise.all(waiting)
    t.equal(first?.value, second?.value)

    await t.rejects(app.zendesk.renewSession(short), { code: 'zendesk-timeout' })
    t.equal(calls.length, 1, 'a deadline that is over starts no call')
  },
)

/** A service whose Zendesk does not answer until `answer` is called. */
async function startHeld(t: Test) {
  const calls: Socket[] = []
  const service = await startRaw(t, (socket) => calls.push(socket), { ZENDESK_TIMEOUT_MS: '20000' })
  let arrived = 0
  service.app.server.on('request', () => (arrived += 1))
  const answer = () => {
    const body = `{"authenticity_token":"sandbox-token-${calls.length}"}`
    calls.at(-1)?.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  }
  return { ...service, calls, answer, arrivals: () => arrived }
}
