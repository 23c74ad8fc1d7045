import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { selfSigned } from './support/certificate.js'
import { checkProblem, credentialKinds, startRaw, within } from './support/fixtures.js'
import { ask, startBoth, startService, startZendesk } from './support/helper.js'
import type { Fault } from './sandbox/zendesk.js'

const BAD = { status: 502, code: 'zendesk-bad-response' }

t.jobs = 3

t.test('a token is taken in every dress that HTTP has', async (t) => {
  const body = '{"authenticity_token":"t"}'
  const gzipped = gzipSync(body).toString('latin1')
  const answers = [
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=UTF-8\r\ncontent-length: 26\r\n\r\n${body}`,
    `HTTP/1.1 200 OK\r\n\r\n${body}`,
    `HTTP/1.0 200 Fine\r\nContent-Length: 26\r\n\r\n${body}`,
    `HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\n${body}\r\n0\r\n\r\n`,
    `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 26\r\n\r\n${body}`,
    ...['gzip', 'GZIP', 'x-gzip'].map(
      (coding) => `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\n\r\n${gzipped}`,
    ),
  ]
  let answer = ''
  const { url } = await startRaw(t, (socket) => socket.end(answer, 'latin1'))
  for (answer of answers)
    t.same(
      (await ask(`${url}/session/renew`)).body,
      { authenticity_token: 't' },
      answer.replace(/\r\n\r\n[^]*/, ''),
    )
})

t.test('an answer that was cut off is none, even if what came of it can be read', async (t) => {
  const body = '{"authenticity_token":"t"}'
  const answers = [
    `HTTP/1.1 200 OK\r\ncontent-length: 27\r\n\r\n${body}`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1a\r\n${body}\r\n`,
    `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n${gzipSync(body).subarray(0, -4).toString('latin1')}`,
  ]
  let answer = ''
  const { url } = await startRaw(t, (socket) => socket.end(answer, 'latin1'))
  for (answer of answers)
    checkProblem(t, await ask(`${url}/session/renew`), { ...BAD, zendesk: { status: 200 } })
})

t.test('an answer that was cut off in its head is not asked for again', async (t) => {
  for (const leave of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
    let asked = 0
    const { url } = await startRaw(t, (socket) => {
      asked += 1
      socket.write('HTTP/1.1 200 OK\r\ncontent-le')
      // So late that the bytes have been read: a reset would overtake them.
      setTimeout(leave, 50, socket)
    })
    checkProblem(t, await ask(`${url}/session/renew`), BAD)
    t.equal(asked, 1)
  }
})

t.test('where nobody answers, Zendesk is unavailable', async (t) => {
  const { zendesk, environment } = await startZendesk(t)
  await zendesk.close()
  const port = new URL(zendesk.url).port
  const origins = [zendesk.url, `http://localhost:${port}`, `https://${'no-such-name'.repeat(6)}.invalid`]
  await Promise.all(
    origins.map(async (origin) => {
      const { url } = await startService(t, { ...environment, ZENDESK_URL: origin, DOCS: 'false' })
      checkProblem(t, await ask(`${url}/session/renew`), { status: 503, code: 'zendesk-unavailable' })
    }),
  )
})

t.test('silence and dripping end at the deadline', async (t) => {
  const faults: Fault[] = [{ kind: 'silence' }, { kind: 'drip', ms: 20 }, { kind: 'drip-head', ms: 20 }]
  for (const fault of [...faults, { kind: 'delay', ms: 2000 } as const]) {
    const { url, zendesk } = await startBoth(t, { DOCS: 'false', ZENDESK_TIMEOUT_MS: '400' })
    zendesk.misbehave(fault)
    const answer = await within(650, () => {
      zendesk.requests.length = 0
      return ask(`${url}/session/renew`)
    })
    checkProblem(t, answer, { status: 504, code: 'zendesk-timeout' })
    t.ok(answer.tookMs >= 390 && answer.tookMs <= 650, `${fault.kind} took ${answer.tookMs} ms`)
    t.equal(zendesk.requests.length, 1, 'a request that may have arrived is not repeated')
  }
})

t.test('refusals whose body never ends hold up nobody who asks later', async (t) => {
  let ill = true
  const { url } = await startRaw(t, (socket) => {
    if (ill) socket.write('HTTP/1.1 403 Forbidden\r\ncontent-length: 100\r\n\r\n')
    else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 26\r\n\r\n{"authenticity_token":"t"}')
  })
  for (let call = 0; call < 10; call++)
    t.equal((await ask(`${url}/session/renew`)).body?.['code'], 'zendesk-permission-denied')
  ill = false
  t.equal((await ask(`${url}/session/renew`)).status, 200)
})

t.test('a certificate that does not verify: Zendesk is not trusted, and nothing is sent', async (t) => {
  for (const tls of [selfSigned(), selfSigned({ days: -1 }), selfSigned({ name: 'other.example' })]) {
    const { zendesk } = await startZendesk(t, { tls })
    for (const { environment } of credentialKinds(zendesk).slice(0, 2)) {
      const { url } = await startService(t, environment)
      checkProblem(t, await ask(`${url}/session/renew`), { status: 502, code: 'zendesk-untrusted' })
    }
    t.equal(zendesk.requests.length, 0)
  }
})

t.test('the caller can send what it likes: Zendesk receives our headers and no others', async (t) => {
  const { zendesk } = await startZendesk(t)
  for (const { kind, environment, authorization } of credentialKinds(zendesk)) {
    zendesk.requests.length = 0
    const { url } = await startService(t, environment)
    for (const path of ['/session/renew?evil=1', '/api/v2/users/me/session/renew?evil=1'])
      t.equal((await ask(url + path, { headers: BAGGAGE })).status, 200)
    t.equal(
      (await ask(`${url}/session/renew`, { method: 'POST', body: 'evil', headers: BAGGAGE })).status,
      200,
    )

    for (const { method, path, headers, rawHeaders, body } of zendesk.renewals()) {
      t.same([method, path, body], ['GET', '/api/v2/users/me/session/renew', ''], kind)
      const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
      // Connection belongs to the hop, not to the request: RFC 9110, section 7.6.1.
      t.same(names.sort(), ['accept', 'accept-encoding', 'authorization', 'connection', 'host', 'user-agent'])
      t.match(headers, {
        accept: 'application/json',
        'accept-encoding': 'identity',
        authorization,
        host: new URL(zendesk.url).host,
        'user-agent': /^zendesk-session-proxy\/\d+\.\d+\.\d+$/,
      })
    }
    t.equal(zendesk.renewals().length, 3)
    t.equal(zendesk.tokenRequests().length, kind === 'client credentials' ? 1 : 0)
  }
})

const BAGGAGE = {
  accept: 'text/evil',
  'accept-encoding': 'br',
  'accept-language': 'evil',
  authorization: `Basic ${Buffer.from('evil:evil').toString('base64')}`,
  'cache-control': 'no-cache, evil',
  cookie: '_zendesk_cookie=evil',
  forwarded: 'for=192.0.2.1;host=evil',
  'if-none-match': '"evil"',
  referer: 'https://evil.example/',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'evil=1',
  'user-agent': 'evil',
  'x-csrf-token': 'evil',
  'x-forwarded-for': '192.0.2.1',
  'x-forwarded-host': 'evil.example',
  'x-http-method-override': 'DELETE',
  'x-on-behalf-of': 'evil@example.com',
  'x-request-id': 'evil',
}

t.test('a connection that is not made in time is no reason to be late', async (t) => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const { url } = await startService(t, {
    ZENDESK_URL: `https://127.0.0.1:${port}`,
    ZENDESK_OAUTH_TOKEN: 'sandbox-token-not-a-secret',
    ZENDESK_TIMEOUT_MS: '600',
  })
  const answer = await ask(`${url}/session/renew`)
  checkProblem(t, answer, { status: 504, code: 'zendesk-timeout' })
  t.ok(answer.tookMs < 600 + 250, `${answer.tookMs} ms`)
})
