import { gzipSync } from 'node:zlib'
import type { Socket } from 'node:net'
import t from 'tap'
import { ForwardProxies } from '../src/network/forward-proxies.js'
import { Connections } from '../src/zendesk/connections.js'
import { checkProblem, startRaw } from './support/fixtures.js'
import { ask, startService, startZendesk } from './support/helper.js'
import { startRelay } from './support/relay.js'

const TOKEN = '{"authenticity_token":"t"}'
const OK = `HTTP/1.1 200 OK\r\ncontent-length: ${TOKEN.length}\r\n\r\n${TOKEN}`

t.test('a connection that died silently costs nobody a token', async (t) => {
  const { environment, zendesk } = await startZendesk(t)
  const relay = await startRelay(t, Number(new URL(zendesk.url).port))
  const { url, log } = await startService(t, {
    ...environment,
    ZENDESK_URL: relay.url,
    ZENDESK_TIMEOUT_MS: '2000',
  })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  for (let death = 1; death <= 4; death++) {
    relay.freeze()
    t.equal((await ask(`${url}/session/renew`)).status, 200)
    t.equal(relay.opened, 1 + death, 'on a new one')
  }
  t.equal(zendesk.requests.length, 5, 'what was lost has not arrived')
  const given = log.filter(({ errorCode }) => errorCode === 'STALE_CONNECTION')
  t.equal(given.length, 4, 'and the log tells')
})

t.test('the first answer on a new connection may take the whole deadline', async (t) => {
  const { environment, zendesk } = await startZendesk(t)
  const { url } = await startService(t, { ...environment, ZENDESK_TIMEOUT_MS: '1000' })
  zendesk.misbehave({ kind: 'delay', ms: 700 })
  for (let call = 0; call < 3; call++)
    t.equal((await ask(`${url}/session/renew`)).status, 200, 'and so may the next, of a Zendesk that is slow')
  t.equal(zendesk.requests.length, 3)
})

t.test('an answer that begins on a reused connection has the whole deadline to end', async (t) => {
  let asked = 0
  const { url } = await startRaw(
    t,
    (socket) => {
      asked += 1
      if (asked === 1) socket.write(OK)
      else {
        socket.write(OK.slice(0, -5))
        setTimeout(() => socket.write(OK.slice(-5)), 700)
      }
    },
    { ZENDESK_TIMEOUT_MS: '1000' },
  )
  for (let call = 0; call < 2; call++) t.equal((await ask(`${url}/session/renew`)).status, 200)
  t.equal(asked, 2)
})

t.test('a 408 on a connection that was idle is no answer to the call that met it', async (t) => {
  const used = new WeakMap<Socket, number>()
  let asked = 0
  const { url } = await startRaw(t, (socket) => {
    asked += 1
    used.set(socket, (used.get(socket) ?? 0) + 1)
    if (used.get(socket) === 1) socket.write(OK)
    else socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  for (let call = 0; call < 4; call++) t.equal((await ask(`${url}/session/renew`)).status, 200)
  t.equal(asked, 4 + 3, 'each but the first met one')
})

t.test('a 408 on a new connection is told, and not tried again', async (t) => {
  let asked = 0
  const { url } = await startRaw(t, (socket) => {
    asked += 1
    socket.end('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n')
  })
  const told = { status: 504, code: 'zendesk-timeout', zendesk: { status: 408 } }
  checkProblem(t, await ask(`${url}/session/renew`), told)
  t.equal(asked, 1)
})

t.test('when Zendesk moves while its old address fails, the next try goes to the new one', async (t) => {
  const before = await startZendesk(t)
  const after = await startZendesk(t)
  const relay = await startRelay(t, Number(new URL(before.zendesk.url).port))
  const { url } = await startService(t, { ...before.environment, ZENDESK_URL: relay.url })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  before.zendesk.misbehave({ kind: 'status', status: 503 })
  relay.port = Number(new URL(after.zendesk.url).port)
  for (let call = 0; call < 5; call++) t.equal((await ask(`${url}/session/renew`)).status, 200)
  t.equal(before.zendesk.requests.length, 2, 'one call before it moved, and one that found out')
  t.equal(after.zendesk.requests.length, 5)
})

t.test('Zendesk may close the connection after each answer', async (t) => {
  let connections = 0
  const seen = new WeakSet<Socket>()
  const { url } = await startRaw(t, (socket) => {
    if (!seen.has(socket)) connections += 1
    seen.add(socket)
    socket.end(OK.replace('\r\n', '\r\nconnection: close\r\n'))
  })
  const statuses = new Set<number>()
  for (let call = 0; call < 50; call++) {
    const answers = await Promise.all([ask(`${url}/session/renew`), ask(`${url}/session/renew`)])
    for (const { status } of answers) statuses.add(status)
  }
  t.same([...statuses], [200])
  t.ok(connections >= 50)
})

t.test('a connection is not used any more when it is old', async (t) => {
  const { zendesk } = await startZendesk(t)
  let now = 0
  const connections = new Connections(zendesk.url, new ForwardProxies(), 1000, () => now)
  t.teardown(() => {
    connections.close()
  })
  const call = async () => {
    const connection = connections.take()
    await new Promise((resolve) => {
      const handler = { onRequestStart: () => undefined, onResponseEnd: resolve }
      connection.dispatch({ method: 'GET', path: '/' }, handler)
    })
    connections.keep(connection)
    return connection
  }
  const first = await call()
  now += 60_000
  t.equal(await call(), first)
  now += 1
  const second = await call()
  t.not(second, first)
  connections.discardIdle()
  t.not(await call(), second)
})

t.test('blanks around the value of a header are not part of it', async (t) => {
  const zipped = gzipSync(TOKEN).toString('latin1')
  const date = 'Wed, 04 Nov 2026 10:00:00 GMT'
  const later = 'Wed, 04 Nov 2026 10:00:30 GMT'
  const length = Buffer.byteLength(zipped, 'latin1')
  const rows: [answer: string, expected: object][] = [
    [`200 OK\r\ncontent-encoding: gzip \t\r\ncontent-length: ${length}\r\n\r\n${zipped}`, { status: 200 }],
    [
      `429 Too Many\r\nretry-after: ${later} \r\ndate: ${date} \r\ncontent-length: 0\r\n\r\n`,
      { body: { retryAfter: 30 } },
    ],
    [`429 Too Many\r\nretry-after: 31 \r\ncontent-length: 0\r\n\r\n`, { body: { retryAfter: 31 } }],
    [
      `422 No\r\nx-request-id: abc-1 \r\ncontent-length: 0\r\n\r\n`,
      { body: { zendesk: { status: 422, requestId: 'abc-1' } } },
    ],
  ]
  for (const [answer, expected] of rows) {
    const { url } = await startRaw(t, (socket) => socket.write(`HTTP/1.1 ${answer}`, 'latin1'))
    t.match(await ask(`${url}/session/renew`), expected, answer.slice(0, 40))
  }
})
